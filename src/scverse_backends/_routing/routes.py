"""Routes: the compiled way to call one implementation of one host function."""

from __future__ import annotations

import sys
from inspect import getattr_static, isclass, ismethod
from operator import attrgetter
from types import FunctionType
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.callables import gives_coroutine, is_generator_function, lazy
from scverse_backends._ground.labels import quoted
from scverse_backends._ground.members import missing_members
from scverse_backends._ground.records import ABSENT, DefaultDifference, Refusal
from scverse_backends._ground.safe_repr import attempt, describe_error

from .defaults import alike, same, vagueness
from .parameters import Given, Parameters, clearest_first, parameters_of, without_borrowed_signature

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from scverse_backends._ground.records import LoadedBackend

    from .host import HostFunction
    from .parameters import Aliases

MISSING = "does not implement it"
"""Why a backend cannot take any call of a function."""

_BOUND = (FunctionType, classmethod, staticmethod)


class Route:
    """How to call one implementation of one host function.

    Attributes
    ----------
    parameters
        What the implementation takes.
    fixed
        The values of the host's parameters that the adapter always works with.
    declared, renames
        The adapter's renames, and with them where every name goes that means the same to the host.
    map
        Which of its parameters those of the host are meant for.
    targets
        The name under which each parameter of the host arrives; ``None`` if it does not.
    out_of_reach
        What the implementation requires and no call can give.
    supplied
        With `host_defaults`, those that a call hands over which does not give the parameters.
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

    def __init__(
        self,
        function: HostFunction,
        backend: LoadedBackend,
        implementation: Callable[..., Any],
        parameters: Parameters,
        entry: object,
    ) -> None:
        self.function = function
        self.backend = backend
        self.adapter = backend.adapter
        self.implementation = implementation
        # A method is another object at each look, of the same function.
        self.underlying = (
            getattr(implementation, "__func__", ABSENT) if ismethod(implementation) else ABSENT
        )
        self.parameters = parameters
        self.entry = entry
        self.declared: Mapping[str, str] = backend.renames.get(function.name, {})
        self.fixed: Mapping[str, Any] = backend.fixed.get(function.name, {})
        self.map = function.map_to(self.declared, parameters)
        self.renames = self.map.renames
        reached, takes_any = parameters.names, parameters.takes_kwargs
        self.targets = {
            n: t if t in reached or takes_any else None for n, t in self.map.targets.items()
        }
        self.out_of_reach = _out_of_reach(self)
        self.supplied = _supplied(self) if function.host_defaults else {}
        self.differing = () if function.host_defaults else _differing(self)
        self.gives_generator = not function.is_suspended and is_generator_function(implementation)
        self.aligned = _aligned(self)
        ours = function.parameters
        at_the_same_place = len(ours.positional) == self.aligned == len(parameters.positional)
        self.takes_rest = at_the_same_place and bool(ours.rest and parameters.rest)
        self.max_positional = _max_positional(self) if _passes_on(self) else -1
        self.keywords = _keywords(self)

    def leads_to(self, found: Any) -> bool:
        """Whether a fetched implementation is the one that the route was compiled for."""
        ours: Any = self.implementation
        is_method = ismethod(found) and found.__func__ is self.underlying
        return found is ours or (is_method and found.__self__ is ours.__self__)

    def is_offered(self) -> bool:
        """Whether the adapter still hands out the implementation, looked up as the wrapper does."""
        look = attrgetter(self.function.name)
        return attempt(lambda: self.leads_to(look(self.adapter)), lambda _: False)

    def extra_targets(self, given: Given) -> dict[str, str | None]:
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

    def arriving_with(self, name: str) -> list[str]:
        """List the host's names of a parameter that arrive where one does, the clearest first."""
        targets, names = self.targets, self.function.names_of(name)
        there = [one for one in names if one in targets and targets[one] == targets[name]]
        return clearest_first(self.function.parameters, there)

    def is_clearest(self, name: str) -> bool:
        """Whether no other name that arrives where one does says more by its default."""
        defaults = self.function.parameters.defaults
        first, own = (
            vagueness(defaults.get(one, ABSENT)) for one in (self.arriving_with(name)[0], name)
        )
        return first == own

    def name_there(self, name: str) -> str:
        """Give the name by which the adapter knows a parameter of the host."""
        names = (name, *self.function.names_of(name))
        target = self.renames.get(name)
        known = (n for n in names if n in self.declared or n in self.fixed or n == target)
        return next(known, name)

    def takes_option(self, name: str) -> bool:
        """Whether the implementation takes an argument by name that the host's function has not."""
        function, target = self.function, self.renames.get(name, name)
        if function.own_name(name) in function.parameters.names:
            return False
        if target in self.parameters.names:
            return not self.map.is_received(target)
        return self.parameters.takes_kwargs

    def options_for(
        self, given: Given, options: tuple[tuple[str, Any], ...]
    ) -> tuple[tuple[str, Any], ...]:
        """Give those of a block's options that the implementation takes and the call does not give."""
        return tuple(
            (name, value)
            for name, value in options
            if given.extra.keys().isdisjoint(self.function.names_of(name))
            and self.takes_option(name)
        )

    @property
    def options(self) -> frozenset[str]:
        """The parameters of the implementation that the host's function has not."""
        return frozenset(filter(self.map.is_option, self.parameters.names))

    @lazy
    def missing(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Tell what the host's class has and the backend's lacks: members, parameters of methods."""
        host, ours = self.function.public, self.implementation
        if self.backend.described is not None or not (isinstance(host, type) and isclass(ours)):
            return ()
        # Either class may say of itself whatever it likes.
        return attempt(lambda: tuple(missing_members(host, ours)), lambda _: ())

    def refuse(self, reason: str) -> Refusal:
        """Say no to a call."""
        return Refusal(self.backend.name, reason)

    def differences(self, given: Given) -> tuple[DefaultDifference, ...]:
        """List the parameters left out whose default here is not the host's."""
        arrived = {*map(self.targets.get, given.named), *self.extra_targets(given).values()}
        return tuple(d for d in self.differing if self.targets[d.parameter] not in arrived)


def compile_route(
    function: HostFunction,
    backend: LoadedBackend,
    implementation: Callable[..., Any],
    entry: object,
) -> Route | Refusal:
    """Compile the route to what an adapter hands out, or say why no call can take it."""

    def look() -> tuple[Parameters, bool] | str:
        borrowed = vars(function.public).get("__signature__", ABSENT)
        own = without_borrowed_signature(implementation, borrowed)
        return parameters_of(own), gives_coroutine(implementation)

    found = attempt(look, describe_error)
    if isinstance(found, str):
        reason = f"has an implementation whose signature cannot be read ({found})"
        return Refusal(backend.name, reason)
    parameters, waits = found
    if waits and not function.is_coroutine:
        return Refusal(
            backend.name, "implements it as a coroutine function, which the host's is not"
        )
    return Route(function, backend, implementation, parameters, entry)


def unusable(route: Route | Refusal) -> str | None:
    """Say which mistake of the adapter keeps every call away, if one does."""
    if isinstance(route, Refusal):
        return None if route.reason == MISSING else route.reason
    never = route.out_of_reach
    return f"needs {quoted(sorted(never))}, which no call can give" if never else None


def _differing(route: Route) -> tuple[DefaultDifference, ...]:
    """Compare the defaults of the parameters that both have, in the host's order."""
    theirs = route.parameters.defaults
    found = {route.map.differing(name, default): default for name, default in theirs.items()}
    return tuple(
        DefaultDifference(name, default, found[name])
        for name, default in route.function.parameters.defaults.items()
        if name in found and not _is_fixed_otherwise(route, name, default)
    )


def _is_fixed_otherwise(route: Route, name: str, default: Any) -> bool:
    """Whether a call that leaves a parameter out does not come here, as another value is fixed."""
    fixed = (route.fixed.get(one, default) for one in route.function.names_of(name))
    return not all(same(value, default) for value in fixed)


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


def _out_of_reach(route: Route) -> frozenset[str]:
    """Collect what is required and has no name by which a call, or its host, could give it."""
    needed = route.parameters.required.difference(route.targets.values())
    if not needed:
        return needed
    others = {*route.function.parameters.names, route.function.selector_name}
    names = (needed | route.renames.keys()) - others
    return needed.difference(route.renames.get(name, name) for name in names)


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


def _max_positional(route: Route) -> int:
    """Count the arguments by position that may be passed on as they came.

    They end before the first that is not the one name by which its parameter counts as given.
    """
    function, most = route.function, sys.maxsize if route.takes_rest else route.aligned
    seen: set[tuple[str, ...]] = set()
    for place, name in enumerate(function.parameters.positional if function.aliases else ()):
        names = function.names_of(name)
        if names in seen or not route.is_clearest(name):
            return min(most, place)
        seen.add(names)
    return most


def _passes_on(route: Route) -> bool:
    """Whether any call of the host may be passed on as it came, as far as its arguments allow."""
    ours, theirs = route.function.parameters, route.parameters
    certain = {route.targets[name] for name in ours.required}
    backend = route.backend
    hooks = (backend.can_run, backend.should_run, route.function.should_run)
    asked = route.function.is_suspended or route.gives_generator
    asked = asked or any(hook is not None for hook in hooks)
    changes = route.fixed or route.supplied or theirs.required - certain
    return not (asked or changes) and _is_attribute(backend.adapter, route.function.name)


def _is_attribute(adapter: Any, name: str) -> bool:
    """Whether looking a name up runs none of the adapter's own code; else it is asked at each call."""
    found = adapter
    for part in name.split("."):
        stored = getattr_static(found, part, ABSENT)
        is_own = getattr(found, "__dict__", {}).get(part, ABSENT) is stored
        is_quiet = is_own or isinstance(stored, _BOUND) or not hasattr(type(stored), "__get__")
        if (
            stored is ABSENT
            or not is_quiet
            or isinstance(type(found).__getattribute__, FunctionType)
        ):
            return False
        found = getattr(found, part)
    return True


def _keywords(route: Route) -> frozenset[str]:
    """Collect the keywords that may be passed on as they came."""
    ours, theirs = route.function.parameters, route.parameters
    renamed = {*route.renames, *route.renames.values()}
    shared = {n for n in ours.keyword if route.targets[n] == n and n not in theirs.positional_only}
    further = theirs.keyword - ours.names
    passing = shared.union(name for name in further if route.renames.get(name, name) == name)
    aliases, aligned = route.function.aliases, ours.positional[: route.aligned]
    taken = {*renamed, *aliases, route.function.selector_name}
    spoken = [n for n in passing if n not in ours.names or route.is_clearest(n)] if aliases else ()
    return frozenset(passing - taken).union(_one_of_each(aliases, spoken, aligned))


def _one_of_each(
    aliases: Aliases, passing: Collection[str], by_position: Collection[str]
) -> Iterator[str]:
    """Choose for each parameter one name that calls may give as it is: never two at once.

    Parameters
    ----------
    aliases
        The names that mean the same to the host.
    passing
        The names that reach an implementation as they are.
    by_position
        The names of what a call may give by position beside them.
    """
    for names in dict.fromkeys(aliases.values()):
        beside = [name for name in names if name in by_position]
        yield from [name for name in beside or names if name in passing][:1]
