"""Give ``scanpy.settings`` what selects backends."""

from __future__ import annotations

from typing import Any

import scanpy

from scverse_backends import Settings


def extend_settings(settings: Settings) -> None:
    """Show the public members of a dispatcher's settings on ``scanpy.settings``.

    That is a class, so its properties have to be on its metaclass. Each
    member delegates: the selection has one home, and that is the dispatcher.

    Parameters
    ----------
    settings
        The settings of scanpy's dispatcher.
    """
    metaclass = type(scanpy.settings)
    for name in dir(settings):
        if not name.startswith("_") and not hasattr(metaclass, name):
            setattr(metaclass, name, _delegate(settings, name))


def _delegate(settings: Settings, name: str) -> Any:
    member = getattr(type(settings), name)
    if not isinstance(member, property):
        return staticmethod(getattr(settings, name))

    def get(_: object) -> Any:
        return getattr(settings, name)

    def put(_: object, value: Any) -> None:
        setattr(settings, name, value)

    return property(get, put if member.fset else None, doc=member.__doc__)
