"""Functions: the decorator for host functions, and the path of every call."""

from __future__ import annotations

from contextlib import nullcontext
from contextvars import copy_context
from functools import partial, update_wrapper
from typing import TYPE_CHECKING, Any, cast

from scverse_backends._ground.callables import once
from scverse_backends._selection.blocks import DISPATCH
from scverse_backends._selection.state import TRACED

from .eligibility import check_host

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from scverse_backends._ground.records import Decision
    from scverse_backends._selection.selector import Selector
    from scverse_backends._selection.state import Scope, Selection

    from .arbiter import Arbiter, Settled
    from .host import HostFunction
    from .plans import Planner
    from .routes import Route
    from .spans import Span


def dispatch(function: HostFunction, selector: Selector) -> Callable[..., Any]:
    """Make the public callable of a host function.

    Raises
    ------
    TypeError
        If calls of the function cannot be routed by name.
    """
    check_host(function.func, function.selector)
    considered = Dispatch(function, selector)
    public = _wrapper(considered)
    update_wrapper(public, function.func)
    setattr(public, DISPATCH, considered)
    if function.is_coroutine:
        from .suspended import mark_as_coroutine_function

        mark_as_coroutine_function(public)
    function.public = public
    return public


def _wrapper(considered: Dispatch) -> Callable[..., Any]:  # noqa: C901 - a call would cost more
    """Make the function that users call.

    Every ordinary call passes through here and through nothing else of ours;
    what these lines do not settle is considered. Calls without keywords are
    passed on without, which is faster than passing on an empty dictionary.
    """
    func, name, named = considered.function.func, considered.name, considered.named
    state, ready, active = considered.state, considered.ready, considered.state.active.get
    # A host that would take the selector for an option of its own is always looked at.
    awake = named or state.awake

    def dispatched(*args: Any, **kwargs: Any) -> Any:  # noqa: C901, PLR0911 - as above
        if awake:
            scope = active()
            if scope is not None or state.selects:
                selection = state.default if scope is None else scope[0]
                route = ready.get(selection)
                if (
                    route is not None
                    and not route.running
                    and len(args) <= route.straight
                    and (not kwargs or route.unchanged.issuperset(kwargs))
                ):
                    taken = route  # the mark by which the arbiter knows this frame
                    try:
                        taken.running.append(None)
                        run = taken.implementation
                        return run(*args, **kwargs) if kwargs else run(*args)
                    except TypeError as error:
                        if not considered.misfits(taken, error, args, kwargs):
                            raise
                    finally:
                        taken.running.pop()
                if not selection.is_host:
                    return considered.consider(args, kwargs)
            if not kwargs:
                return func(*args)
            if named and name in kwargs:
                return considered.consider(args, kwargs)
        elif not kwargs:
            return func(*args)
        try:
            return func(*args, **kwargs)
        except TypeError:
            if not considered.explains(kwargs):
                raise
        return considered.consider(args, kwargs)

    return dispatched


_MOST_SHAPES = 1000  # of calls of one function; only one with **kwargs has more
_UNNAMED = object()
"""Stands for the selector of a call that has none."""


