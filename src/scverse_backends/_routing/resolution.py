"""Resolution: settles who runs one call, before anything of it runs."""

from __future__ import annotations

from functools import partial
from types import CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from scverse_backends._ground import messages
from scverse_backends._ground.records import Omission, Preference, Refusal, asked_of
from scverse_backends._ground.safe_repr import describe_error, one_line, plain_str
from scverse_backends._selection.picking import why_left_out
from scverse_backends._selection.selection import CALL
from scverse_backends.exceptions import BackendError, BackendLoadError

from .forwarding import Forwarding, forward, without_repeats
from .parameters import Given, bind, fits, named_twice

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from scverse_backends._ground.records import LoadedBackend
    from scverse_backends._selection.selection import Selection
    from scverse_backends._selection.selector import Selector

    from .host import HostFunction
    from .implementations import RouteCache
    from .nesting import Nesting
    from .routes import Route

End = Literal[
    "backend",  # runs it
    "host",  # runs it, as it was asked to
    "preferred",  # the host, because a backend that could run it had better not
    "inside-backend",  # the host, for it is called from the implementation that replaces it
    "inside-fallback",  # the host, for it is called while that runs in a backend's place
    "fallback",  # the host runs it in a backend's place
    "refused",  # by the host too: its arguments fit nobody
    "stopped",  # by fallback="error", before anything runs
]
"""Where a call ends up, and why there."""


class Resolution(NamedTuple):
    """Who runs one call, and how it ends.

    Parameters
    ----------
    selection
        What holds where the call is made.
    chosen
        What of it is for this function.
    given
        Its arguments by name; ``None`` where the host's signature does not tell what they are.
    misfit
        Why no backend can be given them, if that is so.
    end
        How it ends.
    refusals
        The backends that were asked before and cannot take it.
    forwarding
        How it reaches a backend; ``None`` if none runs it.
    options
        What the block gives the call beside its own arguments.
    """

    selection: Selection
    chosen: Selection
    given: Given | None
    misfit: str | None
    end: End = "host"
    refusals: tuple[Refusal, ...] = ()
    forwarding: Forwarding | None = None
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def passed_over(self) -> tuple[Refusal, ...]:
        """Each choice that was left out, or cannot take the call, with the reason."""
        return (*self.chosen.omitted, *self.refusals)

    @property
    def lacks_backend(self) -> bool:
        """Whether only backends were asked for, and none takes it."""
        return self.end in ("fallback", "refused", "stopped")

    @property
    def is_for_host(self) -> bool:
        """Whether the host runs it, and not in a backend's place."""
        return self.forwarding is None and not self.lacks_backend

    @property
    def is_nested(self) -> bool:
        """Whether no choice was asked, because the call is made from inside of another one."""
        return self.end in ("inside-backend", "inside-fallback")

    @property
    def shape(self) -> Hashable:
        """What a call that nobody refused shares with all that are described as it is."""
        found = self.forwarding
        if found is None or self.refusals:
            return None
        options = tuple(name for name, _ in self.options)
        return self.selection, found.route, found.received, found.ignored, options


