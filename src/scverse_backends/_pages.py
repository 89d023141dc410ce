"""Pages: what is said of each record when it is shown, to people at a terminal or in a notebook.

Pure: records in, a page for `_rendering` out. Imported when something is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._labels import CPU
from ._rendering import Page, Row, Table, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._model import BackendInfo, BackendState, Decision
    from ._policy import Configuration, TrustRule, UntrustedPolicy
    from ._rendering import Tone
    from ._trace import TraceRecord, TraceSummary

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


MOST_CALLS = 200


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


def decision_page(decision: Decision) -> Page:
    """Say where a call runs, why, and what is not as on the host."""
    renamed = ", ".join(f"{ours} as {theirs}" for ours, theirs in decision.renamed)
    facts = [("because", decision.reason), *_remarks(decision)]
    facts += [("renamed", renamed)] if renamed else []
    where = f"{CPU}, the host itself" if decision.backend == CPU else _ran_on(decision)
    return Page(f"{decision.function} runs on {where}", tuple(facts))


def trace_page(
    host: str, summary: tuple[TraceSummary, ...], records: tuple[TraceRecord, ...]
) -> Page:
    """Say what ran where, in sum and call by call."""
    rows = tuple(_summary_row(line, records) for line in summary)
    sums = Table("In sum", ("function", "ran on", "calls", "time", "note"), rows)
    calls = Table(
        f"Call by call{f', the first {MOST_CALLS}' if len(records) > MOST_CALLS else ''}",
        ("function", "ran on", "time", "outcome", "because"),
        tuple(_call_rows(records)),
        folded=True,
    )
    title = f"Trace of {host}: {_times(len(records))}"
    return Page(title, tables=(sums, calls) if records else ())


def _summary_row(line: TraceSummary, records: tuple[TraceRecord, ...]) -> Row:
    """Sum up the calls of one function on one backend, with each thing worth knowing once."""
    own = [r for r in records if (r.function, r.backend) == (line.function, line.backend)]
    remarks = dict.fromkeys(f"{label} {fact}" for record in own for label, fact in _remarks(record))
    notes = [
        f"{count} {what}"
        for count, what in ((line.fallbacks, "as a fallback"), (line.raised, "raised"))
        if count
    ]
    cells = (
        line.function,
        _ran_on(own[0]),
        str(line.calls),
        _duration(line.duration),
        ", ".join(notes),
    )
    return Row(cells, "; ".join(remarks), _tone(line.backend, line.fallbacks, line.raised))


def _call_rows(records: tuple[TraceRecord, ...]) -> Iterator[Row]:
    """Describe the calls, each further in than the one that made it."""
    depths: list[int] = []
    for record in records[:MOST_CALLS]:
        depths.append(0 if record.parent is None else depths[record.parent] + 1)
        cells = (
            "  " * depths[-1] + record.function,
            _ran_on(record),
            _duration(record.duration),
            record.outcome,
            record.reason,
        )
        raised = record.outcome == "raised"
        yield Row(cells, record.error or "", _tone(record.backend, record.is_fallback, raised))


def _tone(backend: str, fallbacks: int, raised: int) -> Tone:
    if raised:
        return "bad"
    if fallbacks:
        return "odd"
    return "" if backend == CPU else "good"


def _ran_on(record: Decision | TraceRecord) -> str:
    release = _release(record.distribution, record.version)
    return f"{record.backend} ({release})" if release else record.backend


def _times(count: int) -> str:
    return "1 call" if count == 1 else f"{count:,} calls"


def _duration(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def _remarks(decision: Decision | TraceRecord) -> Iterator[tuple[str, str]]:
    """Say what may make a result another one than expected."""
    for refusal in decision.refusals:
        yield "not on", f"{refusal.backend}, which {refusal.reason}"
    if decision.ignored:
        yield "ignored", ", ".join(decision.ignored)
    for one in decision.differing_defaults:
        yield "default", f"{one.parameter} is {shown(one.backend)}, on the host {shown(one.host)}"


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
        "this process" if registered else _release(info.distribution, info.version),
        ", ".join(labels),
    )
    tone = TONES.get(info.state, "")
    return Row(cells, info.reason or "", tone if info.trusted or tone == "bad" else "odd")


def _absent_row(rule: TrustRule) -> Row:
    return Row((rule.name, "absent", "yes", f"pip install {rule.package}", ", ".join(rule.labels)))


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
