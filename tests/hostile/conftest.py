"""A site with one package that is fine and one that is not, and a host that meets them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .corpus import members
from .host import NAME, serve

FINE = """
name = "fine"
aliases = ["good"]

def double(values, *, copy=False):
    return [value + value for value in values]

def scale(values, factor=2, *, copy=False):
    return [value * factor for value in values]
"""


def pytest_generate_tests(metafunc):
    if "member" in metafunc.fixturenames:
        alone = metafunc.definition.get_closest_marker("alone") is not None
        import os
        wanted = [member for member in members() if member.alone is alone and os.environ.get("HOSTILE_FAMILY","") in member.family]
        metafunc.parametrize("member", wanted, ids=lambda member: member.id)


@pytest.fixture
def host(site, make_dispatcher, monkeypatch):
    """A host with a package that is fine."""
    site.install(
        "fine-backend", entry_points={"fine": "fine_backend"}, modules={"fine_backend": FINE}
    )
    monkeypatch.setenv("SCVERSE_BACKENDS_BLOCK", "blocked")
    yield serve(
        make_dispatcher(
            trusted_backends={"vouched": {"package": "vouched-backend"}},
            reserved_backends={"gpu": "Say which one."},
        )
    )
    del sys.modules[NAME]


@pytest.fixture
def installed(site, host, member, monkeypatch):
    """The same host, beside which one member of the corpus is installed."""
    member.install(site)
    if member.zipped:
        monkeypatch.syspath_prepend(str(site.folder / f"{member.home}.zip"))
    return host


@pytest.fixture
def folder():
    return Path(__file__).parent
