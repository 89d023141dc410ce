"""Pages: what is said of each record when it is shown, to people at a terminal or in a notebook.

Pure: records in, a page for `_rendering` out. Imported when something is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._labels import CPU
from ._rendering import Page, Row, Table, shown

if TYPE_CHECKING:
    from ._model import BackendInfo, BackendState, Configuration, Decision, UntrustedPolicy
    from ._rendering import Tone

TONES: dict[BackendState, Tone] = {
    "loaded": "good",
    "registered": "good",
    "broken": "bad",
    "refused": "bad",
}

UNTRUSTED: dict[UntrustedPolicy, str] = {
    "warn": "warns when one is first used",
    "allow": "runs them",
    "refuse": "refuses them",
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


class Overview(NamedTuple):
    """What one host's users have selected and could select, as it is now.

    Parameters
    ----------
    host
        Name of the host.
    fallback
        The fallback policy that holds.
    tiers
        Where choices can be made, the nearest first: the first that chose holds.
    backends
        What is installed or registered, each with the labels it is known to answer to.
    fault
        Why that cannot be told, if it cannot.
    """

    host: str
    fallback: str
    tiers: tuple[Tier, ...]
    backends: tuple[tuple[BackendInfo, tuple[str, ...]], ...]
    fault: str = ""


def settings_page(overview: Overview) -> Page:
    """Say what is selected, where, and what could be."""
    chosen = next((tier for tier in overview.tiers if tier.backends), None)
    facts = [
        ("calls run on", _in_order(chosen.backends) if chosen else f"{CPU}, the host itself"),
        ("selected by", _origin(chosen) if chosen else "nobody"),
        ("fallback", overview.fallback),
    ]
    return Page(f"Settings of {overview.host}", tuple(facts), _overview_tables(overview))


def dispatcher_page(
    configuration: Configuration, functions: tuple[str, ...], overview: Overview
) -> Page:
    """Say what a host dispatches, whom it trusts, and what is selected."""
    page = settings_page(overview)
    trusted = dict.fromkeys(rule.name for rule in configuration.trusted.values())
    facts = (
        ("entry points", configuration.group),
        ("functions", _counted(functions)),
        ("vouches for", ", ".join(trusted) or "nobody"),
        ("for others", UNTRUSTED[configuration.untrusted]),
    )
    return Page(f"BackendDispatcher of {configuration.host}", (*facts, *page.facts), page.tables)


def decision_page(decision: Decision) -> Page:
    """Say where a call runs, why, and what is not as on the host."""
    facts = [("because", decision.reason), *_remarks(decision)]
    facts[1:1] = [("not on", f"{no.backend}, which {no.reason}") for no in decision.refusals]
    return Page(f"{decision.function} runs on {_place(decision)}", tuple(facts))


def _remarks(decision: Decision) -> list[tuple[str, str]]:
    """Say what becomes of the arguments, as far as it is not what the call says."""
    facts = []
    if decision.renamed:
        pairs = ", ".join(f"{ours} as {theirs}" for ours, theirs in decision.renamed)
        facts.append(("renamed", pairs))
    if decision.ignored:
        facts.append(("ignored", ", ".join(decision.ignored)))
    facts += [
        ("default", f"{one.parameter} is {shown(one.backend)}, on the host {shown(one.host)}")
        for one in decision.differing_defaults
    ]
    return facts


def _place(decision: Decision) -> str:
    if decision.backend == CPU:
        return f"{CPU}, the host itself"
    release = _release(decision.distribution, decision.version)
    return f"{decision.backend} ({release})" if release else decision.backend


def _overview_tables(overview: Overview) -> tuple[Table, ...]:
    chosen = next((tier for tier in overview.tiers if tier.backends), None)
    tiers = tuple(
        Row(
            (tier.where, ", ".join(tier.backends) or "-", tier.fallback or "-", tier.note),
            tone="good" if tier is chosen else "",
        )
        for tier in overview.tiers
    )
    selected = Table(
        "Selected, the nearest first", ("where", "backends", "fallback", "note"), tiers
    )
    return selected, _backends_table(overview)


def _backends_table(overview: Overview) -> Table:
    """List the backends; why one is broken or refused stands below it."""
    rows = tuple(_backend_row(info, labels) for info, labels in overview.backends)
    if overview.fault:
        rows = (Row(("?", "unknown", "", "", ""), overview.fault, "bad"),)
    title = "Backends" if rows else "Backends: none is installed"
    return Table(title, ("name", "state", "vouched for", "from", "answers to"), rows)


def _backend_row(info: BackendInfo, labels: tuple[str, ...]) -> Row:
    registered = info.state == "registered"
    cells = (
        info.name,
        info.state,
        "yes" if info.trusted else "no",
        "this process" if registered else _release(info.distribution, info.version),
        ", ".join(labels),
    )
    return Row(cells, info.reason or "", TONES.get(info.state, "" if info.trusted else "odd"))


def _release(distribution: str | None, version: str | None) -> str:
    return " ".join(part for part in (distribution, version) if part)


def _in_order(names: tuple[str, ...]) -> str:
    return ", else ".join(names)


def _origin(tier: Tier) -> str:
    return f"the {tier.where}{f' ({tier.note})' if tier.note else ''}"


def _counted(names: tuple[str, ...], most: int = 8) -> str:
    """Count names, and give the first of them."""
    if not names:
        return "none yet"
    rest = ", …" if len(names) > most else ""
    return f"{len(names)}: {', '.join(names[:most])}{rest}"