class Dispatch:
    """The calls of one decorated function that need a closer look."""

    def __init__(self, function: HostFunction, selector: Selector) -> None:
        self.function = function
        self.selector = selector
        self.state = selector.state
        self._active = selector.state.active
        self.ready: dict[Selection, Route] = {}
        self.consider = self.start if function.is_suspended else self.call
        self.named = [] if function.refuses_unknown_keywords else [True]
        """Empty until a call had the selector, if the host refuses it as it does any keyword."""
        self.name = function.selector
        self._decisions: dict[Hashable, Decision] = {}
        self.watchers: list[Callable[[Iterable[object]], None]] = []
        """Told of the routes of every new plan, as whatever shows the function is."""
        selector.changes.watch(self._decisions.clear)

    @once
    def planner(self) -> Planner:
        """Make the routes of the function, when a backend is first selected or asked for."""
        from .plans import Planner

        return Planner(self.function, self.selector.registry, self.ready, self._tell)

    def _tell(self, routes: Iterable[object]) -> None:
        for watcher in self.watchers:
            watcher(routes)

    @once
    def _arbiter(self) -> Arbiter:
        from .arbiter import Arbiter

        return Arbiter(self.function, self.planner, self.selector, globals())

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call of a plain function; one that names its backend is one inside a scope.

        There it could start over as any call. One without keywords that a route
        takes as it comes is run from here, which saves an eighth of its cost.
        """
        active = self._active
        outer = active.get()
        if outer is not None and outer[0] is TRACED:
            return self._trace(outer, args, kwargs)
        label = kwargs.pop(self.name, _UNNAMED)
        if label is _UNNAMED:
            settled = self._arbiter.settle(self.selector.current(), args, kwargs)
            self._arbiter.tell(settled)
            return self._run(settled, args, kwargs)
        if label is None:
            return self.function.public(*args, **kwargs)
        known = outer is None and type(label) is str and self.selector.calls.get(label)
        selection = known or self.selector.for_call(label, outer)
        scope = (selection, outer, None)
        token = None
        try:
            token = active.set(scope)
            route = self.ready.get(selection)
            if route is None or kwargs or route.running or len(args) > route.straight:
                return self.function.public(*args, **kwargs)
            taken = route  # the mark by which the arbiter knows this frame
            try:
                taken.running.append(None)
                return taken.implementation(*args)
            except TypeError as error:
                if not self.misfits(taken, error, args, kwargs):
                    raise
            finally:
                taken.running.pop()
            return self.call(args, kwargs)
        finally:
            try:
                if token is not None and active.get() is scope:
                    active.reset(token)
                else:
                    self.state.pop(scope)
            except BaseException:
                self.state.pop(scope)
                raise

    def start(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Decide a call of a coroutine or generator function now; its work runs later."""
        from .suspended import Hold, named

        func, own, span = self.function.func, self._pop_selection(kwargs), self.state.span()
        settled = self._arbiter.settle(own or self.selector.current(), args, kwargs)
        self._arbiter.tell(settled)
        if span is not None:
            span = span.child(self._arbiter.decide(settled))
        with span or nullcontext():
            self._arbiter.allow(settled, kwargs)
            if settled.mark is None and own is None and span is None:
                return self._arbiter.run_on_host(args, kwargs, settled.choice.refusals)
            work = self._work(settled, args, kwargs)
        hold = Hold(self.state, own, settled.mark, span)
        held = hold.awaited if self.function.is_coroutine else hold.iterated
        return named(held(work), func)

    def explain(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Decision:
        """Decide a call without running it."""
        selection = self._pop_selection(kwargs) or self.selector.current()
        return self._arbiter.decide(self._arbiter.settle(selection, args, kwargs))

    def explains(self, kwargs: dict[str, Any]) -> bool:
        """Whether the selector alone made the host refuse a call's arguments.

        Raises
        ------
        TypeError
            If what the host does not take is an option of a loaded backend.
        """
        if self.name in kwargs:
            self.named[:] = [True]
            return True
        self._arbiter.refuse_foreign_options(kwargs)
        return False

    def misfits(
        self, route: Route, error: TypeError, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> bool:
        """Whether an implementation was given a call as it came that it could not have taken."""
        return self._arbiter.misfits(route, error, args, kwargs)

    def _pop_selection(self, kwargs: dict[str, Any]) -> Selection | None:
        """Take the selector out of a call, and give the selection that it makes."""
        label = kwargs.pop(self.name, None)
        return None if label is None else self.selector.for_call(label, self.state.scope())

    def _run(self, settled: Settled, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call on the first backend that can take it, else on the host."""
        route, forwarding, _, refusals = settled.choice
        if route is not None and forwarding is not None:
            return self._run_route(route, forwarding.args, forwarding.kwargs)
        self._arbiter.allow(settled, kwargs)
        if not settled.falls_back:
            return self._arbiter.run_on_host(args, kwargs, refusals)
        taken = settled  # the mark by which the arbiter knows this frame
        with self._arbiter.falling(taken):
            return self._arbiter.run_on_host(args, kwargs, refusals)

    def _run_route(self, route: Route, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if route.yields:
            from .suspended import Hold, named

            work = partial(route.implementation, *args, **kwargs)
            steps = Hold(self.state, None, route, None).iterated(work, copy_context())
            return named(steps, self.function.public)
        taken = route  # the mark by which the arbiter knows this frame
        try:
            taken.running.append(None)
            return taken.implementation(*args, **kwargs)
        finally:
            taken.running.pop()

    def _work(
        self, settled: Settled, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Callable[[], Any]:
        """Prepare what a coroutine or generator function does later."""
        route, forwarding = settled.choice[:2]
        if route is not None and forwarding is not None:
            return partial(route.implementation, *forwarding.args, **forwarding.kwargs)
        from .suspended import is_written_suspended

        if is_written_suspended(self.function.func):
            # Arguments that do not fit are told now; what is closed at once never ran.
            self._arbiter.run_on_host(args, kwargs, settled.choice.refusals).close()
        return partial(self.function.func, *args, **kwargs)

    def _trace(self, top: Scope, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call in a context whose calls are traced."""
        own, outer, active = self._pop_selection(kwargs), cast("Span", top[2]), self.state.active
        scope = top[1] if own is None else (own, top[1], None)
        selection = own or self.selector.current()
        route, settled, decision = self._way(selection, args, kwargs)
        self._arbiter.log(decision, selection)
        span = outer.child(decision)
        mine = (TRACED, scope, span)
        token = active.set(mine)
        try:
            with span:
                if settled is not None:
                    return self._run(settled, args, kwargs)
                if route is not None:
                    return self._run_route(route, args, kwargs)
                return self._arbiter.run_on_host(args, kwargs, ())
        finally:
            span.end()
            if active.get() is mine:
                active.reset(token)
            else:
                self.state.leave(scope if own else None, outer)

    def _way(
        self, selection: Selection, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Route | None, Settled | None, Decision]:
        """Settle a call that is traced; those of one shape are described only once."""
        route = self.ready.get(selection)
        passes = selection.is_host if route is None else _passes(route, args, kwargs)
        shape: Hashable = (self.selector.changes.generation, selection, len(args), *kwargs)
        decision = self._decisions.get(shape) if passes else None
        # A route that takes what has this shape is told of it; the host may not have taken it.
        if decision is not None and (route is None or decision.backend == route.backend.name):
            return route, None, decision
        settled = self._arbiter.settle(selection, args, kwargs)
        shape = shape if passes else settled.shape
        decision = self._decisions.get(shape) or self._arbiter.decide(settled)
        if shape is not None:
            if len(self._decisions) >= _MOST_SHAPES:
                self._decisions.clear()
            self._decisions[shape] = decision
        return None, settled, decision


def _passes(route: Route, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a call reaches the implementation as it came, as in `_wrapper`."""
    return not route.running and len(args) <= route.straight and route.unchanged.issuperset(kwargs)
