"""Functions: the decorator for host functions, and the path of every call.

`_wrapper` makes what users call. A call that it cannot settle by itself goes to
`Dispatch`, which asks the `Resolver` who runs it, and has the `Decisions` told.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from contextvars import copy_context
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from scverse_backends._ground import messages
from scverse_backends._ground.callables import as_generator_function, name_after, once
from scverse_backends._ground.safe_repr import attempt
from scverse_backends._selection.blocks import DISPATCH
from scverse_backends._selection.state import TRACED

from .execution import Execution, note
from .nesting import this_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from scverse_backends._ground.records import Decision
    from scverse_backends._selection.selection import Selection
    from scverse_backends._selection.selector import Selector
    from scverse_backends._selection.state import Scope

    from .host import HostFunction
    from .routes import Route
    from .spans import TracedCalls


def dispatch(function: HostFunction, selector: Selector) -> Callable[..., Any]:
    """Make the public callable of a host function that `check_host` let pass."""
    considered = Dispatch(function, selector)
    public = _wrapper(considered)
    if function.is_suspended and not function.is_coroutine:
        public = as_generator_function(public)
    name_after(public, function.func, function.name)
    setattr(public, DISPATCH, considered)
    if function.is_coroutine:
        from .suspended import mark_as_coroutine_function

        mark_as_coroutine_function(public)
    function.public = public
    return public


def _wrapper(considered: Dispatch) -> Callable[..., Any]:  # noqa: C901 - a call would cost more
    """Make the function that users call.

    Every ordinary call passes through here and through nothing else of ours;
    what these lines do not settle goes to `Dispatch.consider`. Calls without keywords are
    passed on without, which is faster than passing on an empty dictionary.
    """
    func, name, seen = considered.function.func, considered.selector_name, considered.selector_seen
    state, ready, offered = considered.state, considered.ready, considered.function.name
    look_up = attrgetter(offered) if "." in offered else None
    # A host that would take the selector for an option of its own is always looked at.
    awake = seen or state.awake

    __tracebackhide__ = True  # IPython and pytest leave out frames that know this name

    def dispatched(*args: Any, **kwargs: Any) -> Any:  # noqa: C901, PLR0911, PLR0912 - as above
        nonlocal __tracebackhide__  # which costs less than setting it
        if awake:
            # What is selected here. Python 3.11 takes longer for a call of `state.look` in one step.
            look = state.look
            scope = look()
            own = selection = None
            if scope is not None:
                selection = scope[0]
            elif state.selects:
                selection = state.default
            elif not kwargs:
                return func(*args)  # the most common call of all, at once
            elif seen and name in kwargs:
                own, selection = considered.own_scope(kwargs)
            if selection is not None:
                # Its first choice, if the call reaches the implementation there is now as it came.
                route = ready.get(selection)
                if (
                    route is not None
                    and len(args) <= route.max_positional
                    and (not kwargs or route.keywords.issuperset(kwargs))
                ):
                    entry, adapter, known = route.entry, route.adapter, False
                    inside: Any = None
                    run: Any = None
                    try:
                        inside = this_thread.inside
                        if not inside or inside.isdisjoint((entry, considered.entry(selection))):
                            run = look_up(adapter) if look_up else getattr(adapter, offered)
                            known = run is route.implementation or run.__func__ is route.underlying
                    except Exception:  # noqa: BLE001 - another implementation, none, or a new thread
                        known = False
                    if known:
                        try:
                            inside.add(entry)
                            if own:
                                return considered.call(args, kwargs, own, run)
                            return run(*args, **kwargs) if kwargs else run(*args)
                        except TypeError as error:
                            if not considered.misfits(route, error, args, kwargs):
                                raise
                        finally:
                            inside.discard(entry)
                # Everything else that is selected, but the host.
                if own:
                    return considered.call(args, kwargs, own, considered.function.public)
                if not (selection.is_host or selection in considered.on_host):
                    return considered.consider(args, kwargs)
            if kwargs and seen and name in kwargs:
                return considered.consider(args, kwargs)
        if not kwargs:
            return func(*args)
        try:
            return func(*args, **kwargs)
        except TypeError:
            if not considered.blames_selector(kwargs):
                raise
        return considered.consider(args, kwargs)

    return dispatched


_UNNAMED = object()
"""Stands for the selector of a call that has none."""


class Dispatch(Execution):
    """The calls of one decorated function that need a closer look.

    Attributes
    ----------
    consider
        Runs such a call.
    selector_name
        The parameter that names backends for one call; empty for none.
    selector_seen
        Empty until a call had it, if the host refuses it as it does any keyword.
    """

    def __init__(self, function: HostFunction, selector: Selector) -> None:
        super().__init__(function, selector)
        self._active = selector.state.active
        self.consider = self.start if function.is_suspended else self.call
        self.selector_name = function.selector_name
        self.selector_seen = [] if function.refuses_unknown_keywords else [True]

    def __reduce__(self) -> tuple[Any, ...]:
        """Send what a decorator around ours has of it: a way to find it in the other process."""
        public: Any = self.function.public
        module, name = public.__module__, public.__qualname__
        found = attempt(lambda: attrgetter(name)(sys.modules[module]), lambda _: None)
        if module == "__main__" or getattr(found, DISPATCH, None) is not self:
            host = self.selector.configuration.host
            msg = (
                f"{module}.{name} is dispatched by {host}, and cannot be sent to another process as "
                f"code. Put it in a module that can be imported there, or send {name}.__wrapped__, "
                "which runs on the host."
            )
            raise TypeError(msg)
        return attrgetter(DISPATCH), (found,)

    def __deepcopy__(self, memo: Any) -> Dispatch:
        """Give itself, as the copy of a function is the function."""
        return self

    @once
    def traced(self) -> TracedCalls:
        """Make what runs calls in a context that is traced, when one is first made there."""
        from .spans import TracedCalls

        return TracedCalls(self)

    def call(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        scope: Scope | None = None,
        run: Any = None,
    ) -> Any:
        """Run a call of a plain function; one that names its backend is one inside a scope.

        Both in one frame: a function may call itself, and name its backend, to any depth.

        Parameters
        ----------
        args, kwargs
            The call.
        scope, run
            The scope of a call that `own_scope` took the selector from, and what runs inside it.
        """
        __tracebackhide__ = True
        if scope is None:
            outer = self.state.look()
            if outer is not None and outer[0] is TRACED:
                return self.traced.call(outer, args, kwargs)
            label = kwargs.pop(self.selector_name, _UNNAMED)
            if label is _UNNAMED:
                resolution = self.resolve(self.selector.current(), args, kwargs)
                self.decisions.log_resolution(resolution)
                if not resolution.is_for_host:
                    return self.run(resolution, args, kwargs)
                # Run from here: a host function may call itself to any depth.
                try:
                    return self.function.func(*args, **kwargs)
                except Exception as error:
                    self.explain_failure(error, kwargs, resolution.refusals)
                    raise
            run = self.function.public
            if label is None:
                return run(*args, **kwargs)
            scope = (self.selector.for_call(label, outer), outer, None)
        active, token = self._active, None
        try:
            token = active.set(scope)
            return run(*args, **kwargs) if kwargs else run(*args)
        finally:
            try:
                if token is not None and active.get() is scope:
                    active.reset(token)
                else:
                    self.state.pop(scope)
            except BaseException:
                self.state.pop(scope)
                raise

    def own_scope(self, kwargs: dict[str, Any]) -> tuple[Scope | None, Selection | None]:
        """Take the selector out of a call, if it is a label that was seen before, outside of any block."""
        label = kwargs[self.selector_name]
        selection = self.selector.calls.get(label) if type(label) is str else None
        if selection is None or self.function.is_suspended:
            return None, None
        del kwargs[self.selector_name]
        return (selection, None, None), selection

    def start(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Decide a call of a coroutine or generator function now; its work runs later."""
        from .suspended import Hold, named_after

        own, top, span = self.pop_selection(kwargs), self.state.look(), None
        resolution = self.resolve(own or self.selector.current(), args, kwargs)
        if top is not None and top[0] is TRACED:
            from .spans import begin

            site = messages.call_site(3, self.decorators)
            outer: Any = top[2]
            span = begin(outer, self.decisions.describe(resolution), site, self.state.observers)
        self.decisions.log_resolution(resolution)
        with span or nullcontext():
            if resolution.lacks_backend:
                self.decisions.tell_fallback(resolution, kwargs)
            entry = self.entry_of(resolution)
            if entry is None and own is None and span is None:
                return self.run_on_host(args, kwargs, resolution.refusals)
            work = self.work(resolution, args, kwargs)
        why = note(resolution.refusals) if resolution.forwarding is None else ""
        hold = Hold(self.state, own, entry, span, why)
        held = hold.awaited if self.function.is_coroutine else hold.iterated
        return named_after(held(work), self.function.func)

    def explain(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], outermost: Any = None
    ) -> Decision:
        """Decide a call without running it.

        Parameters
        ----------
        args, kwargs
            The call.
        outermost
            The function that is called, if decorators stand outside of ours. They run, and may
            change the call; it is decided as it arrives.
        """
        if outermost is not None and outermost is not self.function.public:
            from .arrival import arrive

            work = partial(outermost, *args, **kwargs)
            arrived = copy_context().run(arrive, self.function.name, self.state, work)
            if arrived is not None:
                return arrived
        selection = self.pop_selection(kwargs) or self.selector.current()
        return self.decisions.describe(self.resolve(selection, args, kwargs))

    def blames_selector(self, kwargs: dict[str, Any]) -> bool:
        """Whether the selector alone made the host refuse a call's arguments.

        Raises
        ------
        TypeError
            If what the host does not take is an option of a loaded backend.
        """
        if self.selector_name in kwargs:
            self.selector_seen[:] = [True]
            return True
        __tracebackhide__ = True
        self.decisions.refuse_backend_options(kwargs)
        return False

    def misfits(
        self, route: Route, error: TypeError, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> bool:
        """Whether a call that went to a route as it came ended because it is incomplete.

        Nothing of it ran then: the call itself failed, or the host, which takes no such call
        either, fails in its place.
        """
        from .forwarding import reaches

        at_once = messages.without_own_frames(error.__traceback__) is None
        return (at_once or self.function.is_plain) and not reaches(route, args, kwargs)