class Resolver:
    """Resolves the calls of one function.

    Parameters
    ----------
    function
        The host function.
    selector
        Knows what is selected.
    routes
        The routes to the backends' implementations.
    nesting
        Knows what a caller is inside of.
    """

    def __init__(
        self,
        function: HostFunction,
        selector: Selector,
        routes: RouteCache,
        nesting: Nesting,
    ) -> None:
        self._function = function
        self._selector = selector
        self._routes = routes
        self._nesting = nesting

    def resolve(
        self, selection: Selection, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Resolution:
        """Choose who runs a call: the first backend that can take it, else the host.

        Raises
        ------
        BackendLoadError
            If no earlier choice takes the call and an adapter cannot hand out what it offers.
        """
        chosen = selection.of(self._function.name)
        call = Resolution(selection, chosen, *self._bind(args, kwargs))
        if self._nesting.is_inside(selection):
            return call._replace(end="inside-fallback")
        for backend in chosen.backends:
            if backend is None:
                break
            if self._nesting.is_inside(backend.name):
                return call._replace(end="inside-backend")
            found = self._try(call, backend)
            if isinstance(found, Resolution):
                return found
            call = call._replace(refusals=(*call.refusals, found))
        return call._replace(end=self._end(call, kwargs))

    def _bind(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Given | None, str | None]:
        """Name the arguments of a call; if no backend can be given them, say why."""
        function = self._function
        given = bind(function.parameters, args, kwargs)
        if isinstance(given, str):
            return None, given
        return given, named_twice(function.parameters, given, function.aliases)

    def _try(self, call: Resolution, backend: LoadedBackend) -> Resolution | Refusal:
        """Hold a call against one backend, which may be gone by now if it is optional."""
        chosen = call.chosen
        try:
            route = self._routes.for_call(backend)
            if isinstance(route, Refusal):
                return route
            return route.refuse(call.misfit) if call.misfit else self._reach(call, route)
        except BackendError as error:
            is_missed = isinstance(error, BackendLoadError) or not chosen.may_lack(backend)
            if is_missed or (backend is chosen.backends[-1] and not asked_of(call.refusals)):
                messages.point_at_caller(error)
                raise
            return Omission(backend.name, why_left_out(error))

    def _reach(self, call: Resolution, route: Route) -> Resolution | Refusal:
        """Bring the arguments of a call to an implementation, and ask its backend."""
        chosen, selector = call.chosen, self._selector
        given: Any = call.given  # there is no misfit
        given = without_repeats(route, given)
        # A call that names the backend itself, or gives an option that the host lacks, stays.
        may_leave = chosen.origin != CALL and all(map(self._function.takes, given.extra))
        options = route.options_for(given, chosen.options) if chosen.options else ()
        if options:
            given = given._replace(extra={**given.extra, **dict(options)})
        found = forward(route, given)
        if isinstance(found, Refusal):
            return found
        host, apart = selector.configuration.host, selector.registry.apart
        refusal = ask(route, given, host, apart, may_leave=may_leave)
        return refusal or call._replace(end="backend", forwarding=found, options=options)

    def _end(self, call: Resolution, kwargs: dict[str, Any]) -> End:
        """Settle how a call ends that no backend takes."""
        if any(isinstance(refusal, Preference) for refusal in call.refusals):
            return "preferred"
        if not call.refusals or None in call.chosen.backends:
            return "host"
        stops = self._selector.policy(call.selection) == "error"
        function, owners = self._function, self._routes.owners
        # A call with an option that only a backend has was meant for that one.
        meant = (owners(name) for name in kwargs if not function.takes(name))
        if self._host_refuses(call) and not (stops and any(meant)):
            return "refused"
        return "stopped" if stops else "fallback"

    def _host_refuses(self, call: Resolution) -> bool:
        """Whether the host itself is to refuse the arguments of a call: nothing can take them."""
        # A decorator of the host may take other arguments, but for one parameter by two names.
        is_certain = self._function.is_plain or (call.given is not None and call.misfit is not None)
        return is_certain and not fits(self._function.parameters, call.given)


_NO_ANSWER = "it returned None, where True takes the call"
"""The reason of a question that ends without ``return``, which is easily forgotten."""

_NO_ANSWERS = {
    CoroutineType: "a coroutine, which nothing awaits",
    GeneratorType: "a generator, which nothing iterates",
    tuple: "a tuple, where True or a reason is asked for",
}
"""What is true whatever a question means by it, such as ``False, "why"``."""


class Question(NamedTuple):
    """A question about a call.

    Parameters
    ----------
    owner, name
        Who answers, and by which attribute; it is looked up when it is asked.
    failure
        What is said of a question that fails. It has no answer, so that is a plain refusal.
    verb
        What is said of a "no".
    refusal
        What a "no" is recorded as.
    """

    owner: Any
    name: str
    failure: str
    verb: str
    refusal: type[Refusal]


def ask(
    route: Route, given: Given, host: str, apart: Callable[..., Any], *, may_leave: bool
) -> Refusal | None:
    """Ask whether a backend can run a call, and, where it may leave it, whether it should.

    Parameters
    ----------
    route, given
        The way to the backend's implementation, and the arguments of the call.
    host
        The name of the host.
    apart
        Runs a backend's own code that is no implementation.
    may_leave
        Whether the backend may leave the call to the next choice.
    """
    for question in _questions(route, host, may_leave=may_leave):
        refusal: Refusal | None = apart(partial(_refusal, route, given, question))
        if refusal is not None:
            return refusal
    return None


def _questions(route: Route, host: str, *, may_leave: bool) -> Iterator[Question]:
    """Give the questions that there are: the backend's own, and the host's."""
    backend, function = route.backend, route.function
    if backend.can_run is not None:
        failure = "has a can_run that failed"
        yield Question(backend.adapter, "can_run", failure, "declines", Refusal)
    if may_leave and backend.should_run is not None:
        failure, verb = "has a should_run that failed", "leaves it to the next choice"
        yield Question(backend.adapter, "should_run", failure, verb, Preference)
    if may_leave and function.should_run is not None:
        failure = f"is not asked, because the should_run of {host} failed"
        yield Question(function, "should_run", failure, f"is passed over by {host}", Preference)


def _refusal(route: Route, given: Given, question: Question) -> Refusal | None:
    """Ask one question about a call."""
    owner, name, failure, verb, refusal = question
    try:
        ask_it = getattr(owner, name, None)
        if ask_it is None:
            return None
        answer = plain_str(ask_it(route.function.name, _arguments(route, given, owner)))
        if type(answer) in _NO_ANSWERS:
            getattr(answer, "close", bool)()  # a coroutine would warn that nothing awaited it
            answer = f"it answered with {_NO_ANSWERS[type(answer)]}"
        agrees = type(answer) is not str and bool(answer)
    except (KeyboardInterrupt, RecursionError):
        raise
    except BaseException as error:  # noqa: BLE001 - a broken can_run is a "no" that names its error
        return route.refuse(f"{failure}: {describe_error(error)}")
    if agrees:
        return None
    if answer is None:
        answer = _NO_ANSWER
    said = one_line(answer) if type(answer) is str else ""
    return refusal(route.backend.name, f"{verb}: {said}" if said else verb)


def _arguments(route: Route, given: Given, owner: Any) -> dict[str, Any]:
    """Give the arguments of a call by the names by which the one who is asked knows them."""
    function = route.function
    arguments = given.arguments(function.parameters)
    if not function.aliases:
        return arguments
    name_of = function.own_name if owner is function else route.name_there
    return {name_of(name): value for name, value in arguments.items()}
