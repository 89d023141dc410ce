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

INDEX = """
    cells
    =====

    .. autosummary::
       :toctree: generated

       cells.scale
       cells.rank
       cells.plain

    .. autoclass:: cells.Model
"""

# One process, because Sphinx takes longer to import than to build this. It ends with what scanpydoc
# does to Sphinx.
BUILD = """
import sys
from sphinx.cmd.build import main
for folder in sys.argv[1:]:
    assert main(["-W", "-q", folder, f"{folder}/site"]) == 0, folder
"""

CONFIGURATIONS = {"without": "", "with": OURS}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Build the documentation without our extension, then with it; give a reader of its pages."""
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


SELECTOR = r"backend( Any \(default: None\))?Where to run: 'cpu' for the host.s own code, 'fast' or another"


@pytest.mark.parametrize("build", CONFIGURATIONS)
def test_the_selector_is_described_behind_parameters_that_have_types(page, build):
    for name, last in (
        ("generated/cells.scale", r"copy bool \(default: False\)Whether to return a copy\. "),
        ("generated/cells.rank", r"key str \| None \(default: None\)By what\. "),
        ("index", r"layers int \(default: 2\)How many\. "),
    ):
        assert re.search(last + SELECTOR, page(build, name))


def test_without_our_extension_no_backend_is_asked(page):
    assert "tiles" not in page("without", "generated/cells.scale")


@pytest.mark.parametrize(
    ("name", "option", "text"),
    [
        ("generated/cells.scale", "tiles", "How many values at a time."),
        ("generated/cells.rank", "ties", "Which of two wins."),
        ("index", "precision", "How exact."),
    ],
)
def test_what_backends_add_is_described_with_its_provider(page, name, option, text):
    assert re.search(rf"{option}[^.]*Only with backend 'fast'\. {text}", page("with", name))


def test_a_default_that_differs_is_said_at_its_parameter(page):
    note = "By how much. With backend 'fast', factor is 2.0 by default. copy"
    assert note in page("with", "generated/cells.scale")


def test_backends_stand_behind_what_is_returned(page):
    differing = "has other defaults: factor=2.0 (host: 1.0)"
    fields = f"Multiplied. Backends: fast (cells-fast 1.0) {differing} adds tiles=None Examples"
    assert fields in page("with", "generated/cells.scale")


@pytest.mark.parametrize("build", CONFIGURATIONS)
def test_what_is_not_dispatched_has_no_selector(page, build):
    assert "values Sequence[float]What to use. Return type: None" in page(
        build, "generated/cells.plain"
    )
