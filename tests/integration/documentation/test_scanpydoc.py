"""A documentation as scverse packages build it: types stand in annotations, none in docstrings."""

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from textwrap import dedent

import pytest

import scverse_backends
from tests.conftest import Site

HOST = '''
    """A host that is documented as scverse packages are."""
    from __future__ import annotations
    from typing import TYPE_CHECKING
    from scverse_backends import BackendDispatcher
    if TYPE_CHECKING:
        from collections.abc import Sequence
    dispatcher = BackendDispatcher(
        entrypoint_group="cells.backends",
        host_name="cells",
        trusted_backends={"fast": {"aliases": ["cuda"], "package": "cells-fast"}},
    )

    @dispatcher.backend_dispatch
    def scale(
        values: Sequence[float], factor: float = 1.0, *, copy: bool = False
    ) -> list[float] | None:
        """Multiply every value.

        Parameters
        ----------
        values
            What to multiply.
        factor
            By how much.
        copy
            Whether to return a copy.

        Returns
        -------
        Returns `None` if `copy=False`, else the values:

        `.values` : :class:`list`
            Multiplied.

        Examples
        --------
        >>> scale([1.0], 2)
        """

    @dispatcher.backend_dispatch
    def rank(values: Sequence[float], key: str | None = None, order=object()) -> None:
        """Rank the values.

        Params
        ------
        values
            What to rank.
        key
            By what.
        """

    @dispatcher.backend_class
    class Model:
        """A model.

        Parameters
        ----------
        layers
            How many.
        """
        def __init__(self, layers: int = 2):
            pass

    class Distance:
        """A distance."""
        @staticmethod
        @dispatcher.backend_dispatch(name="Distance.named")
        def named(name: str) -> Distance:
            """Make one by its name."""

        @dispatcher.backend_dispatch(name="Distance.size")
        def size(self) -> int:
            """Count the points."""

        @dispatcher.backend_dispatch(name="Distance.pairwise")
        def pairwise(self, points: Sequence[float]) -> float:
            """Compare points.

            Parameters
            ----------
            points
                Where they are.
            """

    @dispatcher.backend_dispatch(selector=None)
    def empty() -> None:
        """Take nothing."""

    def plain(values: Sequence[float]) -> None:
        """Do what no backend is asked for.

        Parameters
        ----------
        values
            What to use.
        """
'''

FAST = '''
    name = "fast"
    def scale(values, factor=2.0, *, copy=False, tiles: int | None = None):
        """Multiply fast.

        Parameters
        ----------
        tiles : int, optional
            How many values at a time.
        """
    def rank(values, key=None, order=None, *, ties: str = "first"):
        """Rank fast.

        Parameters
        ----------
        ties : {'first', 'last'}
            Which of two wins.
        """
    class Model:
        """A fast model.

        Parameters
        ----------
        precision : str
            How exact.
        """
        def __init__(self, layers=2, *, precision: str = "single"):
            pass
'''

REFUSE_TYPES = '''
    """Refuses types in docstrings: they stand in annotations."""
    from sphinx.errors import SphinxError

    def refuse(app, what, name, obj, options, lines):
        typed = [line for line in lines if line.startswith(":type ")]
        if typed:
            raise SphinxError(f"{name} has types in its docstring: {typed}")

    def setup(app):
        app.connect("autodoc-process-docstring", refuse)
'''

CONF = """
    project = "cells"
    extensions = [
        "sphinx.ext.autodoc",
        "sphinx.ext.autosummary",
        "sphinx.ext.napoleon",
        "refuse_types",  # between what reads docstrings and what adds types
        "sphinx_autodoc_typehints",
        "scanpydoc",
        "sphinx.ext.linkcode",
    ]
    html_theme = "scanpydoc"
    html_theme_options = dict(repository_url="https://github.com/scverse/cells")
    html_context = dict(github_user="scverse", github_repo="cells", github_version="main")
    napoleon_custom_sections = [("Params", "Parameters")]
    nitpicky = True
    nitpick_ignore_regex = [("py:.*", r"(collections|typing)\\..*|bool|float|int|list|None|str")]
    typehints_defaults = "braces"
"""

OURS = """
    extensions.append("scverse_backends.sphinx_ext")
    scverse_backends_dispatchers = ["cells:dispatcher"]
"""

# Scanpydoc's own types do not go into signatures.
TYPES_IN_SIGNATURES = """
    extensions = [name for name in extensions if name not in ("scanpydoc", "sphinx.ext.linkcode")]
    html_theme, html_theme_options = "basic", {}
    typehints_use_signature = typehints_use_signature_return = True
"""

