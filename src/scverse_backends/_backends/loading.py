"""Loading: the only module that imports adapters, and fetches what they offer."""

from __future__ import annotations

import inspect
import sys
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.callables import signature_of
from scverse_backends._ground.records import ABSENT, LoadedBackend
from scverse_backends._ground.safe_repr import describe_error, error_text, safe_repr
from scverse_backends.exceptions import BackendLoadError

from .facts import AdapterError, read_facts
from .load_lock import CircularWaitError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import ModuleType

    from scverse_backends._ground.records import Candidate


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
    source: Any, candidate: Candidate | None, described: Mapping[str, Any] | None = None
) -> LoadedBackend:
    """Read what an adapter states about itself; a class is instantiated first.

    Raises
    ------
    AdapterError
        If the adapter has no valid name, or another fact of the wrong kind.
    """
    adapter = _instance(source) if inspect.isclass(source) else source
    return LoadedBackend(adapter, candidate, described, read_facts(adapter))


def load_error(
    error: BaseException, backend: str, host: str, candidate: Candidate | None
) -> BackendLoadError:
    """Make what an adapter raised into an error that names it."""
    # An error of ours says what happened without its class.
    ours = type(error) in (AdapterError, CircularWaitError)
    failure = BackendLoadError(
        backend,
        host=host,
        distribution=candidate.distribution if candidate else None,
        version=candidate.version if candidate else None,
        entry_point=candidate.value if candidate else None,
        problem=error_text(error) if ours else describe_error(error),
    )
    failure.__cause__ = error
    return failure


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
        offered = None if promised else exported(found)
        if offered is not None and name not in offered and function not in offered:
            return ABSENT
        promised = promised or (offered is not None and function in offered)
        listed = promised or offered is not None
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
    if not inspect.isclass(public) or found is ABSENT or inspect.isclass(found):
        return
    if not _is_mock(found):
        msg = (
            f"it offers {function!r}, a class of the host, as {safe_repr(found)}, which is no class"
        )
        raise AdapterError(msg)


def _is_mock(found: Any) -> bool:
    """Whether a test put one of Python's mocks in the place of something, which stands for any."""
    mock = sys.modules.get("unittest.mock")
    return mock is not None and isinstance(found, mock.NonCallableMock)


def exported(namespace: Any) -> Collection[Any] | None:
    """Read a namespace's ``__all__``; ``None`` where there is none."""
    names = getattr(namespace, "__all__", None)
    if names is not None and not isinstance(names, (list, tuple, set, frozenset)):
        msg = f"its `__all__` must be a list or tuple of names, not {safe_repr(names)}"
        raise AdapterError(msg)
    return names


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

    ``from copy import copy`` in an adapter does not implement a host's ``copy``, and no namespace
    implements a method ``__init__`` by having that of `object`.
    """
    if inspect.ismodule(found):
        return True
    # The module of any other object is that of its class, wherever the object was made;
    # a partial is no routine before Python 3.14.
    routine = inspect.isroutine(found) and not isinstance(found, partial)
    if not (routine or inspect.isclass(found)):
        return False
    # A method in C has no module; its class has one. A method of an object is the adapter's own.
    bound = getattr(found, "__self__", None)
    owners = (
        found,
        getattr(found, "__objclass__", None),
        bound if inspect.isclass(bound) else None,
    )
    homes = (getattr(owner, "__module__", None) for owner in owners)
    home = next((home for home in homes if isinstance(home, str)), "")
    return home.partition(".")[0] in sys.stdlib_module_names
