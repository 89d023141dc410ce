"""From Python 3.14 on, annotations are evaluated when somebody looks; here they name what is never imported."""

import asyncio
import functools
import importlib
import inspect
import pydoc
import sys
import typing

import pytest

from scverse_backends import manifest
from scverse_backends.exceptions import BackendLoadError
from scverse_backends.testing import verify

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 14), reason="earlier annotations are evaluated at once"
)

HOST = '''
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from somewhere import AnnData


def scale(data: AnnData, factor: int = 3) -> AnnData:
    """Scale.

    Parameters
    ----------
    data
        The data.
    factor
        By how much.
    """
    return "host"


async def load(data: AnnData) -> AnnData:
    return "host"


def rows(data: AnnData) -> list[AnnData]:
    yield "host"


class Model:
    def __init__(self, data: AnnData, k: int = 2) -> None:
        self.made_by = "host"

    def fit(self, data: AnnData) -> AnnData:
        return "host"


@dataclass
class Record:
    data: AnnData
    made_by: str = "host"
'''
BACKEND = """
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elsewhere import Tiles

name = "fast"


def scale(data: Tiles, factor=3, *, tiles: Tiles = None) -> Tiles:
    return "fast"


async def load(data: Tiles) -> Tiles:
    return "fast"


def rows(data: Tiles) -> list[Tiles]:
    yield "fast"


class Model:
    def __init__(self, data: Tiles, k=2) -> None:
        self.made_by = "fast"


class Record:
    def __init__(self, data: Tiles, made_by: str = "fast") -> None:
        self.made_by = made_by
"""


@pytest.fixture
def host(site, dispatcher):
    """Import and decorate a host whose backend is installed."""
    site.write("deferred_host.py", HOST)
    site.install("fast", entry_points={"fast": "deferred_fast"}, modules={"deferred_fast": BACKEND})
    host = importlib.import_module("deferred_host")
    for name in ("scale", "load", "rows"):
        setattr(host, name, dispatcher.backend_dispatch(getattr(host, name)))
    for name in ("Model", "Record"):
        setattr(host, name, dispatcher.backend_class(getattr(host, name)))
    return host


@pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.UntrustedBackendWarning")
@pytest.mark.parametrize("ran_by", ["host", "fast"])
def test_every_kind_of_call_runs(dispatcher, host, ran_by):
    backend = "cpu" if ran_by == "host" else ran_by
    with dispatcher.settings.use_backend(backend):
        assert host.scale(1, factor=2) == ran_by
        assert asyncio.run(host.load(1)) == ran_by
        assert [*host.rows(1)] == [ran_by]
        assert host.Model(1, k=3).made_by == host.Record(1).made_by == ran_by
    assert dispatcher.settings.explain(host.scale, 1, backend=backend).backend == backend


@pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.UntrustedBackendWarning")
def test_backends_are_proved_and_described(dispatcher, host):
    found = verify(dispatcher, "fast")
    assert set(found.implemented) == {"scale", "load", "rows", "Model", "Record"}
    assert "error" not in {finding.severity for finding in found.findings}
    offers = manifest.describe("deferred_fast").offers
    assert offers["scale"].signature == "(data: Tiles, factor=3, *, tiles: Tiles = None) -> Tiles"


@pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.UntrustedBackendWarning")
def test_an_adapter_that_needs_an_argument_is_told_so(site, dispatcher, host):
    source = "class Adapter:\n    def __init__(self, tiles: Tiles): ..."
    site.install("needy", entry_points={"needy": "needy:Adapter"}, modules={"needy": source})
    with pytest.raises(BackendLoadError, match="must be one that can be made without arguments"):
        dispatcher.get_backend("needy")


@pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.UntrustedBackendWarning")
def test_signatures_and_documentation_are_shown(dispatcher, host):
    dispatcher.discover()
    assert "tiles" in inspect.signature(host.scale).parameters
    assert "factor: int = 3" in pydoc.plain(pydoc.render_doc(host.scale))
    assert "tiles" in host.scale.__doc__


def test_a_look_evaluates_them_as_behind_a_plain_wrapper(dispatcher, host):
    outer = functools.wraps(host.scale)(lambda *args, **kwargs: None)
    for func in (host.scale, outer):
        text = inspect.get_annotations(func, format=annotation_format("STRING"))
        selector = text.pop("backend")
        assert text == {"data": "AnnData", "factor": "int", "return": "AnnData"}
        assert selector == "typing.Any"
        found = inspect.get_annotations(func, format=annotation_format("FORWARDREF"))
        assert found["data"].__forward_arg__ == "AnnData"
        assert found["factor"] is int
        with pytest.raises(NameError, match="AnnData"):
            typing.get_type_hints(func)
    host.AnnData = list
    hints = {"data": list, "factor": int, "return": list, "backend": typing.Any}
    assert typing.get_type_hints(host.scale) == typing.get_type_hints(outer) == hints


def test_a_bound_method_is_decorated(dispatcher, host):
    fit = dispatcher.backend_dispatch(host.Model(1).fit)
    assert fit(1) == "host"
    assert "data: AnnData" in pydoc.plain(pydoc.render_doc(fit))


def annotation_format(name):
    """Give a format of `annotationlib`, which earlier Pythons do not have."""
    return getattr(importlib.import_module("annotationlib").Format, name)
