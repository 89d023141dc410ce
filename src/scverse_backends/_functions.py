"""Functions: the decorator for host functions, and the path of every call."""

from __future__ import annotations

import inspect
import sys
from contextlib import suppress
from functools import partial, update_wrapper
from types import FunctionType
from typing import TYPE_CHECKING, Any

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

    Every ordinary call passes through here and through nothing else of ours;
    what these lines do not settle is considered. Calls without keywords are
    passed on without, which is faster than passing on an empty dictionary.
    """
    func, name = considered.function.func, considered.function.selector
    state, ready, consider = considered.state, considered.planner.ready, considered.consider
    active, awake = state.active.get, state.awake
    refuses_selector = _refuses_unknown_keywords(func)

    def dispatched(*args: Any, **kwargs: Any) -> Any:
        if awake:
            scope = active()
            if scope is not None or state.selects:
                route = ready.get(state.default if scope is None else scope.selection)
                if (
                    route is None
                    or route.running
                    or len(args) > route.straight
                    or (kwargs and not route.unchanged.issuperset(kwargs))
                ):
                    return consider(args, kwargs)
                taken = route  # the mark by which `_runs_below` knows this frame
                taken.running.append(None)
                try:
                    run = taken.implementation
                    return run(*args, **kwargs) if kwargs else run(*args)
                finally:
                    taken.running.pop()
            if kwargs and name in kwargs:
                return consider(args, kwargs)
        if not kwargs:
            return func(*args)
        if refuses_selector or name not in kwargs:
            try:
                return func(*args, **kwargs)
            except TypeError as error:
                if not considered.explains(error, kwargs):
                    raise
        return consider(args, kwargs)

    return dispatched


def _refuses_unknown_keywords(func: Callable[..., Any]) -> bool:
    """Whether a call with the selector fails before any of the host's code runs.

    Then nothing needs to look for the selector until that failure.
    """
    return type(func) is FunctionType and not func.__code__.co_flags & inspect.CO_VARKEYWORDS


class Dispatch:
    """The calls of one decorated function that need a closer look."""

    def __init__(self, function: HostFunction, selector: Selector) -> None:
        self.function = function
        self.registry = selector.registry
        self.state = selector.state
        self.planner = Planner(function, selector.registry)
        self.consider = self.start if function.is_coroutine else self.call
        self._selector = selector

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call of a plain function; one that names its backend is one inside a scope."""
        label = kwargs.pop(self.function.selector, None)
        if label is None:
            return self._run(self._selector.current(), args, kwargs)
        active = self.state.active
        token = active.set(self._selector.for_call(label))
        try:
            return self.function.public(*args, **kwargs)
        finally:
            active.reset(token)

    def start(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Coroutine[Any, Any, Any]:
        """Decide a call of a coroutine function now, and give the coroutine that runs it."""
        label = kwargs.pop(self.function.selector, None)
        own = None if label is None else self._selector.for_call(label).selection
        selection = own or self._selector.current()
        route, forwarding = self._settle(selection, args, kwargs)[:2]
        if route is not None and forwarding is not None and not self._is_inside(route):
            work = partial(route.implementation, *forwarding.args, **forwarding.kwargs)
            return self._held(own, work, route)
        coroutine = self.function.func(*args, **kwargs)
        return coroutine if own is None else self._held(own, lambda: coroutine)

    def explain(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Decision:
        """Decide a call without running it."""
        label = kwargs.pop(self.function.selector, None)
        own = None if label is None else self._selector.for_call(label).selection
        selection = own or self._selector.current()
        choice = choose(self.function, self.planner.plan(selection).routes, args, kwargs)
        nested = choice.route is not None and self._is_inside(choice.route)
        return decide(self.function, selection, choice, nested=nested)

    def explains(self, error: TypeError, kwargs: dict[str, Any]) -> bool:
        """Whether the selector alone made the host refuse a call's arguments.

        Raises
        ------
        TypeError
            If what the host does not take is an option of a loaded backend.
        """
        entered = error.__traceback__ is not None and error.__traceback__.tb_next is not None
        if entered:
            return False
        if self.function.selector in kwargs:
            return True
        self._refuse_foreign_options(kwargs)
        return False

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

    def _run(self, selection: Selection, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call on the first backend that can take it, else on the host."""
        route, forwarding = self._settle(selection, args, kwargs)[:2]
        if route is None or forwarding is None or self._is_inside(route):
            return self.function.func(*args, **kwargs)
        taken = route  # the mark by which `_runs_below` knows this frame
        taken.running.append(None)
        try:
            return taken.implementation(*forwarding.args, **forwarding.kwargs)
        finally:
            taken.running.pop()

    async def _held(self, own: Selection | None, work: Callable[[], Any], *entered: Route) -> Any:
        """Run a coroutine function's work inside the scope that was decided for it."""
        inside, owner = self.state.inside, object()
        token = inside.set((*inside.get(), *entered))
        if own is not None:
            self.state.push(own, owner)
        try:
            result = work()
            return await result if inspect.isawaitable(result) else result
        finally:
            self.state.pop(owner)
            # A coroutine that is thrown away may be closed in another context than it ran in.
            with suppress(ValueError):
                inside.reset(token)

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
        return route in self.state.inside.get() or _runs_below(route)


def _runs_below(route: Route) -> bool:
    """Whether a route is being run further down this thread's stack.

    Counting what runs costs a call little; only a call that finds the count
    above zero pays for this look at whose it is.
    """
    ours = globals()
    frame = sys._getframe(1) if route.running else None  # noqa: SLF001 - there is no other way
    while frame is not None:
        if frame.f_globals is ours and frame.f_locals.get("taken") is route:
            return True
        frame = frame.f_back
    return False


def _mark_as_coroutine_function(func: Any) -> None:
    """Make a plain function that returns a coroutine known as a coroutine function."""
    if sys.version_info >= (3, 12):
        inspect.markcoroutinefunction(func)
    else:
        # 3.11 has no such mark; there the flag is read by `inspect` and by nothing that runs code.
        func.__code__ = func.__code__.replace(
            co_flags=func.__code__.co_flags | inspect.CO_COROUTINE
        )
