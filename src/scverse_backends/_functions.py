"""Functions: the decorator for host functions, and the path of every call."""

from __future__ import annotations

import inspect
import sys
from functools import partial, update_wrapper
from threading import get_ident
from typing import TYPE_CHECKING, Any, cast

from . import _caller
from ._decisions import decide
from ._labels import quoted
from ._plans import Planner
from ._routing import HostFunction, choose
from ._signatures import PublicSignature, check_host, insert, selector_parameter
from .exceptions import BackendFallbackError, BackendFallbackWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ._model import Decision, FallbackPolicy
    from ._routing import Choice, Route
    from ._selection import Selection
    from ._selector import Selector


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
    public.__signature__ = PublicSignature(lambda: _public_signature(function))  # type: ignore[attr-defined]
    public.__scverse_dispatch__ = considered  # type: ignore[attr-defined]
    if function.is_coroutine:
        _mark_as_coroutine_function(public)
    function.public = public
    return public


def _public_signature(function: HostFunction) -> inspect.Signature:
    """Add the selector to the host's own signature."""
    extra = [selector_parameter(function.selector)] if function.selector else []
    return insert(inspect.signature(function.func), extra)


def _wrapper(considered: Dispatch) -> Callable[..., Any]:
    """Make the function that users call.

    Everything an ordinary call passes through is here, in the order in which
    it is most often decided; the rest is considered.
    """
    func, name = considered.function.func, considered.function.selector
    state, registry, plans = considered.state, considered.registry, considered.planner.plans
    active = state.active.get
    consider = considered.start if considered.function.is_coroutine else considered.call

    def dispatched(*args: Any, **kwargs: Any) -> Any:
        if name in kwargs:
            return consider(args, kwargs)
        if not state.quiet:
            scope = active()
            selection = state.default if scope is None else scope.selection
            if not selection.is_host:
                plan = plans.get(selection)
                if plan is None or plan.generation is not registry.generation:
                    return consider(args, kwargs)
                route, thread = plan.first, get_ident()
                if (
                    len(args) > route.straight
                    or thread in route.running
                    or not route.unchanged.issuperset(kwargs)
                ):
                    return consider(args, kwargs)
                route.running.add(thread)
                try:
                    return route.implementation(*args, **kwargs)
                finally:
                    route.running.discard(thread)
        if not kwargs:
            return func(*args)
        try:
            return func(*args, **kwargs)
        except TypeError as error:
            considered.explain_misfit(error, kwargs)
            raise

    return dispatched


class Dispatch:
    """The calls of one decorated function that need a closer look."""

    def __init__(self, function: HostFunction, selector: Selector) -> None:
        self.function = function
        self.registry = selector.registry
        self.state = selector.state
        self.planner = Planner(function, selector.registry)
        self._selector = selector

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call of a plain function; one that names its backend holds it for all it calls."""
        label = kwargs.pop(cast("str", self.function.selector), None)
        if label is None:
            return self._run(self._selector.current(), args, kwargs)
        scope = self._selector.for_call(label)
        token = self.state.active.set(scope)
        try:
            return self._run(scope.selection, args, kwargs)
        finally:
            self.state.active.reset(token)

    def start(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Coroutine[Any, Any, Any]:
        """Decide a call of a coroutine function now, and give the coroutine that runs it."""
        label = kwargs.pop(cast("str", self.function.selector), None)
        selection = self._selected(label)
        route, forwarding = self._settle(selection, args, kwargs)[:2]
        if route is not None and forwarding is not None and not self._is_inside(route):
            work = partial(route.implementation, *forwarding.args, **forwarding.kwargs)
            return self._held(selection, work, route)
        coroutine = self._run_on_host(args, kwargs)
        return coroutine if label is None else self._held(selection, lambda: coroutine)

    def explain(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Decision:
        """Decide a call without running it."""
        selection = self._selected(kwargs.pop(cast("str", self.function.selector), None))
        choice = choose(self.function, self.planner.plan(selection).routes, args, kwargs)
        nested = choice.route is not None and self._is_inside(choice.route)
        return decide(self.function, selection, choice, nested=nested)

    def explain_misfit(self, error: TypeError, kwargs: dict[str, Any]) -> None:
        """Say more of a host's `TypeError`, if the arguments did not even enter its code."""
        if error.__traceback__ is not None and error.__traceback__.tb_next is None:
            self._refuse_foreign_options(kwargs)

    def _refuse_foreign_options(self, kwargs: dict[str, Any]) -> None:
        """Say whose option an argument is that the host does not take.

        Raises
        ------
        TypeError
            If a loaded backend has an option of that name.
        """
        host = self.function.parameters
        for name in () if host.takes_kwargs else kwargs.keys() - host.keyword:
            owners = self.planner.owners(name)
            if owners:
                msg = (
                    f"{self.function.name}: {name!r} is an option of backend {quoted(owners)}, "
                    f"and this call runs on {self.registry.configuration.host} (cpu), "
                    "which does not take it. Leave it out, or select the backend."
                )
                raise TypeError(msg)

    def _selected(self, label: Any) -> Selection:
        if label is None:
            return self._selector.current()
        return self._selector.for_call(label).selection

    def _run(self, selection: Selection, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call on the first backend that can take it, else on the host."""
        choice = self._settle(selection, args, kwargs)
        if choice.route is None or choice.forwarding is None or self._is_inside(choice.route):
            return self._run_on_host(args, kwargs)
        thread, running = get_ident(), choice.route.running
        running.add(thread)
        try:
            return choice.route.implementation(*choice.forwarding.args, **choice.forwarding.kwargs)
        finally:
            running.discard(thread)

    def _run_on_host(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return self.function.func(*args, **kwargs)
        except TypeError as error:
            self.explain_misfit(error, kwargs)
            raise

    async def _held(self, selection: Selection, work: Callable[[], Any], *entered: Route) -> Any:
        """Run a coroutine function's work under the selection that was decided for it."""
        owner = object()
        self.state.push(selection, owner, *entered)
        try:
            result = work()
            return await result if inspect.isawaitable(result) else result
        finally:
            self.state.pop(owner)

    def _settle(
        self, selection: Selection, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Choice:
        """Choose who runs a call; ending at the host unasked is a fallback."""
        plan = self.planner.plan(selection)
        choice = choose(self.function, plan.routes, args, kwargs)
        if choice.route is None and choice.refusals and not plan.ends_at_host:
            self._refuse_foreign_options(kwargs)
            self._fall_back(self.state.policy(selection), choice)
        return choice

    def _fall_back(self, policy: FallbackPolicy, choice: Choice) -> None:
        """Tell, or refuse, that the host runs what was meant for a backend."""
        name, host = self.function.name, self.registry.configuration.host
        if policy == "error":
            raise BackendFallbackError(name, host=host, refusals=choice.refusals)
        if policy == "warn":
            _caller.warn(BackendFallbackWarning(name, host=host, refusals=choice.refusals))

    def _is_inside(self, route: Route) -> bool:
        """Whether a route's own implementation is what makes the call."""
        scope = self.state.active.get()
        return get_ident() in route.running or (scope is not None and route in scope.running)


def _mark_as_coroutine_function(func: Any) -> None:
    """Make a plain function that returns a coroutine known as a coroutine function."""
    if sys.version_info >= (3, 12):
        inspect.markcoroutinefunction(func)
    else:
        # 3.11 has no such mark; there the flag is read by `inspect` and by nothing that runs code.
        func.__code__ = func.__code__.replace(
            co_flags=func.__code__.co_flags | inspect.CO_COROUTINE
        )
