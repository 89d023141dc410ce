"""Plans: the compiled routes of one function under each selection, kept until they are stale."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from itertools import takewhile
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from scverse_backends._backends.loading import ABSENT, check_kind, fetch, load_error
from scverse_backends._ground import log
from scverse_backends._ground.layers import layers
from scverse_backends._ground.records import LoadedBackend, Refusal
from scverse_backends.exceptions import BackendError

from .routes import MISSING, Route, compile_route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scverse_backends._backends.registry import Registry
    from scverse_backends._selection.state import Selection

    from .host import HostFunction


class Plan(NamedTuple):
    """The routes of one function under one selection, in order of preference."""

    generation: object
    """The registry's when the plan was made; a plan of another one is stale."""
    routes: tuple[Route | Refusal | BackendError, ...]
    """An error is raised by the call that no earlier choice takes, and asked for again by the next."""
    ends_at_host: bool
    """Whether the host is among the choices, so that ending there is no fallback."""


class Planner:
    """Makes the plans of one function; all of them share one route to each backend.

    Attributes
    ----------
    ready
        The first choice of each selection, where some calls can go to it as they come.
    is_heard
        Whether somebody listens to each call, so that none goes anywhere as it comes.
    learn
        Told of the routes of every new plan.
    """

    def __init__(
        self,
        function: HostFunction,
        registry: Registry,
        ready: dict[Selection, Route],
        learn: Callable[[Iterable[object]], None],
    ) -> None:
        self.function = function
        self.learn = learn
        self.ready = ready
        self.is_heard = False
        self._plans: dict[Selection, Plan] = {}
        self._registry = registry
        self._routes: dict[LoadedBackend, tuple[object, Route | Refusal]] = {}
        self._lock = Lock()
        registry.changes.watch(self._begin_anew)

    def plan(self, selection: Selection) -> Plan:
        """Give the plan of a selection."""
        generation = self._registry.changes.generation
        plan = self._plans.get(selection)
        if plan is None or plan.generation is not generation:
            chosen = tuple(takewhile(lambda backend: backend is not None, selection.backends))
            routes = tuple(map(self._ask, filter(None, chosen)))
            plan = Plan(generation, routes, len(chosen) < len(selection.backends))
            if any(isinstance(route, BackendError) for route in routes):
                return plan
            self._plans[selection] = plan
            self._make_ready(selection, plan)
            self.learn(routes)
        return plan

    def _ask(self, backend: LoadedBackend) -> Route | Refusal | BackendError:
        """Give the route to one backend, or what keeps its adapter from handing it out."""
        try:
            return self.route(backend)
        except BackendError as error:
            return error

    def hush(self) -> None:
        """Let calls go to a backend as they come again: nobody listens to each any more."""
        self.is_heard = False
        self._forget()

    def route(self, backend: LoadedBackend) -> Route | Refusal:
        """Give the route to one backend.

        Raises
        ------
        BackendLoadError
            If the adapter offers the function and cannot hand it out.
        """
        generation = self._registry.changes.generation
        known = self._routes.get(backend)
        if known is not None and known[0] is generation:
            return known[1]
        route = self._compile(backend)
        with self._lock:
            # Of two threads that compiled, one's route must serve both: it knows what is running.
            known = self._routes.get(backend)
            if known is None or known[0] is not generation:
                known = self._routes[backend] = (generation, route)
        return known[1]

    def owners(self, parameter: str) -> list[str]:
        """Name the known backends whose implementation has a parameter of this name."""
        found = []
        for backend in self._registry.known():
            with suppress(BackendError):
                route = self.route(backend)
                if isinstance(route, Route) and parameter in route.parameters.names:
                    found.append(backend.name)
        return found

    def _make_ready(self, selection: Selection, plan: Plan) -> None:
        """Let calls go to the first choice as they come, unless somebody listens to each of them."""
        self.is_heard = self.is_heard or log.listens(log.DEBUG)
        if self.is_heard:
            return
        first = plan.routes[0] if plan.routes else None
        if isinstance(first, Route) and first.straight >= 0:
            self.ready[selection] = first
        # Asked after storing: a change before is seen here, one after will have us forget.
        if plan.generation is not self._registry.changes.generation:
            self._forget()

    def _begin_anew(self) -> None:
        """Drop what was made for an earlier generation of the registry, and with it its backends."""
        self._forget()
        self._routes.clear()

    def _forget(self) -> None:
        """Have every selection planned again."""
        self.ready.clear()
        self._plans.clear()

    def _compile(self, selected: LoadedBackend) -> Route | Refusal:
        backend = cast("LoadedBackend", self._registry.current(selected))
        implementation = self._implementation(backend)
        if isinstance(implementation, Refusal):
            return implementation
        return compile_route(self.function, backend, implementation)

    def _implementation(self, backend: LoadedBackend) -> Any:
        """Fetch a backend's implementation, or the refusal that there is none."""
        function, host = self.function, self._registry.configuration.host
        try:
            found = self._registry.apart(partial(fetch, backend.adapter, function.name))
            check_kind(found, function.public, function.name)
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:  # a lazy adapter runs code when asked
            candidate = backend.candidate
            raise load_error(error, backend.name, host, candidate) from error
        own = any(found is one for one in (function.func, *layers(function.public)))
        if not own:
            self._registry.compare(backend, function.name, found)
        if own or found is ABSENT:
            return Refusal(backend.name, MISSING)
        if not callable(found):
            return Refusal(backend.name, f"offers {function.name!r}, which cannot be called")
        return found
