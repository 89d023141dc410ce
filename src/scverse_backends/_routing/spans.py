"""Spans: the calls of a context that is traced, while they run, and what sees them."""

from __future__ import annotations

from time import perf_counter
from traceback import format_exception_only
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from scverse_backends._ground import messages
from scverse_backends._ground.records import asked_of
from scverse_backends._selection.state import TRACED

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from types import CodeType

    from scverse_backends._ground.records import Decision
    from scverse_backends._selection.selection import Selection
    from scverse_backends._selection.state import Scope

    from .execution import Execution
    from .resolution import Resolution
    from .routes import Route

Outcome = Literal["returned", "raised", "running"]


class SpanObserver(Protocol):
    """What takes in the calls that are traced."""

    def add(self, span: Span) -> None:
        """Take in a call that begins."""

    def follow(self) -> Any:
        """Give what leads the calls of bound work here, if anything does; it is picklable."""


class Span:
    """A traced call while it runs; or, without a decision, a trace that was entered."""

    __slots__ = (
        "_since",
        "_spent",
        "begun",
        "code",
        "decision",
        "error",
        "has_ended",
        "instruction",
        "on_end",
        "parent",
        "sinks",
    )

    def __init__(
        self,
        decision: Decision | None,
        parent: Span | None,
        sinks: tuple[SpanObserver, ...],
        site: tuple[CodeType | None, int] = (None, -1),
    ) -> None:
        self.decision = decision
        self.parent = parent
        self.sinks = sinks
        # The line is looked up when it is asked for: Python searches a table for it.
        self.code, self.instruction = site
        self.on_end: tuple[Callable[[Span], None], ...] = ()
        self.begun = perf_counter()
        self.error: str | None = None
        self.has_ended = False
        self._spent = 0.0
        self._since: float | None = None

    @property
    def call(self) -> Span | None:
        """The innermost call that this is, or is within."""
        return self.parent if self.decision is None else self

    def start(self) -> None:
        """Spend time in it from now on."""
        self._since = perf_counter()

    def stop(self) -> None:
        """Spend no more time in it."""
        if self._since is not None:
            self._spent += perf_counter() - self._since
            self._since = None

    def end(self, error: BaseException | None = None) -> None:
        """Close it, with what it raised; doing so twice does no harm."""
        self.stop()
        if error is not None:
            self.error = "".join(format_exception_only(error)).strip()
        self.has_ended = True
        if self.on_end:
            told, self.on_end = self.on_end, ()
            for tell in told:
                tell(self)

    @property
    def duration(self) -> float:
        """Time spent in it, in seconds."""
        return self._spent if self._since is None else self._spent + perf_counter() - self._since

    @property
    def outcome(self) -> Outcome:
        """What became of it."""
        if self.error is not None:
            return "raised"
        return "returned" if self.has_ended else "running"

    __enter__ = start

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None:
            self.stop()
        else:
            self.end(error)


def begin(
    outer: Span | None,
    decision: Decision,
    site: tuple[CodeType, int],
    observers: tuple[SpanObserver, ...],
) -> Span:
    """Record a call for the sinks of what it is made within, and for those of every context."""
    parent, sinks = (None, ()) if outer is None else (outer.call, outer.sinks)
    span = Span(decision, parent, sinks, site)
    # Those of every context first: one of them may end the call, which no trace then shows.
    for sink in (*observers, *sinks):
        sink.add(span)
    return span


_MOST_SHAPES = 1000  # of calls of one function; only one with **kwargs has more


class TracedCalls:
    """The calls of one function that are traced."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._decisions: dict[Hashable, Decision] = {}
        execution.selector.changes.watch(self._forget)

    def _forget(self) -> None:
        self._decisions.clear()

    def call(self, top: Scope, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call in a context whose calls are traced."""
        __tracebackhide__ = True
        execution, outer = self._execution, cast("Span | None", top[2])
        own, state = execution.pop_selection(kwargs), execution.state
        scope = top[1] if own is None else (own, top[1], None)
        selection = own or execution.selector.current()
        route, resolution, decision = self._way(selection, args, kwargs)
        # This function, `Dispatch.call` and `dispatched` stand between here and the call.
        site = messages.call_site(4, execution.decorators)
        span = begin(outer, decision, site, state.observers)
        execution.decisions.log(decision, selection)
        mine = (TRACED, scope, span)
        token = state.active.set(mine)
        try:
            with span:
                if route is not None:
                    return execution.run_route(route, args, kwargs)
                if resolution is not None and not resolution.is_for_host:
                    return execution.run(resolution, args, kwargs)
                # Run from here: a host function may call itself to any depth.
                try:
                    return execution.function.func(*args, **kwargs)
                except Exception as error:
                    execution.explain_failure(error, kwargs, asked_of(decision.refusals))
                    raise
        finally:
            if state.active.get() is mine:
                state.active.reset(token)
            else:
                state.leave(scope if own else None, outer)
            span.end()  # last: a sink that is told of it may raise

    def _way(
        self, selection: Selection, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Route | None, Resolution | None, Decision]:
        """Resolve a call that is traced; those of one shape are described only once."""
        execution, generation = self._execution, self._execution.selector.changes.generation
        route = execution.ready.get(selection)
        passes = (
            selection.is_host or selection in execution.on_host
            if route is None
            else self._passes(selection, route, args, kwargs)
        )
        shape: Hashable = (generation, selection, len(args), *kwargs)
        decision = self._decisions.get(shape) if passes else None
        # A route that takes what has this shape is told of it; the host may not have taken it.
        if decision is not None and (route is None or decision.backend == route.backend.name):
            return route, None, decision
        resolution = execution.resolve(selection, args, kwargs)
        shape = shape if passes else resolution.shape
        decision = self._decisions.get(shape) or execution.decisions.describe(resolution)
        # Another block makes another selection of the same options: they would only be held here.
        if shape is not None and selection.is_kept:
            if len(self._decisions) >= _MOST_SHAPES:
                self._decisions.clear()
            self._decisions[shape] = decision
        return None, resolution, decision

    def _passes(
        self, selection: Selection, route: Route, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> bool:
        """Whether a call reaches the implementation as it came, as in the wrapper."""
        execution = self._execution
        return (
            len(args) <= route.max_positional
            and route.keywords.issuperset(kwargs)
            and not execution.nesting.is_inside(route.backend.name)
            and not execution.nesting.is_inside(selection)
            and route.is_offered()
        )
