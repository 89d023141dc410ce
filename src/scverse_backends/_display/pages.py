"""Pages: what settings and dispatchers show of themselves, at a terminal or in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scverse_backends._ground.labels import CPU
from scverse_backends._ground.rendering import Page, Row, Table

if TYPE_CHECKING:
    from scverse_backends._ground.labels import Configuration, TrustRule, UntrustedPolicy
    from scverse_backends._ground.records import BackendInfo, BackendState
    from scverse_backends._ground.rendering import Tone

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
    absent
        Whom the host vouches for and nobody installed.
    faults
        What of it cannot be read, and why.
    """

    host: str
    fallback: str
    tiers: tuple[Tier, ...]
    backends: tuple[tuple[BackendInfo, tuple[str, ...]], ...]
    absent: tuple[TrustRule, ...] = ()
    faults: tuple[str, ...] = ()


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
    rows = (
        *(_backend_row(info, labels) for info, labels in overview.backends),
        *(Row(("?", "unknown", "", "", ""), fault, "bad") for fault in overview.faults),
    )
    title = "Backends" if rows else "Backends: none is installed"
    rows += tuple(map(_absent_row, overview.absent))
    return Table(title, ("name", "state", "vouched for", "from", "answers to"), rows)


def _backend_row(info: BackendInfo, labels: tuple[str, ...]) -> Row:
    registered = info.state == "registered"
    cells = (
        info.name,
        info.state,
        "yes" if info.trusted else "no",
        "this process" if registered else " ".join(filter(None, (info.distribution, info.version))),
        ", ".join(labels),
    )
    tone = TONES.get(info.state, "")
    return Row(cells, info.reason or "", tone if info.trusted or tone == "bad" else "odd")


def _absent_row(rule: TrustRule) -> Row:
    return Row((rule.name, "absent", "yes", f"pip install {rule.package}", ", ".join(rule.labels)))


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
