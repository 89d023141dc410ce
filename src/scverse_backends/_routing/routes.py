"""Routing: the compiled way to call one implementation of one host function.

Pure: given a host function, an adapter's implementation and the arguments of a
call, it says how the call reaches the implementation, or why it cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from scverse_backends._ground.callables import gives_coroutine, is_generator_function
from scverse_backends._ground.labels import quoted
from scverse_backends._ground.records import DefaultDifference, Refusal
from scverse_backends._ground.safe_repr import describe_error, one_line, plain_str
from scverse_backends.exceptions import BackendError

from .aims import Aims
from .parameters import Given, Parameters, alike, bind, read, same, without_signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from scverse_backends._ground.records import LoadedBackend

    from .host import HostFunction

MISSING = "does not implement it"
"""Why a backend cannot take any call of a function."""

_ABSENT = object()


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
    aligned
        How many of the host's first parameters stand at the same place here.
    straight, unchanged
        A call with at most this many positional arguments and with keywords
        only from this set reaches the implementation as it came.
    running
        Grows and shrinks by one entry for each call that the implementation is running now.
    yields
        Whether the implementation gives a generator, whose body runs later, where the host's does not.
    """

    __slots__ = (
        "aims",
        "aligned",
        "backend",
        "differing",
        "function",
        "implementation",
        "parameters",
        "renames",
        "running",
        "straight",
        "supplied",
        "targets",
        "unchanged",
        "yields",
    )

    def __init__(
        self,
        function: HostFunction,
        backend: LoadedBackend,
        implementation: Callable[..., Any],
        parameters: Parameters,
    ) -> None:
        self.function = function
        self.backend = backend
        self.implementation = implementation
        self.parameters = parameters
        self.renames: Mapping[str, str] = backend.renames.get(function.name, {})
        reached, takes_any = parameters.names, parameters.takes_kwargs
        aims = Aims(function.parameters, self.renames) if self.renames else function.aims
        self.aims = aims
        self.targets = {
            n: t if t in reached or takes_any else None for n, t in aims.targets.items()
        }
        differing = _differing(function.parameters, parameters, aims)
        self.supplied = _supplied(self) if function.host_defaults else {}
        self.differing = () if function.host_defaults else differing
        self.yields = not function.is_suspended and is_generator_function(implementation)
        self.aligned = _aligned(self)
        self.straight = self.aligned if _passes_on(self) else -1
        self.unchanged = _unchanged(self)
        self.running: list[None] = []

    def further(self, given: Given) -> dict[str, str | None]:
        """Tell under which names the arguments that the host has no name for arrive, if they do.

        By name, what the host takes by position alone is something else, whatever has that name here.
        """
        theirs, takes_any = self.parameters.names, self.parameters.takes_kwargs
        others = self.function.parameters.positional_only - given.named.keys()
        aimed = {name: self.renames.get(name, name) for name in given.extra}
        return {
            name: target if (target in theirs or takes_any) and name not in others else None
            for name, target in aimed.items()
        }

    @property
    def options(self) -> frozenset[str]:
        """The parameters of the implementation that the host's function has not."""
        return frozenset(filter(self.aims.is_option, self.parameters.names))

    def refuse(self, reason: str) -> Refusal:
        """Say no to a call."""
        return Refusal(self.backend.name, reason)

    def differences(self, given: Given) -> tuple[DefaultDifference, ...]:
        """List the parameters left out whose default here is not the host's."""
        arrived = {*map(self.targets.get, given.named), *self.further(given).values()}
        return tuple(d for d in self.differing if self.targets[d.parameter] not in arrived)


def compile_route(
    function: HostFunction, backend: LoadedBackend, implementation: Callable[..., Any]
) -> Route | Refusal:
    """Compile the route to an implementation, or say why no call can take it."""
    try:
        borrowed = vars(function.public).get("__signature__", _ABSENT)
        parameters = read(without_signature(implementation, borrowed))
        waits = gives_coroutine(implementation)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001 - a foreign __signature__ may raise anything
        reason = f"has an implementation whose signature cannot be read ({describe_error(error)})"
        return Refusal(backend.name, reason)
    if waits and not function.is_coroutine:
        return Refusal(
            backend.name, "implements it as a coroutine function, which the host's is not"
        )
    return Route(function, backend, implementation, parameters)


