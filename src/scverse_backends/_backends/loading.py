"""Loading: the only module that imports adapters, and what it asks of them once they are there.

What an adapter states about itself is a fact. A new one is one more line of `FACTS`,
one attribute of `LoadedBackend`, and the place that acts on it. One that a
manifest is to carry too (`compared`) is also read, written and stood in for:
see `manifest` and `offers`.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.callables import is_coroutine_function, signature_of
from scverse_backends._ground.labels import fault
from scverse_backends._ground.records import ABSENT, LoadedBackend
from scverse_backends._ground.safe_repr import describe_error, error_text, plain_str, safe_repr
from scverse_backends.exceptions import BackendLoadError

from .load_lock import CircularWaitError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import ModuleType

    from scverse_backends._ground.records import Candidate


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


class Fact(NamedTuple):
    """One thing that an adapter may state about itself.

    Parameters
    ----------
    name
        The adapter's attribute.
    default
        What holds for an adapter without it.
    read
        Checks a value and copies it; raises `AdapterError` if it is not valid.
    compared
        Gives what of a value that was read must be the same in a manifest; ``None`` for a fact
        that no text can state, which manifests leave out.
    """

    name: str
    default: Any
    read: Callable[[Any], Any]
    compared: Callable[[Any], Any] | None


def read_facts(adapter: Any) -> dict[str, Any]:
    """Read every fact of an adapter.

    Raises
    ------
    AdapterError
        If one of them is not valid.
    """
    return {fact.name: fact.read(getattr(adapter, fact.name, fact.default)) for fact in FACTS}


def remarks(adapter: Any) -> tuple[str, ...]:
    """Say what of an adapter's facts is accepted, and had better be written in another way."""
    aliases = plain_str(getattr(adapter, "aliases", ()))
    if type(aliases) is not str:
        return ()
    return (f"its `aliases` is a string and taken as one alias; write aliases = [{aliases!r}]",)


def difference(said: Any, found: Any) -> str | None:
    """Tell in which fact a manifest differs from its adapter, which is right."""
    for fact in FACTS:
        if fact.compared is not None:
            theirs, ours = (fact.compared(getattr(one, fact.name)) for one in (said, found))
            if theirs != ours:
                return f"has the {fact.name} {theirs!r}, and the adapter {ours!r}"
    return None


def _read_name(value: Any) -> str:
    name = plain_str(value)
    problem = fault(name)
    if name is None:
        msg = "it has no `name`; give it one, such as name = 'mine'"
        raise AdapterError(msg)
    if problem:
        msg = f"its `name` is not valid: {problem}"
        raise AdapterError(msg)
    return str(name)


def _read_aliases(value: Any) -> tuple[Any, ...]:
    """Copy the aliases; one that is not valid is left for the host to refuse."""
    if value is None:
        return ()
    if isinstance(value, str) and not fault(value):
        return (plain_str(value),)
    if not isinstance(value, (list, tuple, set, frozenset)):
        msg = f"its `aliases` must be a list, tuple or set of strings, not {safe_repr(value)}"
        raise AdapterError(msg)
    aliases = tuple(map(plain_str, value))
    # A set has another order in every run.
    return tuple(sorted(aliases, key=safe_repr)) if isinstance(value, (set, frozenset)) else aliases


_NO_RENAMES = "its `renames` must be {function: {host parameter: own parameter}}"
_NO_FIXED = "its `fixed` must be {function: {host parameter: value}}"


def _by_function(value: Any, wrong: str) -> dict[str, dict[Any, Any]]:
    """Copy ``{function: {host parameter: ...}}``, and check what was copied."""
    if not isinstance(value, Mapping):
        raise AdapterError(wrong)
    found = {plain_str(function): named for function, named in value.items()}
    if not all(isinstance(f, str) and isinstance(named, Mapping) for f, named in found.items()):
        raise AdapterError(wrong)
    return {f: {plain_str(name): held for name, held in n.items()} for f, n in found.items()}


def _read_renames(value: Any) -> dict[str, dict[str, str]]:
    renames = {}
    for function, named in _by_function(value, _NO_RENAMES).items():
        pairs = {ours: plain_str(theirs) for ours, theirs in named.items()}
        if not all(isinstance(name, str) for name in (*pairs, *pairs.values())):
            msg = f"its `renames[{safe_repr(function)}]` must map names to names"
            raise AdapterError(msg)
        if len(set(pairs.values())) < len(pairs):
            msg = f"its `renames[{safe_repr(function)}]` give two parameters the same name"
            raise AdapterError(msg)
        renames[function] = pairs
    return renames


def _read_fixed(value: Any) -> dict[str, dict[str, Any]]:
    fixed = _by_function(value, _NO_FIXED)
    if not all(isinstance(name, str) for values in fixed.values() for name in values):
        raise AdapterError(_NO_FIXED)
    return fixed


def _read_hook(name: str, value: Any) -> Any:
    """Check a function that is asked about each call."""
    if value is not None and not callable(value):
        msg = f"its `{name}` must be callable, not {safe_repr(value)}"
        raise AdapterError(msg)
    if value is not None and is_coroutine_function(value):
        msg = f"its `{name}` must be a plain function; nothing awaits a coroutine function's answer"
        raise AdapterError(msg)
    return value


def _sorted_text(aliases: tuple[Any, ...]) -> list[str]:
    return sorted(alias for alias in aliases if type(alias) is str)


def _as_literals(fixed: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    from .signature_text import literal_text  # here: only a manifest is compared

    return {
        function: {name: literal_text(value) for name, value in given.items()}
        for function, given in fixed.items()
    }


FACTS = (
    Fact("name", None, _read_name, compared=str),
    Fact("aliases", (), _read_aliases, compared=_sorted_text),
    Fact("renames", {}, _read_renames, compared=dict),
    Fact("fixed", {}, _read_fixed, compared=_as_literals),
    Fact("should_run", None, partial(_read_hook, "should_run"), compared=None),
    Fact("can_run", None, partial(_read_hook, "can_run"), compared=None),
)
"""Every fact, in the order in which a manifest holds them."""

ABOUT_ITSELF = tuple(fact.name for fact in FACTS)
"""Names that are no implementations, whatever a host calls its functions."""


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
