"""Resolution: who runs one call, before it runs, and why."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground import messages
from scverse_backends._ground.callables import with_decorators
from scverse_backends._ground.labels import CPU, quoted
from scverse_backends._ground.members import shown
from scverse_backends._ground.records import (
    Decision,
    Omission,
    Preference,
    Refusal,
    asked_of,
    ran_on,
    reasons,
)
from scverse_backends._selection.request import why_left_out
from scverse_backends._selection.selection import CALL
from scverse_backends.exceptions import (
    BackendError,
    BackendFallbackError,
    BackendFallbackWarning,
    BackendLoadError,
)

from .forwarding import Forwarding, ask, forward, hook_of, merge
from .parameters import Given, bind, fits, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from scverse_backends._ground.records import LoadedBackend
    from scverse_backends._selection.selection import Selection
    from scverse_backends._selection.selector import Selector

    from .host import HostFunction
    from .implementations import RouteCache
    from .routes import Route

INSIDE_BACKEND = "the backend's own implementation is calling the function it replaces"
INSIDE_FALLBACK = "the host is calling this function while it runs it in the place of a backend"


class Resolution(NamedTuple):
    """Who runs one call.

    Parameters
    ----------
    selection
        What holds where the call is made.
    chosen
        What of it is for this function.
    forwarding
        How the call reaches a backend; ``None`` if the host runs it.
    given
        Its arguments by name, where they fit the host's signature.
    refusals
        The backends that were asked before and cannot take it.
    nested
        Why the host runs a call that is made from inside of another one.
    is_fallback
        Whether the host runs it although only backends were selected.
    options
        What the block gives the call beside its own arguments.
    """

    selection: Selection
    chosen: Selection
    forwarding: Forwarding | None = None
    given: Given | None = None
    refusals: tuple[Refusal, ...] = ()
    nested: str | None = None
    is_fallback: bool = False
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def is_for_host(self) -> bool:
        """Whether the host runs it, and not in a backend's place."""
        return self.forwarding is None and not self.is_fallback

    @property
    def shape(self) -> Hashable:
        """What a call that nobody refused shares with all that are described as it is."""
        if self.forwarding is None or self.refusals:
            return None
        route, _, _, ignored, received = self.forwarding
        return self.selection, route, received, ignored, tuple(name for name, _ in self.options)


