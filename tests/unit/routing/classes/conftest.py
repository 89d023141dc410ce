"""A host class, a backend's class of the same name, and every way of constructing it."""

import sys
from types import ModuleType

import pytest


@pytest.fixture
def dispatch(dispatcher):
    """Dispatch a class under the name ``Model``."""

    def dispatch(cls, **options):
        return dispatcher.backend_class(name="Model", **options)(cls)

    return dispatch


@pytest.fixture
def mine(dispatcher):
    """Select the backend ``mine``: ``with mine():``."""
    return lambda: dispatcher.settings.use_backend("mine")


@pytest.fixture
def importable(monkeypatch):
    """Make a class one that pickle finds under its name."""
    module = ModuleType("example_host_models")
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def importable(cls):
        cls.__module__, cls.__qualname__ = module.__name__, cls.__name__
        setattr(module, cls.__name__, cls)
        return cls

    return importable
