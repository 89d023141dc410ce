"""Host functions of many shapes, and a backend that adds to each."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

DATA = Path(__file__).parents[3] / "data" / "docstrings"


def loaded(name):
    spec = spec_from_file_location(f"docstrings_{name}", DATA / f"{name}.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def hosts():
    """Give the host module, fresh."""
    return loaded("hosts")


@pytest.fixture
def backend():
    """Give the backend's adapter, a module."""
    return loaded("backend")


@pytest.fixture
def dispatch(dispatcher):
    """Dispatch a function or a class by its own name."""

    def dispatch(shape):
        if isinstance(shape, type):
            return dispatcher.backend_class(shape)
        return dispatcher.backend_dispatch(shape)

    return dispatch


@pytest.fixture
def dispatcher(make_dispatcher):
    """Give a host that does not mind who made a backend: these tests are about what it shows."""
    return make_dispatcher(untrusted="allow")
