"""The overview: what settings and dispatchers show of themselves, at a terminal or in a notebook.

Looking changes nothing: nothing is imported, the environment's choice stays as
open as it was, and warnings are left to the first use of a backend.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from scverse_backends._backends.configuration import FALLBACK_POLICIES
from scverse_backends._ground.labels import CPU
from scverse_backends._ground.records import as_given, origin
from scverse_backends._ground.rendering import Page, Row, Table
from scverse_backends._selection.request import parse
from scverse_backends._selection.selection import BLOCK, CALL, PROCESS, SNAPSHOT
from scverse_backends._selection.state import PENDING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scverse_backends._backends.configuration import Environment, TrustRule, UntrustedPolicy
    from scverse_backends._backends.registry import Registry
    from scverse_backends._ground.records import BackendInfo, BackendState
    from scverse_backends._ground.rendering import Tone
    from scverse_backends._selection.selection import Pick, Rule, Selection
    from scverse_backends._selection.selector import Selector

MOST_FUNCTIONS = 8

TONES: dict[BackendState, Tone] = {
    "loaded": "good",
    "registered": "good",
    "broken": "bad",
    "refused": "bad",
}

UNTRUSTED: dict[UntrustedPolicy, str] = {
    "warn": "run, with a warning when one is first used",
    "allow": "run",
    "refuse": "refused",
}


class Tier(NamedTuple):
    """One of the places where a choice can be made.

    Parameters
    ----------
    where
        ``"call"``, ``"block"``, ``"process"`` or ``"environment"``.
    backends
        What is chosen there, in order of preference; empty if nothing is.
    fallback
        The fallback policy that is set there, if one is.
    note
        What else to know about it.
    """

    where: str
    backends: tuple[str, ...] = ()
    fallback: str = ""
    note: str = ""


def settings_page(selector: Selector) -> Page:
    """Say what is selected, where, and what could be selected."""
    if selector.off:
        return _page_when_off(selector)
    tiers = [*_tiers(selector)]
    chosen = next((tier for tier in tiers if tier.backends), None)
    selection = selector.state.selected()
    facts = (
        ("calls run on", ", else ".join(chosen.backends) if chosen else f"{CPU}, the host itself"),
        ("selected by", _place(chosen) if chosen else "nothing selected"),
        ("fallback", next((tier.fallback for tier in tiers if tier.fallback), "")),
        *(("left out", one) for one in _left_out(selection.picks)),
    )
    by_function = (_rules_table(selection.rules),) if selection.rules else ()
    tables = (_selected_table(tiers, chosen), *by_function, _backends_table(selector.registry))
    return Page(f"Settings of {selector.configuration.host}", facts, tables)


def _page_when_off(selector: Selector) -> Page:
    """Say that nothing that is selected is used; no metadata is read either."""
    facts = (
        ("calls run on", f"{CPU}, the host itself, whatever is selected"),
        ("because", f"{selector.environment.off} is set"),
    )
    return Page(f"Settings of {selector.configuration.host}", facts)


def dispatcher_page(selector: Selector, functions: tuple[str, ...]) -> Page:
    """Say what a host dispatches, which backends it trusts, and what is selected."""
    configuration, page = selector.configuration, settings_page(selector)
    facts = (
        ("entry points", configuration.group),
        ("functions", _counted(functions)),
        ("trusts", ", ".join(configuration.trusted_names) or "no backend"),
        ("other backends", UNTRUSTED[configuration.untrusted]),
    )
    return Page(f"BackendDispatcher of {configuration.host}", (*facts, *page.facts), page.tables)


def _tiers(selector: Selector) -> Iterator[Tier]:
    """List where choices can be made, the nearest first: the first that chose holds."""
    default, environment = selector.state.default, selector.environment
    scope = selector.state.scope()
    while scope is not None:
        selection, scope, _ = scope
        yield _scope_tier(selection, default if scope is None else scope[0])
    set_here = (PROCESS, SNAPSHOT)
    by_process = default.origin in set_here
    yield Tier(
        "process",
        default.names if by_process else (),
        "" if environment.fallback else selector.state.fallback,
        _joined(default.origin if by_process else "", _others(default, set_here)),
    )
    yield _environment_tier(environment, default)


def _scope_tier(selection: Selection, outer: Selection) -> Tier:
    """Say what one call or block chooses; one that only sets the policy chooses no backend."""
    others = _others(selection, (CALL, BLOCK, PROCESS, SNAPSHOT))
    if selection.origin in (CALL, BLOCK):
        where = "call" if selection.origin == CALL else "block"
        return Tier(where, selection.names, selection.fallback or "", others)
    kept = selection.origin == outer.origin and selection.names == outer.names
    note = _joined("" if kept else selection.origin, others)
    return Tier("block", () if kept else selection.names, selection.fallback or "", note)


def _others(selection: Selection, origins: tuple[str, ...]) -> str:
    """Say for which functions something else is selected there."""
    keys = dict.fromkeys(rule.key for rule in selection.rules if rule.origin in origins)
    return f"others for {', '.join(keys)}" if keys else ""


def _joined(*notes: str | None) -> str:
    return "; ".join(filter(None, notes))


def _left_out(picks: tuple[Pick, ...]) -> list[str]:
    return [f"{pick.name}: {pick.left_out}" for pick in picks if pick.left_out]


def _rules_table(rules: tuple[Rule, ...]) -> Table:
    """List what is selected for some functions only."""
    rows = [
        Row(
            (
                rule.key,
                ", ".join(rule.names) or "-",
                ", ".join(as_given(rule.options)) or "-",
                rule.origin or "",
            ),
            "; ".join(f"left out {one}" for one in _left_out(rule.picks)),
        )
        for rule in rules
    ]
    columns = ("function", "backends", "options", "selected by")
    return Table("By function, the first that fits", columns, tuple(rows))


def _environment_tier(environment: Environment, default: Selection) -> Tier:
    """Say what the environment chooses, whether it was read yet or not."""
    labels, policy = environment.backend, environment.fallback
    variable = environment.backend_variable
    now = os.environ.get(variable, "").strip()
    notes = [f"{variable}={labels}"] if labels else [] if now else [f"{variable} is not set"]
    if now not in ("", labels):
        notes.append(f"{variable}={now} was set too late: set it before the host is imported")
    backends = default.names if default.origin == environment.origin else ()
    if labels and default is PENDING:
        backends = parse(labels).labels
        notes.append("not looked for yet")
    elif labels and default.origin in (PROCESS, SNAPSHOT):
        notes.append(f"replaced by {default.origin}")
    notes += filter(None, [_others(default, (environment.origin,))])
    if policy:
        wrong = "" if policy in FALLBACK_POLICIES else ", which is not a policy"
        notes.append(f"{environment.fallback_variable}={policy}{wrong}")
    return Tier("environment", backends, policy or "", "; ".join(notes))


def _selected_table(tiers: list[Tier], chosen: Tier | None) -> Table:
    rows = tuple(
        Row(
            (tier.where, ", ".join(tier.backends) or "-", tier.fallback or "-", tier.note),
            tone="good" if tier is chosen else "",
        )
        for tier in tiers
    )
    return Table("Selected, the nearest first", ("where", "backends", "fallback", "note"), rows)


def _backends_table(registry: Registry) -> Table:
    """List the backends; why one is broken or refused stands below it."""
    found = [_backend_row(one.info, one.labels) for one in registry.listed(quietly=True)]
    for fault in registry.faults:
        problem = f"{fault.distribution} cannot be read ({fault.problem})"
        found.append(Row(("?", "unknown", "", "", ""), problem, "bad"))
    title = "Backends" if found else "Backends: none is installed"
    rows = (*found, *map(_absent_row, registry.absent()))
    return Table(title, ("name", "state", "trusted", "from", "labels"), rows)


def _backend_row(info: BackendInfo, labels: tuple[str, ...]) -> Row:
    cells = (
        info.name,
        info.state,
        "yes" if info.trusted else "no",
        origin(info),
        ", ".join(labels),
    )
    tone = TONES.get(info.state, "")
    return Row(cells, info.reason or "", tone if info.trusted or tone == "bad" else "warning")


def _absent_row(rule: TrustRule) -> Row:
    return Row((rule.name, "absent", "yes", f"pip install {rule.package}", ", ".join(rule.labels)))


def _place(tier: Tier) -> str:
    return f"the {tier.where}{f' ({tier.note})' if tier.note else ''}"


def _counted(names: tuple[str, ...]) -> str:
    """Count names, and give the first of them."""
    if not names:
        return "none yet"
    rest = ", …" if len(names) > MOST_FUNCTIONS else ""
    return f"{len(names)}: {', '.join(names[:MOST_FUNCTIONS])}{rest}"
