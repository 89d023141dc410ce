"""A host with one function, and one settings object for everything."""

from __future__ import annotations

from ._backends import dispatcher
from ._scaling import scale
from ._settings import settings

__all__ = ["dispatcher", "scale", "settings"]
