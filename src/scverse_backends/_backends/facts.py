"""Facts: what an adapter states about itself, all of them in one table.

A new fact is one more line of `FACTS` with a function that reads it, one attribute of
`LoadedBackend`, and the place that acts on it. Whether a manifest carries it, and how,
stands in its line: from there manifests are written, read, compared and stood in for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.callables import is_coroutine_function
from scverse_backends._ground.labels import fault
from scverse_backends._ground.safe_repr import plain_str, safe_repr

if TYPE_CHECKING:
    from collections.abc import Callable


class AdapterError(Exception):
    """An adapter is not what an adapter must be; the text says in which way."""


class Fact(NamedTuple):
    """One thing that an adapter may state about itself.

    Parameters
    ----------
    name
        The adapter's attribute, and a manifest's key.
    default
        What holds for an adapter without it; ``None`` where every adapter must have it.
    read
        Checks a value and copies it; raises `AdapterError` if it is not valid.
    held_as
        How a manifest holds it: `str`, `bool`, `list` (of strings) or `dict` (by function, tables
        of strings). ``None`` for a fact that no text can state, which manifests leave out.
    is_code
        Whether the strings of its tables are values as Python writes them.
    """

    name: str
    default: Any
    read: Callable[[Any], Any]
    held_as: type | None = None
    is_code: bool = False


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


def facts_as_held(backend: Any, code: Callable[[Any], str]) -> dict[str, Any]:
    """Give the facts of a backend as its manifest holds them; ``code`` writes a Python value."""
    return {
        fact.name: _as_held(fact, getattr(backend, fact.name), code)
        for fact in FACTS
        if fact.held_as
    }


def _as_held(fact: Fact, value: Any, code: Callable[[Any], str]) -> Any:
    if fact.is_code:
        return {
            function: {name: code(held) for name, held in given.items()}
            for function, given in value.items()
        }
    return sorted(map(str, value)) if fact.held_as is list else value


def difference(said: Any, found: Any) -> str | None:
    """Tell in which fact a manifest differs from its adapter, which is right."""
    from .signature_text import literal_text  # here: only a manifest is compared

    theirs, ours = (facts_as_held(one, literal_text) for one in (said, found))
    for name, value in theirs.items():
        if value != ours[name]:
            return f"has the {name} {value!r}, and the adapter {ours[name]!r}"
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


FACTS = (
    Fact("name", None, _read_name, str),
    Fact("aliases", (), _read_aliases, list),
    Fact("renames", {}, _read_renames, dict),
    Fact("fixed", {}, _read_fixed, dict, is_code=True),
    Fact("should_run", None, partial(_read_hook, "should_run")),
    Fact("can_run", None, partial(_read_hook, "can_run")),
)
"""Every fact, in the order in which a manifest holds them."""

ABOUT_ITSELF = tuple(fact.name for fact in FACTS)
"""Names that are no implementations, whatever a host calls its functions."""
