"""Execution: how a call of one function is run, once it is clear who runs it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from scverse_backends._ground import messages
from scverse_backends._ground.callables import once, with_decorators
from scverse_backends._ground.records import Refusal, reasons
from scverse_backends._ground.safe_repr import add_note

from .nesting import Nesting, inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scverse_backends._ground.records import LoadedBackend
    from scverse_backends._selection.selection import Selection
    from scverse_backends._selection.selector import Selector

    from .decisions import Decisions
    from .host import HostFunction
    from .implementations import RouteCache
    from .resolution import Resolution, Resolver
    from .routes import Route


class Execution:
    """What the calls of one function are resolved and run with.

    Attributes
    ----------
    ready
        The route of each selection's first choice, where some calls can take it as they come.
    on_host
        The selections by function under which the host is this one's first choice.
    watchers
        Told of each route that a call made necessary.
    nesting
        Knows what a caller is inside of.
    """

    def __init__(self, function: HostFunction, selector: Selector) -> None:
        self.function = function
        self.selector = selector
        self.state = selector.state
        self.ready: dict[Selection, Route] = {}
        self.on_host: set[Selection] = set()
        self.watchers: list[Callable[[Iterable[object]], None]] = []
        self.nesting = Nesting(self.state)
        self.entry = self.nesting.entry

    @once
    def routes(self) -> RouteCache:
        """Make the routes of the function, when a backend is first selected or asked for."""
        from .implementations import RouteCache

        return RouteCache(self.function, self.selector.registry, self.nesting, self.watchers)

    @once
    def resolver(self) -> Resolver:
        """Make what resolves calls, when one is first considered."""
        from .resolution import Resolver

        self.selector.changes.watch(self._forget)
        return Resolver(self.function, self.selector, self.routes, self.nesting)

    @once
    def decisions(self) -> Decisions:
        """Make what tells of resolutions, when there is first something to tell."""
        from .decisions import Decisions

        return Decisions(self.function, self.selector, self.routes)

    def resolve(
        self, selection: Selection, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Resolution:
        """Choose who runs a call, and keep what that tells of later ones."""
        __tracebackhide__ = True
        generation = self.selector.changes.generation
        resolution = self.resolver.resolve(selection, args, kwargs)
        if selection.is_kept and not resolution.is_nested:
            self._keep_first(resolution, generation)
        return resolution

    def _forget(self) -> None:
        """Keep nothing of what was selected and installed before a change."""
        self.ready.clear()
        self.on_host.clear()

    def _keep_first(self, resolution: Resolution, generation: object) -> None:
        """Let calls go to the first choice as they come, unless somebody listens to each of them."""
        backend = next(iter(resolution.chosen.backends), None)
        if backend is None:
            self.on_host.add(resolution.selection)
            return
        route = self.routes.known(backend)
        if route is None or route.max_positional < 0 or messages.is_logged(messages.DEBUG):
            return
        self.ready[resolution.selection] = route
        # Asked after storing: a change before is seen here, and one after clears what is ready.
        if generation is not self.selector.changes.generation:
            self.ready.clear()

    def options_of(self, backend: LoadedBackend) -> frozenset[str]:
        """Name the parameters of a backend's implementation that the host's function has not."""
        route = self.routes.route(backend)
        return frozenset() if isinstance(route, Refusal) else route.options

    def takes_option(self, backend: LoadedBackend, name: str) -> bool:
        """Whether a backend's implementation takes an argument that the host's function has not."""
        route = self.routes.route(backend)
        return not isinstance(route, Refusal) and route.takes_option(name)

    @once
    def decorators(self) -> tuple[object, ...]:
        """List the code of what is wrapped around the public function under its name."""
        around = with_decorators(self.function.public)
        return tuple(code for one in around if (code := getattr(one, "__code__", None)))

    def pop_selection(self, kwargs: dict[str, Any]) -> Selection | None:
        """Take the selector out of a call, and give the selection that it makes."""
        label = kwargs.pop(self.function.selector_name, None)
        return None if label is None else self.selector.for_call(label, self.state.scope())

    def entry_of(self, resolution: Resolution) -> object | None:
        """Give what a coroutine or generator is inside of while it runs; ``None`` for nothing."""
        if resolution.lacks_backend:
            return self.entry(resolution.selection)
        return None if resolution.forwarding is None else resolution.forwarding.route.entry

    def run(self, resolution: Resolution, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call on the first backend that can take it, else on the host in a backend's place."""
        __tracebackhide__ = True
        forwarding = resolution.forwarding
        if forwarding is not None:
            return self.run_route(forwarding.route, forwarding.args, forwarding.kwargs)
        self.decisions.tell_fallback(resolution, kwargs)
        # The calls that the host makes of the function meanwhile stay on the host.
        here, entry = inside(), self.entry(resolution.selection)
        try:
            here.add(entry)
            return self.run_on_host(args, kwargs, resolution.refusals)
        finally:
            here.discard(entry)

    def run_route(self, route: Route, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call on an implementation."""
        __tracebackhide__ = True
        if route.gives_generator:
            from .suspended import Hold, named_after

            work = partial(route.implementation, *args, **kwargs)
            hold = Hold(self.state, None, route.entry)
            return named_after(hold.iterated(work), self.function.public)
        here, entry = inside(), route.entry
        try:
            here.add(entry)
            return route.implementation(*args, **kwargs)
        finally:
            here.discard(entry)

    def run_on_host(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], refusals: tuple[Refusal, ...]
    ) -> Any:
        """Run a call on the host, whose decorators may take more than its signature shows."""
        __tracebackhide__ = True
        try:
            return self.function.func(*args, **kwargs)
        except Exception as error:
            self.explain_failure(error, kwargs, refusals)
            raise

    def explain_failure(
        self, error: Exception, kwargs: dict[str, Any], refusals: tuple[Refusal, ...]
    ) -> None:
        """Say with an error of the host why the host ran the call at all."""
        if isinstance(error, TypeError):
            self.decisions.refuse_backend_options(kwargs, refusals)
        if refusals:
            add_note(error, note(refusals))

    def work(
        self, resolution: Resolution, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Callable[[], Any]:
        """Prepare what a coroutine or generator function does later."""
        forwarding = resolution.forwarding
        if forwarding is not None:
            return partial(forwarding.route.implementation, *forwarding.args, **forwarding.kwargs)
        from .suspended import is_written_suspended

        if is_written_suspended(self.function.func):
            # Arguments that do not fit are told now; what is closed at once never ran.
            self.run_on_host(args, kwargs, resolution.refusals).close()
        return partial(self.function.func, *args, **kwargs)


def note(refusals: tuple[Refusal, ...]) -> str:
    """Say why the host runs a call, for an error that it raises; nothing if no backend was asked."""
    return f"No selected backend could take the call: {reasons(refusals)}." if refusals else ""
