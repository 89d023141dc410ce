"""The arbiter: settles who runs a call of one host function, and says why."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from scverse_backends._ground import messages
from scverse_backends._ground.callables import with_decorators
from scverse_backends._ground.labels import quoted
from scverse_backends._ground.records import reasons
from scverse_backends.exceptions import BackendFallbackError, BackendFallbackWarning

from .decisions import decide, in_one_line
from .parameters import fits
from .routes import Route, choose, takes

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable, Iterator
    from types import FrameType

    from scverse_backends._ground.records import Decision, Refusal
    from scverse_backends._selection.selector import Selector
    from scverse_backends._selection.state import Selection
    from scverse_backends.exceptions import BackendError

    from .host import HostFunction
    from .plans import Plan, Planner
    from .routes import Choice


NESTED = "the backend's own implementation is calling the function it replaces"
FALLEN = "the host is calling this function while it runs it in the place of a backend"


class Settled(NamedTuple):
    """Who runs one call, before it runs."""

    function: HostFunction
    selection: Selection
    plan: Plan
    choice: Choice
    nested: str | None
    """Why the search ended at what is running already and makes the call."""

    @property
    def falls_back(self) -> bool:
        """Whether the host runs it although only backends were asked for."""
        choice, plan = self.choice, self.plan
        asked = choice.route is None and bool(choice.refusals)
        return asked and self.nested is None and not plan.ends_at_host

    @property
    def mark(self) -> Route | Settled | None:
        """What a frame or context that runs it is marked with; ``None`` for a plain host call."""
        return self if self.falls_back else self.choice.route

    @property
    def shape(self) -> Hashable:
        """What a call that nobody refused shares with all that are described as it is."""
        route, forwarding, _, refusals = self.choice
        if forwarding is None or refusals:
            return None
        return self.selection, route, forwarding.received, forwarding.ignored


class Arbiter:
    """Settles the calls of one function.

    Parameters
    ----------
    function
        The host function.
    planner
        Makes its routes.
    selector
        Knows what is selected.
    marked
        The globals of the module whose frames mark, in a local variable
        ``taken``, what they run: a route, or a call that fell back.

    Attributes
    ----------
    fallen
        Grows and shrinks by one entry for each call that the host is running as a fallback.
    """

    def __init__(
        self, function: HostFunction, planner: Planner, selector: Selector, marked: dict[str, Any]
    ) -> None:
        self.function = function
        self.planner = planner
        self.fallen: list[None] = []
        self.refuses_selector = function.refuses_unknown_keywords
        self._inside = selector.state.inside
        self._registry = selector.registry
        self._selector = selector
        self._marked = marked

    def settle(
        self, selection: Selection, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Settled:
        """Choose who runs a call: the first backend that can take it, else the host."""
        function, plan, nested = self.function, self.planner.plan(selection), None
        asked = tuple(takewhile(lambda route: not self._is_inside(route), plan.routes))
        if (self.fallen or self._inside.get()) and self._fell_back(selection):
            asked, nested = (), FALLEN
        choice = self._choose(asked, args, kwargs)
        if nested is None and choice.route is None and len(asked) < len(plan.routes):
            nested = NESTED
        return Settled(function, selection, plan, choice, nested)

    def _choose(
        self,
        routes: tuple[Route | Refusal | BackendError, ...],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Choice:
        work = partial(choose, self.function, routes, args, kwargs)
        asks = any(isinstance(r, Route) and r.backend.can_run is not None for r in routes)
        return cast("Choice", self._selector.state.apart(work) if asks else work())

    def decide(self, settled: Settled) -> Decision:
        """Describe what was settled."""
        policy = self._selector.policy(settled.selection) if settled.falls_back else None
        return decide(
            self.function, settled.selection, settled.choice, nested=settled.nested, policy=policy
        )

    def allow(self, settled: Settled, kwargs: dict[str, Any]) -> None:
        """Let a call go ahead; that the host runs what was meant for a backend is told, or refused.

        Raises
        ------
        BackendFallbackError
            If the policy is ``"error"``.
        TypeError
            If an argument is an option of a backend that does not run the call.
        """
        if not settled.falls_back:
            return
        name, host = self.function.name, self._registry.configuration.host
        given, refusals = settled.choice.given, settled.choice.refusals
        misfits = self.function.is_plain and not fits(self.function.parameters, given)
        policy = self._selector.policy(settled.selection)
        if policy == "error" and not (misfits and not any(self._foreign(kwargs))):
            raise BackendFallbackError(name, host=host, refusals=refusals)
        if self.refuses_selector:
            self.refuse_foreign_options(kwargs, refusals)
        if misfits:
            return  # the host refuses the arguments, so nothing falls back
        warning = BackendFallbackWarning(name, host=host, refusals=refusals)
        messages.log(messages.INFO, "%s", warning)
        if policy == "warn":
            messages.warn(warning, with_decorators(self.function.public))

    def misfits(
        self, route: Route, error: TypeError, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> bool:
        """Tell whether a call that went to a route as it came ended because it is incomplete.

        Nothing of it ran then: the call itself failed, or the host, which takes no such call
        either, fails in its place.
        """
        at_once = getattr(error.__traceback__, "tb_next", None) is None
        return (at_once or self.function.is_plain) and not takes(route, args, kwargs)

    def tell(self, settled: Settled) -> None:
        """Log who runs a call, if somebody listens to each of them."""
        if messages.is_logged(messages.DEBUG):
            self.log(self.decide(settled), settled.selection)
        elif self.planner.is_heard:
            self.planner.hush()

    def log(self, decision: Decision, selection: Selection) -> None:
        """Log a decision, unless it is that nobody wanted anything but the host."""
        if messages.is_logged(messages.DEBUG) and not selection.is_host:
            host = self._registry.configuration.host
            messages.log(messages.DEBUG, "%s: %s", host, in_one_line(decision), decision=decision)

    @contextmanager
    def falling(self, settled: Settled) -> Generator[None]:
        """Have calls look, while the host runs one as a fallback, whether that one makes them."""
        running = [r.running for r in settled.plan.routes if isinstance(r, Route)]
        for counter in (self.fallen, *running):
            counter.append(None)
        try:
            yield
        finally:
            for counter in (self.fallen, *running):
                counter.pop()

    def run_on_host(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], refusals: tuple[Refusal, ...]
    ) -> Any:
        """Run a call on the host, whose decorators may take more than its signature shows."""
        try:
            return self.function.func(*args, **kwargs)
        except TypeError as error:
            self.refuse_foreign_options(kwargs, refusals)
            if refusals:
                error.add_note(f"No selected backend could take the call: {reasons(refusals)}.")
            raise

    def refuse_foreign_options(
        self, kwargs: dict[str, Any], refusals: tuple[Refusal, ...] = ()
    ) -> None:
        """Say whose option an argument is that the host does not take."""
        for name, owners in self._foreign(kwargs):
            advice = "Leave it out, or select the backend."
            if refusals:
                advice = f"No selected backend can take the call: {reasons(refusals)}."
            msg = (
                f"{self.function.name}: {name!r} is an option of backend {quoted(owners)}, "
                f"and {self._registry.configuration.host} (cpu) does not take it. {advice}"
            )
            raise TypeError(msg)

    def _foreign(self, kwargs: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
        """Give the options of a call that only backends have, and which."""
        host = self.function.parameters
        unknown = [] if host.takes_kwargs else [name for name in kwargs if name not in host.names]
        owned = ((name, self.planner.owners(name)) for name in unknown)
        return ((name, owners) for name, owners in owned if owners)

    def _is_inside(self, route: Route | Refusal | BackendError) -> bool:
        """Whether a route's own implementation is what makes the call."""
        if not isinstance(route, Route):
            return False
        if route in self._inside.get():
            return True
        return bool(route.running) and any(mark is route for mark in self._marks())

    def _fell_back(self, selection: Selection) -> bool:
        """Whether the host makes the call while it runs this function in a backend's place."""
        return any(
            isinstance(mark, Settled)
            and mark.function is self.function
            and mark.selection is selection
            for mark in (*self._inside.get(), *self._marks())
        )

    def _marks(self) -> Iterator[object]:
        """Give what is being run further down this thread's stack.

        Counting what runs costs a call little; only a call that finds a count
        above zero pays for this look at whose it is.
        """
        frame: FrameType | None = sys._getframe()  # noqa: SLF001 - there is no other way
        while frame is not None:
            if frame.f_globals is self._marked:
                yield frame.f_locals.get("taken")
            frame = frame.f_back
