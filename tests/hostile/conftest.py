"""A site with one package that is fine and one that is not, and a host that meets them."""

import os
import sys

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


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: starts a process for each package")


def pytest_generate_tests(metafunc):
    if "member" in metafunc.fixturenames:
        alone, asked = "alone" in metafunc.definition.keywords, os.environ.get("HOSTILE_ALONE")
        wanted = [m for m in members() if (m.id == asked if asked else m.alone is alone)]
        metafunc.parametrize("member", wanted, ids=lambda member: member.id)


@pytest.fixture
def host(site, make_dispatcher, monkeypatch):
    """A host with a package that is fine."""
    site.backend("fine", FINE)
    for variable in ("EXAMPLE_HOST_BACKEND", "EXAMPLE_HOST_BACKEND_FALLBACK"):
        monkeypatch.delenv(variable, raising=False)
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
