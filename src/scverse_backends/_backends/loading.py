"""Loading: the only module that imports adapters, and what it reads from them once they are there."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.callables import is_coroutine_function, signature_of
from scverse_backends._ground.labels import fault
from scverse_backends._ground.records import LoadedBackend
from scverse_backends._ground.safe_repr import plain_str, safe_repr

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import ModuleType

    from scverse_backends._ground.records import Candidate

ABSENT: Any = object()
"""Stands for "this adapter does not implement it"."""


_NO_RENAMES = "its `renames` must be {function: {host parameter: own parameter}}"


class AdapterError(Exception):
    """An adapter is not what an adapter must be; the text says in which way."""


def import_reference(reference: str) -> Any:
    """Import what an object reference names, ``package.module:attribute``."""
    module, _, path = reference.partition(":")
    found: Any = import_module(module.strip())
    for name in filter(None, path.strip().split(".")):
        found = getattr(found, name)
    return found


def import_host(module: str) -> ModuleType:
    """Import a module of a host, for a tool that was told its name."""
    return import_module(module)


def describe(
    source: Any,
    candidate: Candidate | None,
    described: Mapping[str, Any] | None = None,
) -> LoadedBackend:
    """Read an adapter's name, aliases and hooks; a class is instantiated first.

    Raises
    ------
    AdapterError
        If the adapter has no valid name, or hooks of the wrong kind.
    """
    adapter = _instance(source) if inspect.isclass(source) else source
    name = plain_str(getattr(adapter, "name", None))
    problem = fault(name)
    if name is None:
        msg = "it has no `name`; give it one, such as name = 'mine'"
        raise AdapterError(msg)
    if problem:
        msg = f"its `name` is not valid: {problem}"
        raise AdapterError(msg)
    return LoadedBackend(
        name=name,
        aliases=_aliases(getattr(adapter, "aliases", ())),
        adapter=adapter,
        renames=_renames(getattr(adapter, "renames", {})),
        can_run=_hook(getattr(adapter, "can_run", None)),
        candidate=candidate,
        described=described,
    )


def _instance(kind: type) -> Any:
    """Make an adapter of its class, without arguments."""
    try:
        return kind()
    except TypeError as error:
        if _can_be_made_without_arguments(kind):
            raise  # it was raised inside
        msg = f"its class must be one that can be made without arguments: {error}"
        raise AdapterError(msg) from error


def _can_be_made_without_arguments(kind: type) -> bool:
    try:
        signature_of(kind).bind()
    except TypeError:
        return False
    return True


def _aliases(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple, set, frozenset)):
        msg = f"its `aliases` must be a list, tuple or set of strings, not {safe_repr(value)}"
        raise AdapterError(msg)
    return tuple(map(plain_str, value))


def _renames(value: Any) -> Mapping[str, Mapping[str, str]]:
    """Copy ``{function: {host parameter: own parameter}}``, and check what was copied."""
    if not isinstance(value, Mapping):
        raise AdapterError(_NO_RENAMES)
    return {plain_str(function): _pairs(function, pairs) for function, pairs in value.items()}


def _pairs(function: Any, value: Any) -> dict[str, str]:
    if not (isinstance(function, str) and isinstance(value, Mapping)):
        raise AdapterError(_NO_RENAMES)
    pairs = {plain_str(ours): plain_str(theirs) for ours, theirs in value.items()}
    if not all(isinstance(name, str) for name in (*pairs, *pairs.values())):
        msg = f"its `renames[{safe_repr(function)}]` must map names to names"
        raise AdapterError(msg)
    if len(set(pairs.values())) < len(pairs):
        msg = f"its `renames[{safe_repr(function)}]` give two parameters the same name"
        raise AdapterError(msg)
    return pairs


def _hook(value: Any) -> Callable[[str, dict[str, Any]], object] | None:
    if value is not None and not callable(value):
        msg = f"its `can_run` must be callable, not {safe_repr(value)}"
        raise AdapterError(msg)
    if value is not None and is_coroutine_function(value):
        msg = "its `can_run` must be a plain function; nobody awaits a coroutine function's answer"
        raise AdapterError(msg)
    return value  # type: ignore[no-any-return]


def fetch(adapter: Any, function: str) -> Any:
    """Fetch an adapter's implementation of a host function, or `ABSENT`.

    A dotted name walks namespaces. A namespace that has ``__all__`` offers
    what it lists and nothing else.

    Raises
    ------
    AdapterError
        If a listed name cannot be fetched.
    Exception
        Whatever the adapter raises while it hands out the name.
    """
    found, walked, promised, listed = adapter, "", False, False
    for name in function.split("."):
        walked = f"{walked}.{name}" if walked else name
        exported = None if promised else _exported(found)
        if exported is not None and name not in exported and function not in exported:
            return ABSENT
        promised = promised or (exported is not None and function in exported)
        listed = promised or exported is not None
        found = _attribute(found, name, walked, listed=listed)
        if found is ABSENT:
            return ABSENT
    return ABSENT if not listed and _is_borrowed(found) else found


def check_kind(found: Any, public: Any, function: str) -> None:
    """Refuse what cannot stand in for a class of the host.

    Raises
    ------
    AdapterError
        If the host's is a class and the adapter's is none.
    """
    if found is not ABSENT and inspect.isclass(public) and not inspect.isclass(found):
        msg = (
            f"it offers {function!r}, a class of the host, as {safe_repr(found)}, which is no class"
        )
        raise AdapterError(msg)


def _exported(namespace: Any) -> Collection[str] | None:
    """Read a namespace's ``__all__``; ``None`` where there is none."""
    exported = getattr(namespace, "__all__", None)
    if exported is not None and not isinstance(exported, (list, tuple, set, frozenset)):
        msg = f"its `__all__` must be a list or tuple of names, not {safe_repr(exported)}"
        raise AdapterError(msg)
    return exported


def _attribute(namespace: Any, name: str, walked: str, *, listed: bool) -> Any:
    try:
        return getattr(namespace, name)
    except AttributeError as error:
        # An AttributeError about another name comes from code that ran to fetch this one.
        if not listed and error.name in (None, name):
            return ABSENT
        msg = f"it offers {walked!r}, which cannot be fetched: {error}"
        raise AdapterError(msg) from error


def _is_borrowed(found: Any) -> bool:
    """Whether an unlisted name was only imported by the adapter for its own use.

    ``from copy import copy`` in an adapter does not implement a host's ``copy``.
    """
    if inspect.ismodule(found):
        return True
    # The module of any other object is that of its class, wherever the object was made;
    # a partial is no routine before Python 3.14.
    routine = inspect.isroutine(found) and not isinstance(found, partial)
    if not (routine or inspect.isclass(found)):
        return False
    home = getattr(found, "__module__", None)
    return isinstance(home, str) and home.partition(".")[0] in sys.stdlib_module_names
