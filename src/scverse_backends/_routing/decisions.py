"""Decisions: what is said of where one call runs, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scverse_backends._ground.labels import CPU, quoted
from scverse_backends._ground.records import Decision, reasons

if TYPE_CHECKING:
    from scverse_backends._ground.labels import FallbackPolicy
    from scverse_backends._selection.state import Selection

    from .host import HostFunction
    from .routes import Choice


def decide(
    function: HostFunction,
    selection: Selection,
    choice: Choice,
    *,
    nested: str | None,
    policy: FallbackPolicy | None,
) -> Decision:
    """Describe a choice.

    Parameters
    ----------
    function
        The host function that is called.
    selection
        What was selected for the call.
    choice
        The route that takes it, and who could not.
    nested
        Why the host runs a call that something already running makes.
    policy
        The fallback policy, where ending at the host is a fallback.
    """
    route, forwarding, given, refusals = choice
    if route is None or forwarding is None or given is None:
        return Decision(
            function=function.name,
            backend=CPU,
            distribution=None,
            version=None,
            reason=nested or _why_host(selection, choice, policy),
            refusals=refusals,
            forwarded=tuple({**given.named, **given.extra}) if given else (),
            is_fallback=policy is not None,
        )
    return Decision(
        function=function.name,
        backend=route.backend.name,
        distribution=route.backend.distribution,
        version=route.backend.version,
        reason=_why_backend(selection, choice),
        refusals=refusals,
        ignored=forwarding.ignored,
        renamed=tuple(pair for pair in forwarding.received if pair[0] != pair[1]),
        forwarded=tuple(name for name, _ in forwarding.received),
        differing_defaults=route.differences(given),
    )


def _why_host(selection: Selection, choice: Choice, policy: FallbackPolicy | None) -> str:
    if not choice.refusals or policy is None:
        return _chosen(selection)
    end = "; with fallback='error' it raises instead" if policy == "error" else ""
    names = selection.names
    nobody = f"none of {quoted(names)} can" if len(names) > 1 else f"{quoted(names)} cannot"
    return f"{nobody} take the call; {_chosen(selection)}{end}"


def _why_backend(selection: Selection, choice: Choice) -> str:
    if choice.refusals:
        names = quoted(selection.names)
        return f"the first of {names} that can take the call; {_chosen(selection)}"
    return _chosen(selection)


def _chosen(selection: Selection) -> str:
    return f"selected by {selection.origin}" if selection.origin else "nothing is selected"


def in_one_line(decision: Decision) -> str:
    """Say where a call runs, and why, as a log does."""
    release = " ".join(filter(None, (decision.distribution, decision.version)))
    where = f"{decision.backend} ({release})" if release else decision.backend
    asked = f"; {reasons(decision.refusals)}" if decision.refusals else ""
    return f"{decision.function} runs on {where}: {decision.reason}{asked}"
