"""Routes: the compiled way to call one implementation of one host function.

Given a host function, an adapter's implementation and the arguments of a
call, it says how the call reaches the implementation, or why it cannot.
"""

from __future__ import annotations

import sys
from inspect import isclass, ismethod
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.callables import gives_coroutine, is_generator_function
from scverse_backends._ground.labels import quoted
from scverse_backends._ground.members import missing_members
from scverse_backends._ground.records import DefaultDifference, Refusal
from scverse_backends._ground.safe_repr import (
    attempt,
    describe_error,
    one_line,
    plain_str,
    short_repr,
)

from .aliases import one_of_each, second_place
from .parameters import (
    Given,
    Parameters,
    alike,
    bind,
    read,
    same,
    settle,
    without_signature,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from scverse_backends._ground.records import LoadedBackend

    from .host import HostFunction
    from .parameters import ParameterMap
    from .running import Running

MISSING = "does not implement it"
"""Why a backend cannot take any call of a function."""

_ABSENT = object()
_REST = "*"
"""Where ``*args`` arrive; no parameter has this name."""


class Forwarding(NamedTuple):
    """How the arguments of one call reach an implementation."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    ignored: tuple[str, ...]
    received: tuple[tuple[str, str], ...]
    """Each argument that arrives: the name it was given, the name it is received under."""


class Route:
    """How to call one implementation of one host function.

    Attributes
    ----------
    parameters
        What the implementation takes.
    declared, renames
        The adapter's renames, and with them where every name goes that means the same to the host.
    map
        Which of its parameters those of the host are meant for.
    targets
        The name under which each parameter of the host arrives; ``None`` if it does not.
    aligned
        How many of the host's first parameters stand at the same place here.
    takes_rest
        Whether the host's ``*args`` stand at the same place here.
    max_positional, keywords
        A call with at most this many positional arguments and with keywords
        only from this set reaches the implementation as it came.
    entry
        Stands among what a thread is inside of while it is inside the implementation.
    gives_generator
        Whether the implementation gives a generator, whose body runs later, where the host's does not.
    """

    __slots__ = (
        "_missing",
        "adapter",
        "aligned",
        "backend",
        "declared",
        "differing",
        "entry",
        "fixed",
        "function",
        "gives_generator",
        "implementation",
        "keywords",
        "map",
        "max_positional",
        "parameters",
        "renames",
        "supplied",
        "takes_rest",
        "targets",
        "underlying",
    )

    def __init__(
        self,
        function: HostFunction,
        backend: LoadedBackend,
        implementation: Callable[..., Any],
        parameters: Parameters,
        entry: tuple[Running, str],
        *,
        is_attribute: bool,
    ) -> None:
        self.function = function
        self.backend = backend
        self.adapter = backend.adapter
        self.implementation = implementation
        # A method is another object at each look, of the same function.
        self.underlying = (
            getattr(implementation, "__func__", _ABSENT) if ismethod(implementation) else _ABSENT
        )
        self.parameters = parameters
        self.entry = entry
        self._missing: tuple[tuple[str, tuple[str, ...]], ...] | None = None
        self.declared: Mapping[str, str] = backend.renames.get(function.name, {})
        self.fixed: Mapping[str, Any] = backend.fixed.get(function.name, {})
        self.map = function.map_to(self.declared, parameters)
        self.renames = self.map.renames
        reached, takes_any = parameters.names, parameters.takes_kwargs
        self.targets = {
            n: t if t in reached or takes_any else None for n, t in self.map.targets.items()
        }
        differing = _differing(function.parameters, parameters, self.map)
        self.supplied = _supplied(self) if function.host_defaults else {}
        self.differing = () if function.host_defaults else differing
        self.gives_generator = not function.is_suspended and is_generator_function(implementation)
        self.aligned = _aligned(self)
        ours = function.parameters
        at_the_same_place = len(ours.positional) == self.aligned == len(parameters.positional)
        self.takes_rest = at_the_same_place and bool(ours.rest and parameters.rest)
        most = sys.maxsize if self.takes_rest else self.aligned
        second = second_place(function.aliases, ours.positional)
        most = most if second is None else min(most, second)
        self.max_positional = most if is_attribute and _passes_on(self) else -1
        self.keywords = _keywords(self)

    def leads_to(self, found: Any) -> bool:
        """Whether a fetched implementation is the one that the route was compiled for."""
        ours: Any = self.implementation
        if found is ours:
            return True
        is_method = ismethod(found) and ismethod(ours)
        return is_method and found.__func__ is ours.__func__ and found.__self__ is ours.__self__

    def further(self, given: Given) -> dict[str, str | None]:
        """Tell under which names the arguments that the host has no name for arrive, if they do.

        By name, what the host takes by position alone is something else, whatever has that name here.
        """
        theirs, takes_any = self.parameters.names, self.parameters.takes_kwargs
        others = self.function.parameters.positional_only - given.named.keys()
        renamed = {name: self.renames.get(name, name) for name in given.extra}
        return {
            name: target if (target in theirs or takes_any) and name not in others else None
            for name, target in renamed.items()
        }

    def name_there(self, name: str) -> str:
        """Give the name by which the adapter knows a parameter of the host."""
        names = (name, *self.function.names_of(name))
        target = self.renames.get(name)
        known = (n for n in names if n in self.declared or n in self.fixed or n == target)
        return next(known, name)

    def takes_option(self, name: str) -> bool:
        """Whether the implementation takes an argument by name that the host's function has not."""
        function = self.function
        is_further = function.own_name(name) not in function.parameters.names
        takes_any = self.parameters.takes_kwargs and is_further
        return name in self.options or takes_any

    def options_for(
        self, given: Given, options: tuple[tuple[str, Any], ...]
    ) -> tuple[tuple[str, Any], ...]:
        """Give those of a block's options that the implementation takes and the call does not give."""
        return tuple(
            (name, value)
            for name, value in options
            if name not in given.extra and self.takes_option(name)
        )

    @property
    def options(self) -> frozenset[str]:
        """The parameters of the implementation that the host's function has not."""
        return frozenset(filter(self.map.is_option, self.parameters.names))

    @property
    def missing(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Tell what the host's class has and the backend's lacks: members, parameters of methods."""
        if self._missing is None:
            self._missing = _missing(self)
        return self._missing

    def refuse(self, reason: str) -> Refusal:
        """Say no to a call."""
        return Refusal(self.backend.name, reason)

    def differences(self, given: Given) -> tuple[DefaultDifference, ...]:
        """List the parameters left out whose default here is not the host's."""
        arrived = {*map(self.targets.get, given.named), *self.further(given).values()}
        return tuple(d for d in self.differing if self.targets[d.parameter] not in arrived)


def compile_route(
    function: HostFunction,
    backend: LoadedBackend,
    implementation: Callable[..., Any],
    entry: tuple[Running, str],
    *,
    is_attribute: bool,
) -> Route | Refusal:
    """Compile the route to an implementation, or say why no call can take it.

    Parameters
    ----------
    function
        The host function.
    backend
        Whose implementation it is.
    implementation
        What the adapter hands out.
    entry
        What tells that a thread is inside it.
    is_attribute
        Whether looking it up runs none of the adapter's code; else the adapter is asked at each call.
    """

    def look() -> tuple[Parameters, bool] | str:
        borrowed = vars(function.public).get("__signature__", _ABSENT)
        return read(without_signature(implementation, borrowed)), gives_coroutine(implementation)

    found = attempt(look, describe_error)
    if isinstance(found, str):
        reason = f"has an implementation whose signature cannot be read ({found})"
        return Refusal(backend.name, reason)
    parameters, waits = found
    if waits and not function.is_coroutine:
        return Refusal(
            backend.name, "implements it as a coroutine function, which the host's is not"
        )
    return Route(function, backend, implementation, parameters, entry, is_attribute=is_attribute)


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
    refusal = _objection(route, placed, lost, twice) or _otherwise(route, given)
    if refusal is not None:
        return refusal
    args = _by_position(route, given, placed)
    return Forwarding(args, placed, tuple(ignored), tuple(received))


def ask(route: Route, given: Given, question: Any, failure: str, verb: str) -> Refusal | None:
    """Ask a ``can_run`` or ``should_run`` about a call; ``verb`` says no."""
    arguments = given.arguments(route.function.parameters)
    if route.function.aliases:
        is_hosts = question is route.function.should_run
        name_of = route.function.own_name if is_hosts else route.name_there
        arguments = {name_of(name): value for name, value in arguments.items()}
    try:
        answer = plain_str(question(route.function.name, arguments))
        agrees = type(answer) is not str and bool(answer)
    except (KeyboardInterrupt, RecursionError):
        raise
    except BaseException as error:  # noqa: BLE001 - a broken can_run is a "no" that names its error
        return route.refuse(f"{failure}: {describe_error(error)}")
    if agrees:
        return None
    said = one_line(answer) if type(answer) is str else ""
    return route.refuse(f"{verb}: {said}" if said else verb)


def takes(route: Route, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a call reaches an implementation, which is not asked about it."""
    ours = route.function.parameters
    given = settle(ours, bind(ours, args, kwargs), route.function.aliases)
    return isinstance(given, Given) and isinstance(forward(route, given), Forwarding)


def _is_needless(route: Route, name: str, value: Any) -> bool:
    """Whether an argument need not arrive: it is the host's default, or held against what is fixed."""
    is_fixed = any(one in route.fixed for one in route.function.names_of(name))
    return is_fixed or same(value, route.function.parameters.defaults.get(name, _ABSENT))


def _placed(route: Route, given: Given) -> Iterator[tuple[str, Any, str | None, bool]]:
    """Pair every argument with its target; a host-only one at its default counts as not given."""
    function = route.function
    for name, value in given.named.items():
        target = route.targets[name]
        if target is not None or not _is_needless(route, name, value):
            yield name, value, target, name in function.ignorable
    for name, target in route.further(given).items():
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
        reasons.append(f"needs {quoted(missing)}, which the call does not give")
    if not reasons:
        return None
    said = " and ".join(reasons)
    return route.refuse("; ".join((said, *rename_faults(route))) if lost or missing else said)


def _otherwise(route: Route, given: Given) -> Refusal | None:
    """Refuse a call that means something else than what the adapter always does."""
    sources = (given.named, given.extra, route.function.parameters.defaults)
    for name, value in route.fixed.items():
        names = route.function.names_of(name)
        asked = next(
            ((one, found[one]) for found in sources for one in names if one in found), None
        )
        if asked and not same(asked[1], value):
            always, means = (f"{n}={short_repr(v)}" for n, v in ((name, value), asked))
            return route.refuse(f"always works with {always}, and the call means {means}")
    return None


def rename_faults(route: Route) -> Iterator[str]:
    """Say which renames of the adapter cannot work, because a name is on neither side."""
    ours, theirs = route.function.parameters, route.parameters
    for name, target in route.declared.items():
        rename = f"its rename {{{name!r}: {target!r}}}"
        if route.function.own_name(name) not in ours.names and not ours.takes_kwargs:
            swapped = target in ours.names and name in theirs.names
            hint = "; write it the other way round" if swapped else ""
            yield f"{rename} begins with {name!r}, which the host does not take{hint}"
        elif target not in theirs.names and not theirs.takes_kwargs:
            yield f"{rename} leads to {target!r}, which it does not take"


def _missing(route: Route) -> tuple[tuple[str, tuple[str, ...]], ...]:
    host, backend = route.function.public, route.implementation
    if route.backend.described is not None or not (isinstance(host, type) and isclass(backend)):
        return ()
    # Either class may say of itself whatever it likes.
    return attempt(lambda: tuple(missing_members(host, backend)), lambda _: ())


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


def _differing(
    host: Parameters, backend: Parameters, map_: ParameterMap
) -> tuple[DefaultDifference, ...]:
    """Compare the defaults of the parameters that both have, in the host's order."""
    found = {map_.differing(name, default): default for name, default in backend.defaults.items()}
    return tuple(
        DefaultDifference(name, default, found[name])
        for name, default in host.defaults.items()
        if name in found
    )


def _supplied(route: Route) -> dict[str, Any]:
    """Collect the host's defaults that the implementation lacks or sees differently."""
    theirs = route.parameters
    return {
        target: default
        for name, default in route.function.parameters.defaults.items()
        if (target := route.targets[name]) is not None
        and target in theirs.names
        and route.map.receives(target, name)
        and not (target in theirs.defaults and alike(default, theirs.defaults[target]))
    }


def _aligned(route: Route) -> int:
    """Count the leading parameters of the host that have the same place here."""
    count = 0
    for name, place in zip(
        route.function.parameters.positional, route.parameters.positional, strict=False
    ):
        if route.targets[name] != place:
            break
        count += 1
    return count


def _passes_on(route: Route) -> bool:
    """Whether any call of the host may be passed on as it came, as far as its arguments allow."""
    ours, theirs = route.function.parameters, route.parameters
    certain = {route.targets[name] for name in ours.required}
    backend = route.backend
    hooks = (backend.can_run, backend.should_run, route.function.should_run)
    asked = route.function.is_suspended or route.gives_generator
    asked = asked or any(hook is not None for hook in hooks)
    return not (asked or route.fixed or route.supplied or theirs.required - certain)


def _keywords(route: Route) -> frozenset[str]:
    """Collect the keywords that may be passed on as they came."""
    ours, theirs = route.function.parameters, route.parameters
    renamed = {*route.renames, *route.renames.values()}
    shared = {n for n in ours.keyword if route.targets[n] == n and n not in theirs.positional_only}
    passing = shared | (theirs.keyword - ours.names)
    aliases, aligned = route.function.aliases, ours.positional[: route.aligned]
    taken = {*renamed, *aliases, route.function.selector}
    return frozenset(passing - taken).union(one_of_each(aliases, passing, aligned))
