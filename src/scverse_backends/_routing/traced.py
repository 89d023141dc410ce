"""Traced: the calls of one function in a context that is traced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from scverse_backends._ground import messages
from scverse_backends._ground.records import asked_of
from scverse_backends._selection.state import TRACED

if TYPE_CHECKING:
    from collections.abc import Hashable

    from scverse_backends._ground.records import Decision
    from scverse_backends._selection.selection import Selection
    from scverse_backends._selection.state import Scope

    from .execution import Execution
    from .resolution import Resolution
    from .routes import Route
    from .spans import Span

_MOST_SHAPES = 1000  # of calls of one function; only one with **kwargs has more


class TracedCalls:
    """The calls of one function that are traced."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._decisions: dict[Hashable, Decision] = {}
        execution.selector.changes.watch(self._decisions.clear)

    def call(self, top: Scope, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call in a context whose calls are traced."""
        __tracebackhide__ = True
        execution, outer = self._execution, cast("Span", top[2])
        own, state = execution.pop_selection(kwargs), execution.state
        scope = top[1] if own is None else (own, top[1], None)
        selection = own or execution.selector.current()
        route, resolution, decision = self._way(selection, args, kwargs)
        # This function, `Dispatch.call` and `dispatched` stand between here and the call.
        site = messages.call_site(4, execution.decorators)
        span = outer.child(decision, site, state.observers)
        execution.resolver.log(decision, selection)
        mine = (TRACED, scope, span)
        token = state.active.set(mine)
        try:
            with span:
                if route is not None:
                    return execution.run_route(route, args, kwargs)
                if resolution is not None and (resolution.route or resolution.is_fallback):
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
        resolution = execution.resolver.resolve(selection, args, kwargs)
        shape = shape if passes else resolution.shape
        decision = self._decisions.get(shape) or execution.resolver.decide(resolution)
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
            and not execution.is_inside(route.backend.name)
            and not execution.is_inside(selection)
            and route.is_offered()
        )
