"""A host class, a backend's class of the same name, and every way of constructing it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest


@pytest.fixture
def offer(dispatcher):
    """Register a backend of this process: ``offer(Model=cls, renames={...})``."""

    def offer(name="mine", **attributes):
        return dispatcher.register(SimpleNamespace(name=name, **attributes))

    return offer


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
