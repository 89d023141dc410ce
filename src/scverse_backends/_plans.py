"""Plans: the compiled routes of one function under each selection, kept until they are stale."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from ._labels import CPU
from ._model import LoadedBackend, Refusal
from ._routing import Route, compile_route

if TYPE_CHECKING:
    from ._registry import Registry
    from ._routing import HostFunction
    from ._selection import Selection


class _NoRoute:
    """Stands first in a plan whose first choice does not implement the function."""

    straight = -1


NO_ROUTE: Any = _NoRoute()


class Plan:
    """The routes of one function under one selection, in order of preference.

    Attributes
    ----------
    generation
        The registry's, when the plan was made; a plan of another one is stale.
    first
        The first choice, if it implements the function; else a route that takes no call.
    ends_at_host
        Whether the host is among the choices, so that ending there is no fallback.
    """

    __slots__ = ("ends_at_host", "first", "generation", "routes")

    def __init__(
        self, generation: object, routes: tuple[Route | Refusal, ...], *, ends_at_host: bool
    ) -> None:
        self.generation = generation
        self.routes = routes
        first = routes[0] if routes else None
        self.first = first if isinstance(first, Route) else NO_ROUTE
        self.ends_at_host = ends_at_host


class Planner:
    """Makes the plans of one function; all of them share one route to each backend."""

    def __init__(self, function: HostFunction, registry: Registry) -> None:
        self.function = function
        self.plans: dict[Selection, Plan] = {}
        self._registry = registry
        self._routes: dict[str, tuple[object, Route | Refusal]] = {}
        self._lock = Lock()

    def plan(self, selection: Selection) -> Plan:
        """Give the plan of a selection."""
        generation = self._registry.generation
        plan = self.plans.get(selection)
        if plan is None or plan.generation is not generation:
            names, ends_at_host = selection.names, CPU in selection.names
            backends = names[: names.index(CPU)] if ends_at_host else names
            routes = tuple(self.route(name) for name in backends)
            plan = self.plans[selection] = Plan(generation, routes, ends_at_host=ends_at_host)
        return plan

    def route(self, name: str) -> Route | Refusal:
        """Give the route to one backend.

        Raises
        ------
        BackendLoadError
            If the adapter offers the function and cannot hand it out.
        """
        generation = self._registry.generation
        known = self._routes.get(name)
        if known is not None and known[0] is generation:
            return known[1]
        route = self._compile(name)
        with self._lock:
            # Of two threads that compiled, one's route must serve both: it knows what is running.
            known = self._routes.get(name)
            if known is None or known[0] is not generation:
                known = self._routes[name] = (generation, route)
        return known[1]

    def owners(self, parameter: str) -> list[str]:
        """Name the loaded backends whose implementation has a parameter of this name."""
        routes = [self.route(backend.name) for backend in self._registry.loaded()]
        return [
            route.backend.name
            for route in routes
            if isinstance(route, Route) and parameter in route.parameters.names
        ]

    def _compile(self, name: str) -> Route | Refusal:
        backend = cast("LoadedBackend", self._registry.get(name))
        implementation = self._registry.implementation(backend, self.function)
        if isinstance(implementation, Refusal):
            return implementation
        return compile_route(self.function, backend, implementation)
