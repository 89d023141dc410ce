"""Let separately installed packages run a scientific library's functions."""

from __future__ import annotations

from .dispatcher import BackendDispatcher
from .settings import Settings

__all__ = ["BackendDispatcher", "Settings"]

__version__ = "0.1.0"
