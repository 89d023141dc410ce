"""A host that can be imported, for which ``fast`` and ``other`` are installed."""

import pytest


@pytest.fixture
def host(world):
    return world.load()
