"""Addresses: from ``module:attribute`` to the dispatcher that stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scverse_backends._backends.loading import import_host
from scverse_backends._ground.labels import closest
from scverse_backends.dispatcher import BackendDispatcher

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType


class NoDispatcherError(LookupError):
    """There is no dispatcher where somebody said there is; the text says what is there."""


def dispatcher_at(address: str, modules: Iterable[str] = ()) -> BackendDispatcher:
    """Import a host's dispatcher.

    Parameters
    ----------
    address
        Where it is, as ``module:attribute``.
    modules
        What else to import, for hosts that import parts of themselves late.

    Raises
    ------
    NoDispatcherError
        If it is not there, or something cannot be imported.
    """
    module, _, path = address.partition(":")
    home, *_ = [_import(name) for name in (module, *modules)]
    if not path:
        msg = f"name the dispatcher as module:attribute{_nearby(home, module)}"
        raise NoDispatcherError(msg)
    found: Any = home
    for name in path.split("."):
        found = _attribute(found, name, module)
    if not isinstance(found, BackendDispatcher):
        kind = type(found).__name__
        msg = f"{address} is a {kind}, no BackendDispatcher{_nearby(home, module)}"
        raise NoDispatcherError(msg)
    return found


def _import(name: str) -> ModuleType:
    try:
        return import_host(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        problem = f"{type(error).__name__}: {error}"
        msg = f"cannot import {name!r} ({problem})"
        raise NoDispatcherError(msg) from error


def _attribute(owner: Any, name: str, module: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError:
        meant = closest(name, _dispatchers(owner) or dir(owner)) or closest(name, dir(owner))
        hint = f"; did you mean {meant!r}?" if meant else _nearby(owner, module)
        msg = f"{module} has no attribute {name!r}{hint}"
        raise NoDispatcherError(msg) from None


def _nearby(home: Any, module: str) -> str:
    """Name the dispatchers that a module has."""
    there = [f"{module}:{name}" for name in _dispatchers(home)]
    return f"; there is {' and '.join(there)}" if there else ""


def _dispatchers(owner: Any) -> list[str]:
    names = sorted(getattr(owner, "__dict__", {}))
    return [name for name in names if isinstance(vars(owner)[name], BackendDispatcher)]
