"""Implementations: an adapter's function as it is now, and the route that was compiled for it.

An implementation is looked up when it is called, as an attribute is. What was
worked out of it is kept for as long as it is the same object.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from scverse_backends._backends.loading import check_kind, fetch, load_error
from scverse_backends._ground.callables import with_decorators
from scverse_backends._ground.members import tell_absences
from scverse_backends._ground.records import ABSENT, Refusal
from scverse_backends._ground.safe_repr import attempt
from scverse_backends.exceptions import BackendError

from .routes import MISSING, Route, compile_route, unusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import NoReturn

    from scverse_backends._backends.registry import Registry
    from scverse_backends._ground.records import LoadedBackend

    from .host import HostFunction
    from .nesting import Nesting


class RouteCache:
    """The routes of one function, one to each backend.

    Parameters
    ----------
    function
        The host function.
    registry
        Knows the backends.
    nesting
        Knows what a caller is inside of.
    watchers
        Told of each route that a call made necessary.
    """

    def __init__(
        self,
        function: HostFunction,
        registry: Registry,
        nesting: Nesting,
        watchers: list[Callable[[Iterable[object]], None]],
    ) -> None:
        self._function = function
        self._registry = registry
        self._nesting = nesting
        self._watchers = watchers
        self._routes: dict[LoadedBackend, Route | Refusal] = {}
        self._told: set[LoadedBackend] = set()
        registry.changes.watch(self._forget)

    def _forget(self) -> None:
        """Compile every route anew, and keep nothing of backends that are gone."""
        self._routes.clear()
        if self._told:
            self._told.intersection_update(self._registry.known())

    def for_call(self, backend: LoadedBackend) -> Route | Refusal:
        """Give the route to one backend for a call, as `route` does, and tell of a new one."""
        before = self._routes.get(backend)
        route = self.route(backend)
        if route is not before and isinstance(route, Route):
            for watcher in self._watchers:
                watcher((route,))
            self._tell_absences(route)
        self._tell_mistake(backend, route)
        return route

    def _tell_mistake(self, backend: LoadedBackend, route: Route | Refusal) -> None:
        """Warn, once, of a mistake of the adapter by which no call can go there.

        Nobody might hear of it otherwise: a fallback may be silent, or another backend take the call.
        """
        reason = None if backend in self._told else unusable(route)
        if reason:
            self._registry.tell_mistake(backend, self._function.name, reason)
            self._told.add(backend)  # only now: where the warning is an error, every call is one

    def _tell_absences(self, route: Route) -> None:
        """Have objects of a backend's class name the backend where they lack what the host's have."""
        names = frozenset(name for name, parameters in route.missing if not parameters)
        if names:
            host, ours = self._registry.configuration.host, cast("type", self._function.public)
            said = (
                f"it is of backend {route.backend.name!r}, whose class lacks what {host}'s "
                f"{ours.__name__} has. Construct it with 'cpu' selected to have {host}'s own."
            )
            tell_absences(cast("type", route.implementation), names, said)

    def route(self, backend: LoadedBackend) -> Route | Refusal:
        """Give the route to a backend's implementation, as that is now.

        Raises
        ------
        BackendLoadError
            If the adapter offers the function and cannot hand it out.
        """
        now = cast("LoadedBackend", self._registry.current(backend))
        found = self._look_up(now)
        known = self._routes.get(backend)
        if isinstance(known, Route) and known.backend is now and known.leads_to(found):
            return known
        route = self._compile(now, found)
        # Of two threads that compiled one, the same is given to both.
        self._routes[backend] = route
        return route

    def known(self, backend: LoadedBackend) -> Route | None:
        """Give the route to a backend, if one was compiled, whatever the adapter has by now."""
        route = self._routes.get(backend)
        return route if isinstance(route, Route) else None

    def owners(self, parameter: str) -> list[str]:
        """Name the known backends whose implementation has a parameter of this name."""
        found = []
        for backend in self._registry.known():
            try:
                route = self.route(backend)
            except BackendError:
                continue
            if isinstance(route, Route) and parameter in route.parameters.names:
                found.append(backend.name)
        return found

    def _look_up(self, backend: LoadedBackend) -> Any:
        """Fetch a backend's implementation, `ABSENT` if it has none."""
        function, host = self._function, self._registry.configuration.host

        def look() -> Any:
            found = self._registry.apart(partial(fetch, backend.adapter, function.name))
            check_kind(found, function.public, function.name)
            return found

        def failed(error: BaseException) -> NoReturn:  # a lazy adapter runs code when asked
            raise load_error(error, backend.name, host, backend.candidate) from error

        return attempt(look, failed)

    def _compile(self, backend: LoadedBackend, found: Any) -> Route | Refusal:
        function = self._function
        # An adapter may import the host's own function, through the host's decorators.
        is_own = any(found is one for one in (function.func, *with_decorators(function.public)))
        if not is_own:
            self._registry.compare(backend, function.name, found)
        if is_own or found is ABSENT:
            return Refusal(backend.name, MISSING)
        if not callable(found):
            return Refusal(backend.name, f"offers {function.name!r}, which cannot be called")
        return compile_route(function, backend, found, self._nesting.entry(backend.name))