INDEX = """
    cells
    =====

    .. autosummary::
       :toctree: generated

       cells.scale
       cells.rank
       cells.plain

    .. autoclass:: cells.Model

    .. autofunction:: cells.empty

    .. autoclass:: cells.Distance
       :members:
"""

# One process, because Sphinx takes longer to import than to build this. It ends with what scanpydoc
# does to Sphinx.
BUILD = """
import sys
from sphinx.cmd.build import main
for folder in sys.argv[1:]:
    assert main(["-W", "-q", folder, f"{folder}/site"]) == 0, folder
"""

CONFIGURATIONS = {
    "without": 'autodoc_typehints = "none"',
    "with": OURS,
    "typed": OURS + TYPES_IN_SIGNATURES,
}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Build the documentation without our extension, with it, and with types in signatures."""
    folder = tmp_path_factory.mktemp("scanpydoc")
    site = Site(folder)
    site.install("cells", modules={"cells": HOST, "refuse_types": REFUSE_TYPES})
    fast = {"group": "cells.backends", "entry_points": {"fast": "cells_fast"}}
    site.install("cells-fast", modules={"cells_fast": FAST}, **fast)
    for name, more in CONFIGURATIONS.items():
        site.write(f"{name}/conf.py", dedent(CONF) + dedent(more))
        site.write(f"{name}/index.rst", INDEX)
    library = str(Path(scverse_backends.__file__).parents[1])
    subprocess.run(
        [sys.executable, "-c", BUILD, *CONFIGURATIONS],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([library, str(folder)])},
        check=True,
    )
    return lambda build, name: text_of(folder / build / "site" / f"{name}.html")


def text_of(path):
    """Read a page without its markup."""
    found = re.sub(r"<[^>]+>", "", path.read_text(encoding="utf-8"))
    return " ".join(unescape(found).split())


SELECTOR = (
    "backendWhere to run: 'cpu' for the host\N{RIGHT SINGLE QUOTATION MARK}s own code, 'fast' or another installed "
    "backend. Defaults to the current selection."
)


@pytest.mark.parametrize("build", CONFIGURATIONS)
def test_the_selector_is_described_behind_parameters_that_have_types(page, build):
    scale = page(build, "generated/cells.scale")
    assert f"copy bool (default: False)Whether to return a copy. {SELECTOR}" in scale
    assert f"key str | None (default: None)By what. {SELECTOR}" in page(
        build, "generated/cells.rank"
    )
    assert f"layers int (default: 2)How many. {SELECTOR}" in page(build, "index")


def test_without_our_extension_no_backend_is_asked(page):
    assert "tiles" not in page("without", "generated/cells.scale")


def test_what_backends_add_is_described_without_a_type(page):
    scale = page("with", "generated/cells.scale")
    assert f"{SELECTOR} tilesOnly with backend 'fast'. How many values at a time. Return" in scale
    assert "By how much. With backend 'fast', factor is 2.0 by default. copy" in scale
    assert "tiesOnly with backend 'fast'. Which of two wins." in page(
        "with", "generated/cells.rank"
    )
    assert "precisionOnly with backend 'fast'. How exact." in page("with", "index")


def test_backends_stand_behind_what_is_returned(page):
    scale = page("with", "generated/cells.scale")
    fields = (
        "Multiplied. Backends: fast (cells-fast 1.0) has other defaults: factor=2.0 (host: 1.0)"
    )
    assert f".valueslist{fields} adds tiles=None Examples" in scale


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        (
            "generated/cells.scale",
            "scale(values, factor=1.0, *, copy=False, backend=None, tiles=None)",
        ),
        (
            "generated/cells.rank",
            "rank(values, key=None, order=<object object>, *, backend=None, ties='first')",
        ),
        ("index", "class cells.Model(layers=2, *, backend=None, precision='single')"),
        ("index", "pairwise(points, *, backend=None)"),
        ("index", "size(*, backend=None)"),
        ("index", "static named(name, *, backend=None)"),
        ("index", "cells.empty()"),
        ("index", "cells.scale(values[, factor, copy, backend, ...])"),
        ("index", "cells.rank(values[, key, order, backend, ties])"),
    ],
)
def test_signatures_are_those_that_users_see(page, name, signature):
    assert signature in page("with", name)


def test_signatures_have_types_where_the_configuration_wants_them(page):
    types = (
        "values: Sequence[float], factor: float = 1.0, *, copy: bool = False, backend: Any = None"
    )
    scale = f"scale({types}, tiles: int | None = None) → list[float] | None"
    assert scale in page("typed", "generated/cells.scale")
    assert "size(*, backend: Any = None) → int" in page("typed", "index")


def test_what_is_not_dispatched_is_left_to_the_other_extension(page):
    assert "plain(values)" in page("with", "generated/cells.plain")
