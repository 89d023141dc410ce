"""Hosts: from ``module:attribute`` to the dispatcher that stands there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from scverse_backends._dispatcher import BackendDispatcher
from scverse_backends._labels import closest
from scverse_backends._loading import import_host

from .arguments import MisuseError

if TYPE_CHECKING:
    from argparse import Namespace
    from types import ModuleType

    from .console import Console


def find(options: Namespace, console: Console) -> BackendDispatcher:
    """Import the dispatcher that a command is about, and what else it was told to import.

    Raises
    ------
    MisuseError
        If there is none.
    """
    module, _, path = options.dispatcher.partition(":")
    # As `python -m` does: a host under development is found where the user stands.
    if "" not in sys.path:
        sys.path.insert(0, "")
    with console.progress(f"importing {module}"):
        home, *_ = [_import(name) for name in (module, *options.modules)]
    if not path:
        msg = f"name the dispatcher as module:attribute{_nearby(home, module)}"
        raise MisuseError(msg)
    found: Any = home
    for name in path.split("."):
        found = _attribute(found, name, module)
    if not isinstance(found, BackendDispatcher):
        kind = type(found).__name__
        msg = f"{options.dispatcher} is a {kind}, no BackendDispatcher{_nearby(home, module)}"
        raise MisuseError(msg)
    return found


def _import(name: str) -> ModuleType:
    try:
        return import_host(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        problem = f"{type(error).__name__}: {error}"
        msg = f"cannot import {name!r} ({problem})"
        raise MisuseError(msg) from error


def _attribute(owner: Any, name: str, module: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError:
        meant = closest(name, _dispatchers(owner) or dir(owner)) or closest(name, dir(owner))
        hint = f"; did you mean {meant!r}?" if meant else _nearby(owner, module)
        msg = f"{module} has no attribute {name!r}{hint}"
        raise MisuseError(msg) from None


def _nearby(home: Any, module: str) -> str:
    """Name the dispatchers that a module has."""
    there = [f"{module}:{name}" for name in _dispatchers(home)]
    return f"; there is {' and '.join(there)}" if there else ""


def _dispatchers(owner: Any) -> list[str]:
    names = sorted(getattr(owner, "__dict__", {}))
    return [name for name in names if isinstance(vars(owner)[name], BackendDispatcher)]
