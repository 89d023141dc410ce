"""Forwarding: how the arguments of one call reach an implementation, or why they cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.labels import quoted
from scverse_backends._ground.records import ABSENT
from scverse_backends._ground.safe_repr import short_repr

from .defaults import same, vagueness
from .parameters import bind, clearest_first, named_twice, off_default

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scverse_backends._ground.records import Refusal

    from .parameters import Given
    from .routes import Route

_REST = "*"
"""Where ``*args`` arrive; no parameter has this name."""


class Forwarding(NamedTuple):
    """How the arguments of one call reach the implementation at the end of a route."""

    route: Route
    given: Given
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    ignored: tuple[str, ...]
    received: tuple[tuple[str, str], ...]
    """Each argument that arrives: the name it was given, the name it is received under."""


def forward(route: Route, given: Given) -> Forwarding | Refusal:
    """Place the arguments of a call, or say which of them would be lost."""
    placed: dict[str, Any] = {}
    ignored: list[str] = []
    lost: list[str] = []
    twice: list[str] = []
    received: list[tuple[str, str]] = []
    for name, value, target, may_be_ignored in _placed(route, given):
        if target is None:
            (ignored if may_be_ignored else lost).append(name)
        elif target in placed:
            twice.append(target)
        else:
            placed[target] = value
            received.append((name, name if target is _REST else target))
    for target, default in route.supplied.items():
        placed.setdefault(target, default)
    refusal = _objection(route, placed, lost, twice) or _contradiction(route, given)
    if refusal is not None:
        return refusal
    args = _by_position(route, given, placed)
    return Forwarding(route, given, args, placed, tuple(ignored), tuple(received))


def without_repeats(route: Route, given: Given) -> Given:
    """Leave out what counts as not given, because another name of the same parameter says more."""
    aliases = route.function.aliases
    if not aliases:
        return given
    named = {
        name: value
        for name, value in given.named.items()
        if name not in aliases or _counts(route, given, name)
    }
    return given._replace(named=named)


def _counts(route: Route, given: Given, name: str) -> bool:
    """Whether one of several names of a parameter counts as given."""
    ours, named, targets = route.function.parameters, given.named, route.targets
    meant = off_default(ours, given, route.function.names_of(name))
    if name in meant:
        return True
    if meant:
        # By position it keeps its place, unless its value tells an implementation nothing.
        is_placed = name in ours.positional[: given.by_position]
        return is_placed and not vagueness(named[name]) and targets[name] != targets[meant[0]]
    first = route.arriving_with(name)[0]
    if name == first or not route.is_clearest(name):
        return name == first
    return first not in named or not (vagueness(named[name]) or same(named[name], named[first]))


def reaches(route: Route, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a call reaches an implementation, which is not asked about it."""
    ours = route.function.parameters
    given = bind(ours, args, kwargs)
    if isinstance(given, str) or named_twice(ours, given, route.function.aliases):
        return False
    return isinstance(forward(route, without_repeats(route, given)), Forwarding)


def _is_needless(route: Route, name: str, value: Any) -> bool:
    """Whether an argument need not arrive: it is the host's default, or held against what is fixed."""
    is_fixed = any(one in route.fixed for one in route.function.names_of(name))
    return is_fixed or same(value, route.function.parameters.defaults.get(name, ABSENT))


def _placed(route: Route, given: Given) -> Iterator[tuple[str, Any, str | None, bool]]:
    """Pair every argument with its target; a host-only one at its default counts as not given."""
    function = route.function
    for name, value in given.named.items():
        target = route.targets[name]
        if target is not None or not _is_needless(route, name, value):
            yield name, value, target, name in function.ignorable
    for name, target in route.extra_targets(given).items():
        value, own = given.extra[name], function.own_name(name)
        has_it = own != name
        if target is not None or not (has_it and _is_needless(route, own, value)):
            ignorable = has_it or function.parameters.takes_kwargs
            yield name, value, target, ignorable and name in function.ignorable
    if given.rest:
        name = str(function.parameters.rest)
        yield name, given.rest, _REST if route.takes_rest else None, name in function.ignorable


def _objection(
    route: Route, placed: Mapping[str, Any], lost: Sequence[str], twice: Sequence[str]
) -> Refusal | None:
    """Refuse a call that would lose, double or miss an argument."""
    missing = sorted(route.parameters.required.difference(placed))
    reasons = []
    if lost:
        reasons.append(f"does not take {quoted(lost)}")
    if twice:
        reasons.append(f"would receive {quoted(twice)} twice")
    if missing:
        never = route.out_of_reach.issuperset(missing)
        gives = "no call can give" if never else "the call does not give"
        reasons.append(f"needs {quoted(missing)}, which {gives}")
    if not reasons:
        return None
    said = " and ".join(reasons)
    return route.refuse("; ".join((said, *_rename_faults(route))) if lost or missing else said)


def _contradiction(route: Route, given: Given) -> Refusal | None:
    """Refuse a call that means something else than what the adapter always does."""
    sources = (given.named, given.extra, route.function.parameters.defaults)
    for name, value in route.fixed.items():
        names = clearest_first(route.function.parameters, route.function.names_of(name))
        asked = next(
            ((one, found[one]) for found in sources for one in names if one in found), None
        )
        if asked and not same(asked[1], value):
            always, means = (f"{n}={short_repr(v)}" for n, v in ((name, value), asked))
            return route.refuse(f"always works with {always}, and the call means {means}")
    return None


def _rename_faults(route: Route) -> Iterator[str]:
    """Say which renames of the adapter cannot work, because a name is on neither side."""
    ours, theirs = route.function.parameters, route.parameters
    for name, target in route.declared.items():
        rename = f"its rename {{{name!r}: {target!r}}}"
        if not route.function.takes(name):
            swapped = target in ours.names and name in theirs.names
            hint = "; write it the other way round" if swapped else ""
            yield f"{rename} begins with {name!r}, which the host does not take{hint}"
        elif target not in theirs.names and not theirs.takes_kwargs:
            yield f"{rename} leads to {target!r}, which it does not take"


def _by_position(route: Route, given: Given, placed: dict[str, Any]) -> tuple[Any, ...]:
    """Take out what is handed over by position: what came so and stands there, and what has no name.

    A gap is filled with the implementation's default.
    """
    parameters = route.parameters
    nameless = [name for name in parameters.positional if name in parameters.positional_only]
    while nameless and nameless[-1] not in placed:
        nameless.pop()
    count = max(min(given.by_position, route.aligned), len(nameless))
    rest = placed.pop(_REST, ())
    first = (
        placed.pop(name) if name in placed else parameters.defaults[name]
        for name in parameters.positional[:count]
    )
    return (*first, *rest)