class Resolver:
    """Resolves the calls of one function.

    Parameters
    ----------
    function
        The host function.
    selector
        Knows what is selected.
    routes
        The routes to the backends' implementations.
    is_inside
        Tells whether the caller is inside a backend's implementation, or a fallback.
    ready
        Gets the route of a selection's first choice, where some calls can take it as they come.
    on_host
        Gets the selections by function under which the host is this one's first choice.
    """

    def __init__(
        self,
        function: HostFunction,
        selector: Selector,
        routes: RouteCache,
        is_inside: Callable[[str | Selection], bool],
        ready: dict[Selection, Route],
        on_host: set[Selection],
    ) -> None:
        self._function = function
        self._selector = selector
        self._registry = selector.registry
        self._routes = routes
        self._is_inside = is_inside
        self._ready = ready
        self._on_host = on_host
        self._host = selector.configuration.host
        selector.changes.watch(self._forget)

    def _forget(self) -> None:
        self._ready.clear()
        self._on_host.clear()

    def resolve(
        self, selection: Selection, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Resolution:
        """Choose who runs a call: the first backend that can take it, else the host.

        Raises
        ------
        BackendLoadError
            If no earlier choice takes the call and an adapter cannot hand out what it offers.
        """
        generation = self._selector.changes.generation
        bound = bind(self._function.parameters, args, kwargs)
        known = bound if isinstance(bound, Given) else None
        given = settle(self._function.parameters, bound, self._function.aliases)
        chosen = selection.of(self._function.name)
        refusals: list[Refusal] = []
        ended = Resolution(selection, chosen, given=known)
        if self._is_inside(selection):
            return ended._replace(nested=INSIDE_FALLBACK)
        for backend in chosen.backends:
            if backend is None:
                if chosen is not selection and chosen.is_host and selection.is_kept:
                    self._on_host.add(selection)
                return ended._replace(refusals=tuple(refusals))
            if self._is_inside(backend.name):
                return ended._replace(refusals=tuple(refusals), nested=INSIDE_BACKEND)
            try:
                tried = self._try(ended, backend, given, generation)
            except BackendError as error:
                is_missed = isinstance(error, BackendLoadError) or not chosen.may_lack(backend)
                if is_missed or (backend is chosen.backends[-1] and not asked_of(refusals)):
                    messages.point_at_caller(error)
                    raise
                tried = Omission(backend.name, why_left_out(error))
            if isinstance(tried, Resolution):
                return tried._replace(refusals=tuple(refusals))
            refusals.append(tried)
        preferred = any(isinstance(refusal, Preference) for refusal in refusals)
        falls_back = bool(refusals) and not preferred
        return ended._replace(refusals=tuple(refusals), is_fallback=falls_back)

    def _try(
        self, asked: Resolution, backend: LoadedBackend, given: Given | str, generation: object
    ) -> Resolution | Refusal:
        """Hold a call against one backend."""
        selection, chosen = asked.selection, asked.chosen
        route = self._routes.for_call(backend)
        if isinstance(route, Refusal):
            return route
        if backend is chosen.backends[0]:
            self._make_ready(selection, route, generation)
        if isinstance(given, str):
            return route.refuse(given)
        given = merge(route, given)
        may_leave = chosen.origin != CALL and not self._unknown(given.extra)
        options = route.options_for(given, chosen.options) if chosen.options else ()
        if options:
            given = given._replace(extra={**given.extra, **dict(options)})
        forwarding = forward(route, given)
        if isinstance(forwarding, Refusal):
            return forwarding
        found = asked._replace(forwarding=forwarding, given=given, options=options)
        return self._ask(route, given, may_leave=may_leave) or found

    def _ask(self, route: Route, given: Given, *, may_leave: bool) -> Refusal | None:
        """Ask whether a backend can run a call, and, where it may leave it, whether it should."""
        backend, host = route.backend, self._host
        can_run, should_run = (hook_of(backend, name) for name in ("can_run", "should_run"))
        questions: list[tuple[Any, str, str, type[Refusal]]]
        questions = [(can_run, "has a can_run that failed", "declines", Refusal)]
        if may_leave:
            own, leaves = "has a should_run that failed", "leaves it to the next choice"
            failed = f"is not asked, because the should_run of {host} failed"
            questions += [
                (should_run, own, leaves, Preference),
                (self._function.should_run, failed, f"is passed over by {host}", Preference),
            ]
        for question in questions:
            if question[0] is not None:
                no: Refusal | None
                no = self._registry.apart(partial(ask, route, given, *question))
                if no is not None:
                    return no
        return None

    def _make_ready(self, selection: Selection, route: Route, generation: object) -> None:
        """Let calls go to the first choice as they come, unless somebody listens to each of them."""
        waits = route.max_positional < 0 or messages.is_logged(messages.DEBUG)
        if waits or not selection.is_kept:
            return
        self._ready[selection] = route
        # Asked after storing: a change before is seen here, and one after clears what is ready.
        if generation is not self._selector.changes.generation:
            self._ready.clear()

    def decide(self, resolution: Resolution) -> Decision:
        """Describe a resolution for people."""
        _, selection, forwarding, given, refusals, nested, is_fallback, options = resolution
        refusals = (*selection.omitted, *refusals)
        if forwarding is None or given is None:
            end = self._ending(selection, given) if is_fallback else None
            return Decision(
                function=self._function.name,
                backend=CPU,
                distribution=None,
                version=None,
                reason=nested or _why_host(selection, refusals, end),
                refusals=refusals,
                forwarded=tuple(given.arguments(self._function.parameters)) if given else (),
                is_fallback=is_fallback and end is not _REFUSED,
            )
        route = forwarding.route
        return Decision(
            function=self._function.name,
            backend=route.backend.name,
            distribution=route.backend.distribution,
            version=route.backend.version,
            reason=_why_backend(selection, refusals),
            refusals=refusals,
            ignored=forwarding.ignored,
            renamed=tuple(
                (name, theirs)
                for name, theirs in forwarding.received
                if name not in (theirs, self._function.receiver)
            ),
            forwarded=tuple(name for name, _ in forwarding.received),
            differing_defaults=route.differences(given),
            options=options,
            missing_members=tuple(shown(*member) for member in route.missing),
        )

    def _ending(self, selection: Selection, given: Given | None) -> str:
        """Say how a call ends that no backend takes; nothing if the host runs it."""
        if self._host_refuses(given):
            return _REFUSED
        return _RAISES if self._selector.policy(selection) == "error" else ""

    def allow(self, resolution: Resolution, kwargs: dict[str, Any]) -> None:
        """Let a fallback go ahead; it is told, or refused.

        Raises
        ------
        BackendFallbackError
            If the policy is ``"error"``.
        TypeError
            If an argument is an option of a backend that does not run the call.
        """
        __tracebackhide__ = True
        function = self._function
        refusals = (*resolution.chosen.omitted, *resolution.refusals)
        misfits = self._host_refuses(resolution.given)
        policy = self._selector.policy(resolution.selection)
        if policy == "error" and not (misfits and not any(self._backend_options(kwargs))):
            raise BackendFallbackError(function.name, host=self._host, refusals=refusals)
        if function.refuses_unknown_keywords:
            self.refuse_backend_options(kwargs, refusals)
        if misfits:
            return  # the host refuses the arguments, so nothing falls back
        warning = BackendFallbackWarning(function.name, host=self._host, refusals=refusals)
        messages.log(messages.INFO, "%s", warning)
        if policy == "warn":
            messages.warn(warning, with_decorators(function.public))

    def _host_refuses(self, given: Given | None) -> bool:
        """Whether the host itself is to refuse the arguments of a call: nothing can take them."""
        ours, aliases = self._function.parameters, self._function.aliases
        twice = given is not None and isinstance(settle(ours, given, aliases), str)
        # A decorator of the host may take other arguments, but for one parameter by two names.
        return (twice or self._function.is_plain) and not fits(ours, given)

    def tell(self, resolution: Resolution) -> None:
        """Log who runs a call, if somebody listens to each of them."""
        if messages.is_logged(messages.DEBUG):
            self.log(self.decide(resolution), resolution.selection)

    def log(self, decision: Decision, selection: Selection) -> None:
        """Log a decision, unless it is that only the host was asked for."""
        chosen = selection.of(self._function.name)
        if messages.is_logged(messages.DEBUG) and not chosen.is_host:
            messages.log(
                messages.DEBUG, "%s: %s", self._host, _in_one_line(decision), decision=decision
            )

    def refuse_backend_options(
        self, kwargs: dict[str, Any], refusals: tuple[Refusal, ...] = ()
    ) -> None:
        """Say whose option an argument is that the host does not take."""
        __tracebackhide__ = True
        for name, owners in self._backend_options(kwargs):
            advice = "Leave it out, or select the backend."
            if self._selector.off:
                advice = f"{self._selector.environment.off} is set, so no backend runs."
            elif refusals:
                advice = f"No selected backend can take the call: {reasons(refusals)}."
            whose = (
                f"is an option of backend {quoted(owners)}"
                if owners
                else "may be an option of a backend"
            )
            msg = (
                f"{self._function.name}: {name!r} {whose}, "
                f"and {self._host} (cpu) does not take it. {advice}"
            )
            raise TypeError(msg)

    def _backend_options(self, kwargs: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
        """Give the options of a call that only backends have, and which; if no backend runs, all."""
        owned = ((name, self._routes.owners(name)) for name in self._unknown(kwargs))
        return ((name, owners) for name, owners in owned if owners or self._selector.off)

    def _unknown(self, given: Iterable[str]) -> list[str]:
        """Name the arguments of a call that the host does not take."""
        host, own_name = self._function.parameters, self._function.own_name
        return [] if host.takes_kwargs else [n for n in given if own_name(n) not in host.names]


# How a call ends that no backend takes; what the host refuses as well runs nowhere.
_RAISES = "; with fallback='error' it raises instead"
_REFUSED = "; the host does not take its arguments either"


def _why_host(selection: Selection, refusals: tuple[Refusal, ...], end: str | None) -> str:
    """Say why a call goes to the host; the end is that of one for which only backends were asked."""
    preferred = [refusal.backend for refusal in refusals if isinstance(refusal, Preference)]
    refusals = asked_of(refusals)
    if preferred:
        return f"{quoted(preferred)} leaves it to the host; {_chosen(selection)}"
    if not refusals or end is None:
        return _chosen(selection)
    names = selection.names
    nobody = f"none of {quoted(names)} can" if len(names) > 1 else f"{quoted(names)} cannot"
    return f"{nobody} take the call; {_chosen(selection)}{end}"


def _why_backend(selection: Selection, refusals: tuple[Refusal, ...]) -> str:
    if asked_of(refusals):
        names = quoted(selection.names)
        return f"the first of {names} that can take the call; {_chosen(selection)}"
    return _chosen(selection)


def _chosen(selection: Selection) -> str:
    return f"selected by {selection.origin}" if selection.origin else "nothing is selected"


def _in_one_line(decision: Decision) -> str:
    """Say where a call runs, and why, as a log does."""
    asked = f"; {reasons(decision.refusals)}" if decision.refusals else ""
    return f"{decision.function} runs on {ran_on(decision)}: {decision.reason}{asked}"