def forward(route: Route, given: Given) -> Forwarding | Refusal:
    """Place the arguments of a call, or say which of them would be lost."""
    placed: dict[str, Any] = {}
    ignored: list[str] = []
    lost: list[str] = []
    twice: list[str] = []
    received: list[tuple[str, str]] = []
    for name, value, target, may_be_ignored in _aimed(route, given):
        if target is None:
            (ignored if may_be_ignored else lost).append(name)
        elif target in placed:
            twice.append(target)
        else:
            placed[target] = value
            received.append((name, target))
    for target, default in route.supplied.items():
        placed.setdefault(target, default)
    refusal = _objection(route, placed, lost, twice)
    if refusal is not None:
        return refusal
    args = _by_position(route, given, placed)
    return Forwarding(args, placed, tuple(ignored), tuple(received))


def ask(route: Route, given: Given) -> Refusal | None:
    """Let the adapter itself decline a call."""
    if route.backend.can_run is None:
        return None
    try:
        answer = plain_str(
            route.backend.can_run(route.function.name, {**given.named, **given.extra})
        )
        if type(answer) is str:
            return route.refuse(f"declines: {one_line(answer)}" if answer else "declines")
        return None if answer else route.refuse("declines")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a broken can_run is a "no" that names its error
        return route.refuse(f"has a can_run that failed: {describe_error(error)}")


class Choice(NamedTuple):
    """Which route takes a call (``None``: the host), how, and who could not."""

    route: Route | None
    forwarding: Forwarding | None
    given: Given | None
    refusals: tuple[Refusal, ...]


def choose(
    function: HostFunction,
    routes: Sequence[Route | Refusal | BackendError],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Choice:
    """Find the first route that can take a call.

    Raises
    ------
    BackendError
        If none can, up to an adapter that could not hand out its implementation.
    """
    given = bind(function.parameters, args, kwargs)
    refusals: list[Refusal] = []
    for route in routes:
        if isinstance(route, BackendError):
            raise route
        outcome = _try(route, given)
        if isinstance(outcome, Refusal):
            refusals.append(outcome)
        else:
            return Choice(cast("Route", route), outcome, cast("Given", given), tuple(refusals))
    return Choice(None, None, given if isinstance(given, Given) else None, tuple(refusals))


def takes(route: Route, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a call reaches an implementation, which is not asked about it."""
    given = bind(route.function.parameters, args, kwargs)
    return isinstance(given, Given) and isinstance(forward(route, given), Forwarding)


def _try(route: Route | Refusal, given: Given | str) -> Forwarding | Refusal:
    if isinstance(route, Refusal):
        return route
    if isinstance(given, str):
        return route.refuse(given)
    forwarding = forward(route, given)
    if isinstance(forwarding, Refusal):
        return forwarding
    return ask(route, given) or forwarding


def _aimed(route: Route, given: Given) -> Iterator[tuple[str, Any, str | None, bool]]:
    """Pair every argument with its target; a host-only one at its default counts as not given."""
    function = route.function
    defaults = function.parameters.defaults
    for name, value in given.named.items():
        target = route.targets[name]
        if target is not None or not same(value, defaults.get(name, _ABSENT)):
            yield name, value, target, name in function.ignorable
    for name, target in route.further(given).items():
        ignorable = function.parameters.takes_kwargs and name in function.ignorable
        yield name, given.extra[name], target, ignorable


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
    return route.refuse(" and ".join(reasons)) if reasons else None


def _by_position(route: Route, given: Given, placed: dict[str, Any]) -> tuple[Any, ...]:
    """Take out what is handed over by position: what came so and stands there, and what has no name.

    A gap is filled with the implementation's default.
    """
    parameters = route.parameters
    nameless = [name for name in parameters.positional if name in parameters.positional_only]
    while nameless and nameless[-1] not in placed:
        nameless.pop()
    count = max(min(given.by_position, route.aligned), len(nameless))
    return tuple(
        placed.pop(name) if name in placed else parameters.defaults[name]
        for name in parameters.positional[:count]
    )


def _differing(host: Parameters, backend: Parameters, aims: Aims) -> tuple[DefaultDifference, ...]:
    """Compare the defaults of the parameters that both have, in the host's order."""
    found = {aims.differing(name, default): default for name, default in backend.defaults.items()}
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
    asked = route.function.is_suspended or route.yields or route.backend.can_run is not None
    return not (asked or route.supplied or theirs.required - certain)


def _unchanged(route: Route) -> frozenset[str]:
    """Collect the keywords that may be passed on as they came."""
    ours, theirs = route.function.parameters, route.parameters
    renamed = {*route.renames, *route.renames.values()}
    shared = {n for n in ours.keyword if route.targets[n] == n and n not in theirs.positional_only}
    taken = {*renamed, route.function.selector}
    return frozenset((shared | (theirs.keyword - ours.names)) - taken)
