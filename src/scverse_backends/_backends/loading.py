"""Loading: the only module that imports adapters, and what it reads from them once they are there."""

from __future__ import annotations

import inspect
import sys
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.callables import making, signature_of
from scverse_backends._ground.records import LoadedBackend
from scverse_backends._ground.safe_repr import attempt, describe_error, error_text, safe_repr
from scverse_backends.exceptions import BackendLoadError, UntrustedBackendError

from .discovery import shadowing_file
from .facts import AdapterError, read_facts, remarks
from .load_lock import CircularWaitError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from types import ModuleType

    from scverse_backends._ground.records import Candidate
    from scverse_backends.exceptions import BackendError

    from .manifest import Manifest
    from .trust import Claims

    Outcome = LoadedBackend | BackendError
    Judge = Callable[[LoadedBackend], Claims]

ABSENT: Any = object()
"""Stands for "this adapter does not implement it"."""


class Reading(NamedTuple):
    """What a manifest, or loading the adapter itself, says of a backend.

    Parameters
    ----------
    outcome
        The backend, or why it cannot be used; ``None`` where a manifest says nothing
        and the adapter must be asked. A backend of a manifest cannot run anything.
    problems
        One sentence for each thing that is not accepted.
    manifest
        The manifest behind it.
    """

    outcome: Outcome | None = None
    problems: tuple[str, ...] = ()
    manifest: Manifest | None = None


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


def read_manifest(candidate: Candidate, judge: Judge, host: str) -> Reading:
    """Read the manifest of a backend that is not refused; none of the backend's code runs.

    Parameters
    ----------
    candidate
        The backend.
    judge
        Judges the labels that it claims.
    host
        Name of the host.
    """
    # Imported here: most runs never need a manifest, and hosts pay for imports.
    with making:
        from .manifest import ManifestError

    try:
        manifest, backend = _stand_in(candidate)
    except ManifestError as error:
        return _unusable(f"its manifest {error}")
    except AdapterError as error:
        return _unusable(f"its manifest says what no adapter may: {error}")
    if backend is None:
        return Reading()
    claims = judge(backend)
    if claims.is_blocked:
        return Reading(about(UntrustedBackendError, candidate, host, reason=claims.refused))
    if claims.refused:
        return _unusable(f"its manifest claims what is not its own: {claims.refused}")
    return Reading(backend.under(aliases=claims.aliases), claims.problems, manifest)


def _stand_in(candidate: Candidate) -> tuple[Manifest | None, LoadedBackend | None]:
    """Make the backend that a candidate's manifest describes, if it ships one."""
    with making:
        from .manifest import find, parse
        from .stand_in import stand_in

    data = find(candidate)
    manifest = None if data is None else parse(data)
    if manifest is None or manifest.adapter not in (None, candidate.value):
        return None, None
    adapter, described = stand_in(manifest)
    return manifest, describe(adapter, candidate, described)


def _unusable(problem: str) -> Reading:
    return Reading(problems=(f"{problem}. The adapter is asked instead.",))


def load_adapter(candidate: Candidate, judge: Judge, host: str) -> Reading:
    """Import and describe an adapter; whatever it raises becomes its error.

    Parameters
    ----------
    candidate
        The backend.
    judge
        Judges the labels that it claims.
    host
        Name of the host.
    """

    def failed(error: BaseException) -> Reading:
        failure = load_error(error, candidate.name, host, candidate)
        shadowing = shadowing_file(candidate)
        if shadowing:
            failure.problem += f" (it imported {shadowing}, which is no file of the package)"
        return Reading(failure)

    def load() -> Reading:
        loaded = describe(import_reference(candidate.value), candidate)
        claims = judge(loaded)
        if claims.refused:
            return Reading(about(UntrustedBackendError, candidate, host, reason=claims.refused))
        problems = (*claims.problems, *remarks(loaded.adapter))
        return Reading(loaded.under(aliases=claims.aliases), problems)

    return attempt(load, failed)


def about(kind: Callable[..., Any], candidate: Candidate, host: str, **data: Any) -> Any:
    """Make an error or warning about one candidate."""
    name, _, distribution, version = candidate
    return kind(name, host=host, distribution=distribution, version=version, **data)


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
