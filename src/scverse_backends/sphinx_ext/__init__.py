"""A Sphinx extension: a host's documentation shows which backends run its functions.

One noun a file: `_known` is what is known of a host's backends, `_domain` keeps
it with the documentation and finds where things are shown, `_pages` adds it to
each function's page, `_table` draws it as a table, and `_links` links backends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scverse_backends import __version__

from ._domain import BackendsDomain, refresh
from ._links import BackendRole
from ._pages import show_backends
from ._table import MatrixDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ENVIRONMENT_VERSION = 1
"""Raised whenever what is kept with the documentation changes its form."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Set the extension up; Sphinx calls this.

    Parameters
    ----------
    app
        The documentation that is built.

    Returns
    -------
    dict
        What Sphinx wants to know of an extension.
    """
    for name, default, kinds in (
        ("dispatchers", (), (list, tuple, str)),
        ("imports", (), (list, tuple)),
        ("links", {}, (dict,)),
        ("load", True, (bool,)),
    ):
        app.add_config_value(f"scverse_backends_{name}", default, "env", types=frozenset(kinds))
    app.add_domain(BackendsDomain)
    app.add_directive("backend-matrix", MatrixDirective)
    app.add_role("backend", BackendRole())
    app.connect("env-get-outdated", refresh)
    app.connect("object-description-transform", show_backends)
    return {
        "version": __version__,
        "env_version": ENVIRONMENT_VERSION,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
