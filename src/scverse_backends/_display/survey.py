"""The survey: what is selected and what is installed, gathered to be shown.

It changes nothing: nothing is imported, the environment's choice stays as open
as it was, and what there is to warn of is left to whoever uses a backend.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from scverse_backends._backends.configuration import FALLBACK_POLICIES
from scverse_backends._ground.labels import key
from scverse_backends._selection.state import BLOCK, CALL, HOST, PENDING, PROCESS, SNAPSHOT

from .pages import Overview, Tier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scverse_backends._backends.configuration import Environment
    from scverse_backends._backends.registry import Registry
    from scverse_backends._ground.records import BackendInfo
    from scverse_backends._selection.selector import Selector
    from scverse_backends._selection.state import Selection

UNUSABLE = ("broken", "refused")


def survey(selector: Selector) -> Overview:
    """Gather what a host's users have selected and could select."""
    host = selector.configuration.host
    tiers = tuple(_tiers(selector))
    fallback = next((tier.fallback for tier in tiers if tier.fallback), "")
    backends = tuple(answering(selector.registry))
    faults = (f"{f.distribution} cannot be read ({f.problem})" for f in selector.registry.faults)
    absent = tuple(selector.registry.absent())
    return Overview(host, fallback, tiers, backends, absent, tuple(faults))


def _tiers(selector: Selector) -> Iterator[Tier]:
    """List where choices can be made, the nearest first."""
    default, environment = selector.state.default, selector.environment
    scope = selector.state.scope()
    while scope is not None:
        selection, scope, _ = scope
        yield _scope_tier(selection, default if scope is None else scope[0])
    by_process = default.origin in (PROCESS, SNAPSHOT)
    yield Tier(
        "process",
        default.names if by_process else (),
        "" if environment.fallback else selector.state.fallback,
        default.origin or "" if by_process else "",
    )
    yield _environment_tier(environment, default)


def _scope_tier(selection: Selection, outer: Selection) -> Tier:
    """Say what one call or block chooses; one that is only about the policy chooses no backend."""
    if selection.origin in (CALL, BLOCK):
        where = "call" if selection.origin == CALL else "block"
        return Tier(where, selection.names, selection.fallback or "")
    kept = selection.origin == outer.origin and selection.names == outer.names
    note = "" if kept else selection.origin or ""
    return Tier("block", () if kept else selection.names, selection.fallback or "", note)


def _environment_tier(environment: Environment, default: Selection) -> Tier:
    """Say what the environment chooses, whether it was looked for yet or not."""
    variable, labels, policy = (
        environment.backend_variable,
        environment.backend,
        environment.fallback,
    )
    now = os.environ.get(variable, "").strip()
    notes = [f"{variable}={labels}"] if labels else [] if now else [f"{variable} is not set"]
    if now not in ("", labels):
        notes.append(f"{variable}={now} was set too late: set it before the host is imported")
    backends = default.names
    if default is PENDING:
        backends = tuple(label.strip() for label in labels.split(",")) if labels else ()
        notes += ["not looked for yet"] if labels else []
    elif default.origin in (PROCESS, SNAPSHOT):
        backends = ()
        notes += [f"replaced by {default.origin}"] if labels else []
    elif default is HOST:
        backends = ()
    if policy:
        wrong = "" if policy in FALLBACK_POLICIES else ", which is no policy"
        notes.append(f"{environment.fallback_variable}={policy}{wrong}")
    return Tier("environment", backends, policy or "", "; ".join(notes))


def answering(registry: Registry) -> Iterator[tuple[BackendInfo, tuple[str, ...]]]:
    """Pair what is there with the labels that it is known to answer to."""
    infos = [*registry.infos(quietly=True)]
    known = {(one.name, one.candidate is None): one for one in registry.known()}
    for info in infos:
        backend = known.get((info.name, info.state == "registered"))
        labels = registry.labels_of(backend) if backend else (info.name,)
        rule = registry.configuration.trusted.get(key(info.name)) if info.trusted else None
        vouched = (rule.name, *rule.aliases) if rule else ()
        answers = {key(label): label for label in (*labels, *vouched)}
        yield info, tuple(answers.values()) if info.state not in UNUSABLE else ()
