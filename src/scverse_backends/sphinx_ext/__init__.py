"""A Sphinx extension: a host's documentation shows which backends run its functions.

`_domain` reads what is known of a host's backends, keeps it with the documentation
and finds where things are shown. `_nodes` draws it: on each function's page, as a
table, and as links.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scverse_backends import __version__

from ._domain import BackendsDomain, refresh
from ._nodes import BackendRole, MatrixDirective, show_backends

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ENVIRONMENT_VERSION = 2
"""Raised when what is kept with the documentation changes its form."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Set the extension up; Sphinx calls this.

    Parameters
    ----------
    app
        The documentation that is built.

    Returns
    -------
    dict
        What Sphinx asks of an extension.
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
