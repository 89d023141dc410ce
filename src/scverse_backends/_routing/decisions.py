"""Decisions: what people are told of a resolution: described, logged, warned of, or raised."""

from __future__ import annotations

from itertools import filterfalse
from typing import TYPE_CHECKING, Any

from scverse_backends._ground import messages
from scverse_backends._ground.callables import with_decorators
from scverse_backends._ground.labels import CPU, quoted
from scverse_backends._ground.members import shown
from scverse_backends._ground.records import (
    Decision,
    Preference,
    Refusal,
    asked_of,
    ran_on,
    reasons,
)
from scverse_backends.exceptions import BackendFallbackError, BackendFallbackWarning

if TYPE_CHECKING:
    from scverse_backends._selection.selection import Selection
    from scverse_backends._selection.selector import Selector

    from .host import HostFunction
    from .implementations import RouteCache
    from .resolution import Resolution

_NESTED = {
    "inside-backend": "the backend's own implementation is calling the function it replaces",
    "inside-fallback": (
        "the host is calling this function while it runs it in the place of a backend"
    ),
}
"""Why the host runs a call that is made from inside of another one."""

_WITHOUT_BACKEND = {
    "fallback": "",
    "refused": "; the host does not take its arguments either",
    "stopped": "; with fallback='error' it raises instead",
}
"""What is added where no backend can take a call, and only backends were asked for."""


class Decisions:
    """Tells people how the calls of one function were resolved.

    Parameters
    ----------
    function
        The host function.
    selector
        Knows the host.
    routes
        Know whose an option is.
    """

    def __init__(self, function: HostFunction, selector: Selector, routes: RouteCache) -> None:
        self._function = function
        self._selector = selector
        self._routes = routes
        self._host = selector.configuration.host

    def describe(self, resolution: Resolution) -> Decision:
        """Describe a resolution for people."""
        function, found = self._function, resolution.forwarding
        reason, refusals = _reason(resolution), resolution.passed_over
        if found is None:
            given, end = resolution.given, resolution.end
            return Decision(
                function=function.name,
                backend=CPU,
                distribution=None,
                version=None,
                reason=reason,
                refusals=refusals,
                forwarded=tuple(given.arguments(function.parameters)) if given else (),
                is_fallback=end in ("fallback", "stopped"),
                is_stopped=end == "stopped",
            )
        route = found.route
        return Decision(
            function=function.name,
            backend=route.backend.name,
            distribution=route.backend.distribution,
            version=route.backend.version,
            reason=reason,
            refusals=refusals,
            ignored=found.ignored,
            renamed=tuple(
                (name, theirs)
                for name, theirs in found.received
                if name not in (theirs, function.receiver)
            ),
            forwarded=tuple(name for name, _ in found.received),
            differing_defaults=route.differences(found.given),
            options=resolution.options,
            missing_members=tuple(shown(*member) for member in route.missing),
        )

    def log_resolution(self, resolution: Resolution) -> None:
        """Log who runs a call, if somebody listens to each of them."""
        if messages.is_logged(messages.DEBUG):
            self.log(self.describe(resolution), resolution.selection)

    def log(self, decision: Decision, selection: Selection) -> None:
        """Log a decision, unless it is that only the host was asked for."""
        if messages.is_logged(messages.DEBUG) and not selection.of(self._function.name).is_host:
            messages.log(
                messages.DEBUG, "%s: %s", self._host, _in_one_line(decision), decision=decision
            )

    def tell_fallback(self, resolution: Resolution, kwargs: dict[str, Any]) -> None:
        """Tell of a call that no backend takes, before the host runs it.

        Raises
        ------
        BackendFallbackError
            If the policy stops it.
        TypeError
            If an argument is an option of a backend that does not run the call.
        """
        __tracebackhide__ = True
        function, end, refusals = self._function, resolution.end, resolution.passed_over
        if end == "stopped":
            raise BackendFallbackError(function.name, host=self._host, refusals=refusals)
        if function.refuses_unknown_keywords:
            self.refuse_backend_options(kwargs, refusals)
        if end == "refused":
            return  # the host refuses the arguments, so nothing falls back
        warning = BackendFallbackWarning(function.name, host=self._host, refusals=refusals)
        messages.log(messages.INFO, "%s", warning)
        if self._selector.policy(resolution.selection) != "silent":
            messages.warn(warning, with_decorators(function.public))

    def refuse_backend_options(
        self, kwargs: dict[str, Any], refusals: tuple[Refusal, ...] = ()
    ) -> None:
        """Say whose option an argument is that the host does not take.

        Raises
        ------
        TypeError
            If a backend has such an option, or may have, where no backend runs.
        """
        __tracebackhide__ = True
        off = self._selector.off
        for name in filterfalse(self._function.takes, kwargs):
            owners = self._routes.owners(name)
            if not (owners or off):
                continue
            advice = "Leave it out, or select the backend."
            if off:
                advice = f"{self._selector.environment.off} is set, so no backend runs."
            elif refusals:
                advice = f"No selected backend can take the call: {reasons(refusals)}."
            whose = "may be an option of a backend"
            if owners:
                whose = f"is an option of backend {quoted(owners)}"
            msg = (
                f"{self._function.name}: {name!r} {whose}, "
                f"and {self._host} (cpu) does not take it. {advice}"
            )
            raise TypeError(msg)


def _reason(resolution: Resolution) -> str:
    """Say why a call goes where it goes."""
    end, names, refusals = resolution.end, resolution.chosen.names, resolution.passed_over
    if end in _NESTED:
        return _NESTED[end]
    origin = resolution.chosen.origin
    chosen = f"selected by {origin}" if origin else "nothing is selected"
    if end == "preferred":
        leaving = [one.backend for one in refusals if isinstance(one, Preference)]
        return f"{quoted(leaving)} leaves it to the host; {chosen}"
    if end in _WITHOUT_BACKEND:
        nobody = f"none of {quoted(names)} can" if len(names) > 1 else f"{quoted(names)} cannot"
        return f"{nobody} take the call; {chosen}{_WITHOUT_BACKEND[end]}"
    if end == "backend" and asked_of(refusals):
        return f"the first of {quoted(names)} that can take the call; {chosen}"
    return chosen


def _in_one_line(decision: Decision) -> str:
    """Say where a call runs, and why, as a log does."""
    asked = f"; {reasons(decision.refusals)}" if decision.refusals else ""
    return f"{decision.function} runs on {ran_on(decision)}: {decision.reason}{asked}"
