"""Documentations of a small host, built by Sphinx inside this process."""

from textwrap import dedent

import pytest
from sphinx.testing.util import SphinxTestApp

GROUP = "cells.backends"

HOST = '''
    """A host of two functions and a class."""
    from scverse_backends import BackendDispatcher
    dispatcher = BackendDispatcher(
        entrypoint_group="cells.backends",
        host_name="cells",
        trusted_backends={"cuda": {"aliases": ["gpu12"], "package": "cells-cuda"}},
        ignorable=("n_jobs",),
    )
    @dispatcher.backend_dispatch
    def scale(values, factor=1.0, *, copy=True, n_jobs=1):
        """Multiply every value.

        Parameters
        ----------
        values
            What to multiply.
        factor
            By how much.
        copy
            Whether to leave the values alone.
        n_jobs
            How many threads to use.

        Raises
        ------
        ValueError
            If there is nothing to multiply.

        Examples
        --------
        >>> scale([1, 2])
        """
    @dispatcher.backend_dispatch(name="tools.rank")
    def rank(values):
        """Rank the values."""
    @dispatcher.backend_class
    class Model:
        """A model.

        Parameters
        ----------
        layers
            How many.
        """
        def __init__(self, layers=2):
            """Begin."""
        def fit(self):
            """Fit it."""
    def plain(values):
        """Do what no backend is asked for."""
'''

FAST = '''
    name = "fast"
    aliases = ["quick"]
    def scale(values, factor=2.0, *, tiles=64, n_jobs=1):
        """Multiply fast.

        Parameters
        ----------
        tiles : int
            How many values at a time.
        """
    class Model:
        def __init__(self, layers=2):
            pass
        def fit(self):
            pass
'''


@pytest.fixture
def cells(site):
    """Install the host, and give the site."""
    site.install("cells", modules={"cells": HOST})
    return site


@pytest.fixture
def fast(cells):
    """Install the host and a backend for it, and give the site."""
    return install(cells, "fast", FAST)


def install(site, name, source, **options):
    """Install a backend of the host whose adapter has this source."""
    module = f"{name}_cells"
    options.setdefault("entry_points", {name: module})
    site.install(f"cells-{name}", group=GROUP, modules={module: source}, **options)
    return site


class Documentation:
    """A folder of pages, and what building it gave."""

    def __init__(self, folder):
        self.folder = folder
        self.warnings = ""
        self.status = ""

    def write(self, **pages):
        """Write pages: ``index="..."``, in reStructuredText."""
        for name, text in pages.items():
            path = self.folder / f"{name.replace('__', '/')}.rst"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8")
        return self

    def build(self, builder="text", *, parallel=0, extensions=(), strict=True, **configuration):
        """Build it, and fail on warnings unless that is not wanted."""
        values = {
            "extensions": ["sphinx.ext.autodoc", *extensions, "scverse_backends.sphinx_ext"],
            "scverse_backends_dispatchers": ["cells:dispatcher"],
            "autodoc_typehints": "none",
            "html_theme": "basic",
            **configuration,
        }
        lines = [f"{name} = {value!r}\n" for name, value in values.items()]
        (self.folder / "conf.py").write_text("".join(lines), encoding="utf-8")
        app = SphinxTestApp(builder, self.folder, parallel=parallel)
        try:
            app.build()
            self.status, self.warnings = app.status.getvalue(), app.warning.getvalue()
        finally:
            app.cleanup()
        if strict:
            assert self.warnings == ""
        return self

    def page(self, name="index", builder="text"):
        """Read a built page."""
        ending = {"text": "txt"}.get(builder, builder)
        return (self.folder / "_build" / builder / f"{name}.{ending}").read_text(encoding="utf-8")

    def lines(self, name="index"):
        """Read a built page of text, line by line and without what is empty."""
        return [line.strip() for line in self.page(name).splitlines() if line.strip()]


@pytest.fixture
def documentation(tmp_path, monkeypatch):
    """Give an empty documentation, whose pages of text have lines of any length."""
    monkeypatch.setattr("sphinx.writers.text.MAXWIDTH", 1000)
    folder = tmp_path / "documentation"
    folder.mkdir()
    return Documentation(folder)
