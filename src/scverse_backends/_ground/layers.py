"""Layers: the decorators that a host puts around one of its public functions."""

from __future__ import annotations

import sys
from typing import Any

_MOST_LAYERS = 50  # decorators around one function; more are a circle


def layers(public: Any) -> list[Any]:
    """Give a public callable, and the decorators around it under its name."""
    home = getattr(sys.modules.get(public.__module__), "__dict__", {})
    around: list[Any] = []
    found = home.get(public.__name__)
    while found is not None and found is not public and len(around) < _MOST_LAYERS:
        around.append(found)
        found = getattr(found, "__wrapped__", None)
    return [public, *around] if found is public else [public]
