"""Running the command line as ``python -m scverse_backends`` does, inside this process."""

from __future__ import annotations

import runpy
import sys
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Ran:
    """What one run left behind."""

    status: int
    out: str
    err: str

    @property
    def said(self):
        """The output as one line, however it was wrapped."""
        return " ".join(self.out.split())


@pytest.fixture(autouse=True)
def nothing_selected(monkeypatch):
    """The variables of the shell that runs the tests do not count."""
    for name in ("NO_COLOR", "FORCE_COLOR", "EXAMPLE_HOST_BACKEND", "SCVERSE_BACKENDS_BLOCK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command line, given as its words."""

    monkeypatch.setattr(sys, "path", [*sys.path])

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["scverse-backends", *words])
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("scverse_backends", run_name="__main__")
        return Ran(ended.value.code or 0, *capsys.readouterr())

    return run


@pytest.fixture
def host(site):
    """Write a host whose dispatcher is ``cells:dispatcher``, and give its group."""
    site.write(
        "cells.py",
        """
        from scverse_backends import BackendDispatcher
        dispatcher = BackendDispatcher(
            entrypoint_group="cells.backends",
            host_name="cells",
            trusted_backends={"fast": {"aliases": ["quick"], "package": "fast-cells"}},
            reserved_backends={"gpu": "Name the one you mean."},
            ignorable=["n_jobs"],
        )
        @dispatcher.backend_dispatch
        def scale(values, factor=1.0, *, n_jobs=1):
            return [value * factor for value in values]
        @dispatcher.backend_dispatch
        def cluster(values, n_clusters=8, *, seed=0):
            return [0 for _ in values]
        """,
    )
    return "cells.backends"


@pytest.fixture
def bare(site):
    """Write a host with one function, ``bare:dispatcher``; give its group, for which nothing is there."""
    source = """
        from scverse_backends import BackendDispatcher
        trusted = {"fast": {"package": "fast-x"}}
        dispatcher = BackendDispatcher(
            entrypoint_group="x.backends", host_name="x", trusted_backends=trusted
        )
        dispatcher.backend_dispatch(name="scale")(lambda values: 0)
    """
    site.write("bare.py", source)
    return "x.backends"
