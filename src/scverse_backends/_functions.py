"""Functions: the decorator for host functions, and the path of every call."""

from __future__ import annotations

import inspect
import sys
from functools import partial, update_wrapper
from itertools import takewhile
from types import FunctionType
from typing import TYPE_CHECKING, Any

from . import _caller
from ._blocks import DISPATCH
from ._decisions import decide
from ._labels import quoted
from ._model import Refusal
from ._presentation import Presentation
from ._routing import HostFunction, choose
from ._signatures import check_host, fits
from ._suspended import Hold, is_written_async, mark_as_coroutine_function, named
from .exceptions import BackendFallbackError, BackendFallbackWarning, reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._model import Decision, FallbackPolicy
    from ._plans import Plan
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
    public.__doc__ = considered.presentation.opening()
    setattr(public, "__signature__", considered.presentation.signature)  # noqa: B010 - typed as a plain callable
    setattr(public, DISPATCH, considered)
    if function.is_coroutine:
        mark_as_coroutine_function(public)
    function.public = public
    return public


def _wrapper(considered: Dispatch) -> Callable[..., Any]:  # noqa: C901 - a call would cost more
    """Make the function that users call.

    Every ordinary call passes through here and through nothing else of ours;
    what these lines do not settle is considered. Calls without keywords are
    passed on without, which is faster than passing on an empty dictionary.
    """
    func, name = considered.function.func, considered.function.selector
    state, ready, active = considered.state, considered.ready, considered.state.active.get
    # A host that would take the selector for an option of its own is always looked at.
    awake = state.awake if considered.refuses_selector else [True]

    def dispatched(*args: Any, **kwargs: Any) -> Any:  # noqa: PLR0911 - as above
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
                    taken = route  # the mark by which `_runs_below` knows this frame
                    taken.running.append(None)
                    try:
                        run = taken.implementation
                        return run(*args, **kwargs) if kwargs else run(*args)
                    finally:
                        taken.running.pop()
                if not selection.is_host:
                    return considered.consider(args, kwargs)
            if not kwargs:
                return func(*args)
            if name in kwargs:
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
        self.presentation = Presentation(function, self.registry)
        self.planner = self.presentation.planner
        self.ready = self.planner.ready
        self.consider = self.start if function.is_suspended else self.call
        self.refuses_selector = _refuses_unknown_keywords(function.func)
        self._selector = selector
        self._name = function.selector

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call of a plain function; one that names its backend is one inside a scope.

        There it could start over as any call. One without keywords that a route
        takes as it comes is run from here, which saves an eighth of its cost.
        """
        if self._name not in kwargs:
            return self._run(self._selector.current(), args, kwargs)
        label, public = kwargs.pop(self._name), self.function.public
        if label is None:
            return public(*args, **kwargs)
        active = self.state.active
        outer = active.get()
        selection = self._selector.for_call(label, outer)
        scope = (selection, outer, None)
        token = active.set(scope)
        try:
            route = self.ready.get(selection)
            if route is None or kwargs or route.running or len(args) > route.straight:
                return public(*args, **kwargs)
            taken = route  # the mark by which `_runs_below` knows this frame
            taken.running.append(None)
            try:
                return taken.implementation(*args)
            finally:
                taken.running.pop()
        finally:
            if active.get() is scope:
                active.reset(token)
            else:
                self.state.pop(scope)

    def start(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Decide a call of a coroutine or generator function now; its work runs later."""
        func, own = self.function.func, self._pop_selection(kwargs)
        route, forwarding = self._settle(own or self._selector.current(), args, kwargs)[:2]
        if route is not None and forwarding is not None:
            work = partial(route.implementation, *forwarding.args, **forwarding.kwargs)
        elif own is None:
            return func(*args, **kwargs)
        else:
            work = partial(func, *args, **kwargs)
            if is_written_async(func):
                # Arguments that do not fit are told now; a coroutine that is closed never ran.
                work().close()
        hold = Hold(self.state, own, route)
        held = hold.awaited if self.function.is_coroutine else hold.iterated
        return named(held(work), func)

    def explain(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Decision:
        """Decide a call without running it."""
        selection = self._pop_selection(kwargs) or self._selector.current()
        plan = self.planner.plan(selection)
        choice, nested = self._choose(plan, args, kwargs)
        policy = None if nested or plan.ends_at_host else self._selector.policy(selection)
        return decide(self.function, selection, choice, nested=nested, policy=policy)

    def explains(self, kwargs: dict[str, Any]) -> bool:
        """Whether the selector alone made the host refuse a call's arguments.

        Raises
        ------
        TypeError
            If what the host does not take is an option of a loaded backend.
        """
        if self._name in kwargs:
            return True
        self._refuse_foreign_options(kwargs)
        return False

    def _refuse_foreign_options(
        self, kwargs: dict[str, Any], refusals: tuple[Refusal, ...] = ()
    ) -> None:
        """Say whose option an argument is that the host does not take."""
        host = self.function.parameters
        for name in () if host.takes_kwargs else kwargs.keys() - host.keyword:
            owners = self.planner.owners(name)
            if owners:
                advice = "Leave it out, or select the backend."
                if refusals:
                    advice = f"No selected backend can take the call: {reasons(refusals)}."
                msg = (
                    f"{self.function.name}: {name!r} is an option of backend {quoted(owners)}, "
                    f"and {self.registry.configuration.host} (cpu) does not take it. {advice}"
                )
                raise TypeError(msg)

    def _pop_selection(self, kwargs: dict[str, Any]) -> Selection | None:
        """Take the selector out of a call, and give the selection that it makes."""
        label = kwargs.pop(self._name, None)
        return None if label is None else self._selector.for_call(label, self.state.active.get())

    def _run(self, selection: Selection, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call on the first backend that can take it, else on the host."""
        route, forwarding, _, refusals = self._settle(selection, args, kwargs)
        if route is None or forwarding is None:
            return self._run_on_host(args, kwargs, refusals)
        taken = route  # the mark by which `_runs_below` knows this frame
        taken.running.append(None)
        try:
            return taken.implementation(*forwarding.args, **forwarding.kwargs)
        finally:
            taken.running.pop()

    def _run_on_host(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], refusals: tuple[Refusal, ...]
    ) -> Any:
        """Run a call on the host, whose decorators may take more than its signature shows."""
        try:
            return self.function.func(*args, **kwargs)
        except TypeError:
            self._refuse_foreign_options(kwargs, refusals)
            raise

    def _settle(
        self, selection: Selection, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Choice:
        """Choose who runs a call; ending at the host unasked is a fallback."""
        plan = self.planner.plan(selection)
        choice, nested = self._choose(plan, args, kwargs)
        if choice.route is None and choice.refusals and not (nested or plan.ends_at_host):
            self._fall_back(self._selector.policy(selection), choice, kwargs)
        return choice

    def _choose(
        self, plan: Plan, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Choice, bool]:
        """Choose a route; tell, too, whether the search ended at one that is making the call."""
        asked = tuple(takewhile(lambda route: not self._is_inside(route), plan.routes))
        choice = choose(self.function, asked, args, kwargs)
        return choice, choice.route is None and len(asked) < len(plan.routes)

    def _fall_back(self, policy: FallbackPolicy, choice: Choice, kwargs: dict[str, Any]) -> None:
        """Tell, or refuse, that the host runs what was meant for a backend."""
        name, host, refusals = self.function.name, self.registry.configuration.host, choice.refusals
        if policy == "error":
            raise BackendFallbackError(name, host=host, refusals=refusals)
        if self.refuses_selector:
            self._refuse_foreign_options(kwargs, refusals)
            if not fits(self.function.parameters, choice.given):
                return  # the host refuses the arguments, so nothing falls back
        if policy == "warn":
            _caller.warn(BackendFallbackWarning(name, host=host, refusals=refusals))

    def _is_inside(self, route: Route | Refusal) -> bool:
        """Whether a route's own implementation is what makes the call."""
        if isinstance(route, Refusal):
            return False
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
