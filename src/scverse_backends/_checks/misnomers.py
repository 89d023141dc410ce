"""Misnomers: the names by which an adapter offers things, held against what the host has."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

from scverse_backends._backends.facts import ABOUT_ITSELF
from scverse_backends._backends.loading import ABSENT, fetch
from scverse_backends._ground.foreign import attempt
from scverse_backends._ground.labels import closest

from .findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from scverse_backends._ground.records import LoadedBackend


def examine(
    backend: LoadedBackend,
    functions: Mapping[str, Callable[..., Any]],
    implemented: Collection[str],
) -> Iterator[Finding]:
    """Tell which of an adapter's names lead nowhere.

    Parameters
    ----------
    backend
        The backend, loaded.
    functions
        The host's functions by dispatch name.
    implemented
        Those that the backend implements.
    """
    adapter, absent = backend.adapter, [name for name in functions if name not in implemented]
    # Whatever is asked of an adapter runs its code; one that fails here is told of by its functions.
    for name in attempt(lambda: [*_listed(adapter, functions)], lambda _: []):
        yield _unmatched(name, functions, absent)
    for name in attempt(lambda: [*_stray(adapter, functions)], lambda _: []):
        if closest(name, absent):
            yield _unmatched(name, functions, absent)
    for name in absent:
        if attempt(partial(_is_unlisted, adapter, name, functions[name]), lambda _: False):
            text = f"has {name!r} and does not offer it, because its __all__ does not list it"
            yield Finding("warning", "unlisted-name", name, text)
    for name in backend.renames:
        if name not in functions:
            meant = closest(name, functions)
            text = f"has renames for {name!r}, which is no function of the host{_ask(meant)}"
            yield Finding("error", "unknown-rename", name, text, None, meant)


def _unmatched(name: str, functions: Collection[str], absent: Collection[str]) -> Finding:
    """Judge a name that no host function has; beside one that nobody implements it is a slip."""
    slip = closest(name, absent)
    meant = slip or closest(name, functions)
    text = f"offers {name!r}, which is no function of the host{_ask(meant)}"
    return Finding("error" if slip else "warning", "unknown-name", name, text, None, meant)


def _ask(meant: str | None) -> str:
    return f"; did it mean {meant!r}?" if meant else ""


def _listed(namespace: Any, functions: Collection[str], prefix: str = "") -> Iterator[str]:
    """Give the names that a namespace lists, and no host function has."""
    for name in _exported(namespace):
        full = f"{prefix}{name}"
        inner = f"{full}."
        if any(function.startswith(inner) for function in functions):
            yield from _listed(getattr(namespace, name, None), functions, inner)
        elif full not in functions and name not in functions and full not in ABOUT_ITSELF:
            yield full


def _exported(namespace: Any) -> list[str]:
    return [name for name in getattr(namespace, "__all__", None) or () if isinstance(name, str)]


def _stray(adapter: Any, functions: Collection[str]) -> Iterator[str]:
    """Give the public functions of an adapter that lists nothing, and that no host function has."""
    if getattr(adapter, "__all__", None) is not None:
        return
    for name in dir(adapter):
        if name.startswith("_") or name in ABOUT_ITSELF or name in functions:
            continue
        found = inspect.getattr_static(adapter, name, None)
        if attempt(partial(inspect.isroutine, found), lambda _: False):
            yield name


def _is_unlisted(adapter: Any, name: str, host: Any) -> bool:
    """Whether an adapter has a function of its own that it does not hand out."""
    if fetch(adapter, name) is not ABSENT:
        return False
    found = adapter
    for part in name.split("."):
        found = getattr(found, part)
    return callable(found) and found is not host and getattr(host, "__wrapped__", None) is not found
