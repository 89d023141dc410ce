"""Functions: the decorator for host functions, and the path of every call.

`_wrapper` makes what users call. A call that it cannot settle by itself goes to
`Dispatch`, which asks the `Resolver` who runs it.
"""

from __future__ import annotations

from contextlib import nullcontext
from contextvars import copy_context
from functools import partial, update_wrapper
from operator import attrgetter
from threading import get_ident
from typing import TYPE_CHECKING, Any, cast

from scverse_backends._ground.once import once
from scverse_backends._selection.blocks import DISPATCH
from scverse_backends._selection.state import TRACED

from .eligibility import check_host
from .running import Mark, Running

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from scverse_backends._ground.records import Decision, Refusal
    from scverse_backends._selection.selector import Selector
    from scverse_backends._selection.state import Scope, Selection

    from .host import HostFunction
    from .implementations import RouteCache
    from .resolution import Resolution, Resolver
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
    fallbacks, look_up = considered.running.fallbacks, attrgetter(considered.function.name)
    # A host that would take the selector for an option of its own is always looked at.
    awake = named or state.awake

    def dispatched(*args: Any, **kwargs: Any) -> Any:  # noqa: C901, PLR0911, PLR0912 - as above
        if awake:
            scope = active()
            if scope is not None or state.selects:
                selection = state.default if scope is None else scope[0]
                route = ready.get(selection)
                if (
                    route is not None
                    and len(args) <= route.max_positional
                    and (not kwargs or route.keywords.issuperset(kwargs))
                    and (me := get_ident()) not in route.threads
                    and not (fallbacks and me in fallbacks)
                ):
                    try:
                        run = look_up(route.adapter)
                        is_known = run is route.implementation or run.__func__ is route.underlying
                    except Exception:  # noqa: BLE001 - another implementation, or none; considered
                        is_known = False
                    if is_known:
                        try:
                            route.threads.add(me)
                            return run(*args, **kwargs) if kwargs else run(*args)
                        except TypeError as error:
                            if not considered.misfits(route, error, args, kwargs):
                                raise
                        finally:
                            route.threads.discard(me)
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
    """The calls of one decorated function that need a closer look.

    Attributes
    ----------
    ready
        The route of each selection's first choice, where some calls can take it as they come.
    named
        Empty until a call had the selector, if the host refuses it as it does any keyword.
    watchers
        Told of each route that a call made necessary.
    """

    def __init__(self, function: HostFunction, selector: Selector) -> None:
        self.function = function
        self.selector = selector
        self.state = selector.state
        self._active = selector.state.active
        self.ready: dict[Selection, Route] = {}
        self.running = Running(selector.state.inside)
        self.consider = self.start if function.is_suspended else self.call
        self.named = [] if function.refuses_unknown_keywords else [True]
        self.name = function.selector
        self.watchers: list[Callable[[Iterable[object]], None]] = []
        self._decisions: dict[Hashable, Decision] = {}
        selector.changes.watch(self._decisions.clear)

    @once
    def routes(self) -> RouteCache:
        """Make the routes of the function, when a backend is first selected or asked for."""
        from .implementations import RouteCache

        return RouteCache(self.function, self.selector.registry, self.running, self._tell)

    @once
    def resolver(self) -> Resolver:
        """Make what resolves calls, when one is first considered."""
        from .resolution import Resolver

        return Resolver(self.function, self.selector, self.routes, self.running, self.ready)

    def _tell(self, routes: Iterable[object]) -> None:
        for watcher in self.watchers:
            watcher(routes)

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call of a plain function; one that names its backend is one inside a scope."""
        active = self._active
        outer = active.get()
        if outer is not None and outer[0] is TRACED:
            return self._trace(outer, args, kwargs)
        label = kwargs.pop(self.name, _UNNAMED)
        if label is _UNNAMED:
            resolution = self.resolver.resolve(self.selector.current(), args, kwargs)
            self.resolver.tell(resolution)
            if resolution.nested is None:
                return self._run(resolution, args, kwargs)
            # Run from here: a host function may call itself to any depth.
            try:
                return self.function.func(*args, **kwargs)
            except Exception as error:
                self._explain_failure(error, kwargs, resolution.refusals)
                raise
        if label is None:
            return self.function.public(*args, **kwargs)
        known = outer is None and type(label) is str and self.selector.calls.get(label)
        selection = known or self.selector.for_call(label, outer)
        scope = (selection, outer, None)
        token = None
        try:
            token = active.set(scope)
            return self.function.public(*args, **kwargs)
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

        own, span = self._pop_selection(kwargs), self.state.span()
        resolution = self.resolver.resolve(own or self.selector.current(), args, kwargs)
        self.resolver.tell(resolution)
        if span is not None:
            span = span.child(self.resolver.decide(resolution))
        with span or nullcontext():
            if resolution.is_fallback:
                self.resolver.allow(resolution, kwargs)
            key = self._key(resolution)
            if key is None and own is None and span is None:
                return self._run_on_host(args, kwargs, resolution.refusals)
            work = self._work(resolution, args, kwargs)
        mark = None if key is None else Mark(self.running, key)
        note = _note(resolution.refusals) if resolution.route is None else ""
        hold = Hold(self.state, own, mark, span, note)
        held = hold.awaited if self.function.is_coroutine else hold.iterated
        return named(held(work), self.function.func)

    def explain(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Decision:
        """Decide a call without running it."""
        selection = self._pop_selection(kwargs) or self.selector.current()
        return self.resolver.decide(self.resolver.resolve(selection, args, kwargs))

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
        self.resolver.refuse_backend_options(kwargs)
        return False

    def misfits(
        self, route: Route, error: TypeError, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> bool:
        """Whether a call that went to a route as it came ended because it is incomplete.

        Nothing of it ran then: the call itself failed, or the host, which takes no such call
        either, fails in its place.
        """
        from .routes import takes

        at_once = getattr(error.__traceback__, "tb_next", None) is None
        return (at_once or self.function.is_plain) and not takes(route, args, kwargs)

    def _pop_selection(self, kwargs: dict[str, Any]) -> Selection | None:
        """Take the selector out of a call, and give the selection that it makes."""
        label = kwargs.pop(self.name, None)
        return None if label is None else self.selector.for_call(label, self.state.scope())

    def _key(self, resolution: Resolution) -> str | Selection | None:
        """Tell what a coroutine or generator is inside of while it runs; ``None`` for nothing."""
        if resolution.is_fallback:
            return resolution.selection
        return None if resolution.route is None else resolution.route.backend.name

    def _run(self, resolution: Resolution, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call on the first backend that can take it, else on the host."""
        route, forwarding = resolution.route, resolution.forwarding
        if route is not None and forwarding is not None:
            return self._run_route(route, forwarding.args, forwarding.kwargs)
        if not resolution.is_fallback:
            return self._run_on_host(args, kwargs, resolution.refusals)
        self.resolver.allow(resolution, kwargs)
        with self.running.fallback(resolution.selection):
            return self._run_on_host(args, kwargs, resolution.refusals)

    def _run_route(self, route: Route, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if route.gives_generator:
            from .suspended import Hold, named

            work = partial(route.implementation, *args, **kwargs)
            hold = Hold(self.state, None, Mark(self.running, route.backend.name), None, "")
            return named(hold.iterated(work, copy_context()), self.function.public)
        me = get_ident()
        try:
            route.threads.add(me)
            return route.implementation(*args, **kwargs)
        finally:
            route.threads.discard(me)

    def _run_on_host(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], refusals: tuple[Refusal, ...]
    ) -> Any:
        """Run a call on the host, whose decorators may take more than its signature shows."""
        try:
            return self.function.func(*args, **kwargs)
        except Exception as error:
            self._explain_failure(error, kwargs, refusals)
            raise

    def _explain_failure(
        self, error: Exception, kwargs: dict[str, Any], refusals: tuple[Refusal, ...]
    ) -> None:
        """Say with an error of the host why the host ran the call at all."""
        if isinstance(error, TypeError):
            self.resolver.refuse_backend_options(kwargs, refusals)
        if refusals:
            error.add_note(_note(refusals))

    def _work(
        self, resolution: Resolution, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Callable[[], Any]:
        """Prepare what a coroutine or generator function does later."""
        route, forwarding = resolution.route, resolution.forwarding
        if route is not None and forwarding is not None:
            return partial(route.implementation, *forwarding.args, **forwarding.kwargs)
        from .suspended import is_written_suspended

        if is_written_suspended(self.function.func):
            # Arguments that do not fit are told now; what is closed at once never ran.
            self._run_on_host(args, kwargs, resolution.refusals).close()
        return partial(self.function.func, *args, **kwargs)

    def _trace(self, top: Scope, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call in a context whose calls are traced."""
        own, outer, active = self._pop_selection(kwargs), cast("Span", top[2]), self.state.active
        scope = top[1] if own is None else (own, top[1], None)
        selection = own or self.selector.current()
        route, resolution, decision = self._way(selection, args, kwargs)
        self.resolver.log(decision, selection)
        span = outer.child(decision)
        mine = (TRACED, scope, span)
        token = active.set(mine)
        try:
            with span:
                if route is not None:
                    return self._run_route(route, args, kwargs)
                if resolution is not None and (resolution.route or resolution.is_fallback):
                    return self._run(resolution, args, kwargs)
                # Run from here, as in `call`.
                try:
                    return self.function.func(*args, **kwargs)
                except Exception as error:
                    self._explain_failure(error, kwargs, decision.refusals)
                    raise
        finally:
            span.end()
            if active.get() is mine:
                active.reset(token)
            else:
                self.state.leave(scope if own else None, outer)

    def _way(
        self, selection: Selection, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Route | None, Resolution | None, Decision]:
        """Resolve a call that is traced; those of one shape are described only once."""
        route = self.ready.get(selection)
        passes = selection.is_host if route is None else self._passes(route, args, kwargs)
        shape: Hashable = (self.selector.changes.generation, selection, len(args), *kwargs)
        decision = self._decisions.get(shape) if passes else None
        # A route that takes what has this shape is told of it; the host may not have taken it.
        if decision is not None and (route is None or decision.backend == route.backend.name):
            return route, None, decision
        resolution = self.resolver.resolve(selection, args, kwargs)
        shape = shape if passes else resolution.shape
        decision = self._decisions.get(shape) or self.resolver.decide(resolution)
        if shape is not None:
            if len(self._decisions) >= _MOST_SHAPES:
                self._decisions.clear()
            self._decisions[shape] = decision
        return None, resolution, decision

    def _passes(self, route: Route, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether a call reaches the implementation as it came, as in `_wrapper`."""
        return (
            len(args) <= route.max_positional
            and route.keywords.issuperset(kwargs)
            and not self.running.has(route.backend.name)
            and get_ident() not in self.running.fallbacks
            and self.routes.route(route.backend) is route
        )


def _note(refusals: tuple[Refusal, ...]) -> str:
    """Say why the host runs a call, for an error that it raises; nothing if no backend was asked."""
    from scverse_backends.exceptions import reasons

    return f"No selected backend could take the call: {reasons(refusals)}." if refusals else ""
