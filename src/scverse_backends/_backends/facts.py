"""Facts: what an adapter states about itself, each in one place.

Loading reads every fact from the adapter. A new fact is one more line of `FACTS`,
one attribute of `LoadedBackend`, and the place that acts on it. One that a
manifest is to carry too (`compared`) is also read, written and stood in for:
see `manifest`, `offers` and `stand_in`.
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


def _read_renames(value: Any) -> dict[str, dict[str, str]]:
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


_NO_FIXED = "its `fixed` must be {function: {host parameter: value}}"


def _read_fixed(value: Any) -> dict[str, dict[str, Any]]:
    """Copy ``{function: {host parameter: value}}``, what the adapter always does."""
    if not isinstance(value, Mapping):
        raise AdapterError(_NO_FIXED)
    found = {plain_str(function): values for function, values in value.items()}
    for function, values in found.items():
        named = isinstance(values, Mapping) and all(isinstance(name, str) for name in values)
        if not (isinstance(function, str) and named):
            raise AdapterError(_NO_FIXED)
    return {function: dict(values) for function, values in found.items()}


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


def _plain(renames: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {function: dict(pairs) for function, pairs in renames.items()}


FACTS = (
    Fact("name", None, _read_name, compared=str),
    Fact("aliases", (), _read_aliases, compared=_sorted_text),
    Fact("renames", {}, _read_renames, compared=_plain),
    Fact("fixed", {}, _read_fixed, compared=None),
    Fact("should_run", None, partial(_read_hook, "should_run"), compared=None),
    Fact("can_run", None, partial(_read_hook, "can_run"), compared=None),
)
"""Every fact, in the order in which a manifest holds them."""

ABOUT_ITSELF = tuple(fact.name for fact in FACTS)
"""Names that are no implementations, whatever a host calls its functions."""
