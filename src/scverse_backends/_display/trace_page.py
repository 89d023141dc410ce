"""The page of a trace: what ran where, how long, when and from which line."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from scverse_backends._ground.labels import CPU
from scverse_backends._ground.records import ran_on, remarks
from scverse_backends._ground.rendering import Page, Row, Table

from .timeline import Bar, timeline
from .trace_records import summarize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scverse_backends._ground.rendering import Tone

    from .trace_records import CallSite, TraceRecord, TraceSummary

MOST_CALLS = 200
MOST_BARS = 1000


def trace_page(title: str, records: tuple[TraceRecord, ...], missing: str = "") -> Page:
    """Say what ran where: shares of time, a picture, a summary, by line, and call by call."""
    unknown = (("elsewhere", missing),) if missing else ()
    if not records:
        return Page(title, unknown)
    first = f", the first {MOST_CALLS}" if len(records) > MOST_CALLS else ""
    tables = (
        Table(
            "Summary",
            ("function", "ran on", "calls", "time"),
            tuple(_summary_row(line, records) for line in summarize(records, "function")),
            sortable=True,
        ),
        Table(
            "By line",
            ("line", "function", "ran on", "calls", "time"),
            tuple(map(_line_row, summarize(records, "line"))),
            folded=True,
            sortable=True,
        ),
        Table(
            f"Call by call{first}",
            ("function", "ran on", "time", "line", "because"),
            tuple(_call_rows(records)),
            folded=True,
        ),
    )
    return Page(title, (*facts(records), *unknown), tables, _picture(records))


def facts(records: tuple[TraceRecord, ...]) -> tuple[tuple[str, str], ...]:
    """Say which part of the time was spent on each backend, and which releases they are."""
    times = (
        f"{one.backend} {duration(one.own)} ({one.share:.0%})"
        for one in summarize(records, "backend")
    )
    backends = dict.fromkeys(ran_on(record) for record in records if record.distribution)
    found = (("time", ", ".join(times)), ("backends", ", ".join(backends)))
    return tuple(fact for fact in found if fact[1])


def site_text(site: CallSite) -> str:
    """Name a line in short, without the folder of its file."""
    return f"{PurePath(site.file).name}:{site.line}"


def _summary_row(line: TraceSummary, records: tuple[TraceRecord, ...]) -> Row:
    """Summarize the calls of one function on one backend, with each remark once."""
    own = [r for r in records if (r.function, r.backend) == (line.function, line.backend)]
    said = dict.fromkeys(remark for record in own for remark in _remarks(record))
    return _row((), line, said)


def _line_row(line: TraceSummary) -> Row:
    return _row((site_text(line.site) if line.site else "",), line, line.reasons)


def _row(first: tuple[str, ...], line: TraceSummary, said: Iterable[str]) -> Row:
    """Summarize calls; what became of some of them stands below, before what is said of them."""
    counts = ((line.raised, "raised"), (line.fallbacks, "as a fallback"))
    became = (f"{count:,} {what}" for count, what in counts if count)
    cells = (*first, str(line.function), line.backend, str(line.calls), duration(line.duration))
    tone = _tone(line.backend, line.fallbacks, line.raised)
    return Row(cells, "; ".join([*became, *said]), tone)


def _call_rows(records: tuple[TraceRecord, ...]) -> Iterator[Row]:
    """Describe the calls, each further in than the one that made it."""
    for record, depth in zip(records[:MOST_CALLS], _depths(records), strict=False):
        cells = (
            "  " * depth + record.function,
            record.backend,
            duration(record.duration),
            site_text(record.site),
            record.reason,
        )
        became = {"raised": [f"raised {record.error}"], "running": ["has not ended"]}
        said = [*became.get(record.outcome, []), *_remarks(record)]
        yield Row(cells, "; ".join(said), tone(record))


def _remarks(record: TraceRecord) -> Iterator[str]:
    """Say what may make a result differ from the expected one."""
    return (f"{label} {fact}" for label, fact in remarks(record))


def _depths(records: tuple[TraceRecord, ...]) -> list[int]:
    """Count the calls that each call is within."""
    depths: list[int] = []
    for record in records:
        depths.append(0 if record.parent is None else depths[record.parent] + 1)
    return depths


def _picture(records: tuple[TraceRecord, ...]) -> str:
    """Draw the calls along time, a line for each backend; of very many, the longest."""
    pairs = sorted(zip(records, _depths(records), strict=True), key=lambda p: -p[0].duration)
    bars = [
        Bar(
            record.backend,
            record.start,
            record.duration,
            depth,
            f"{record.function}: {duration(record.duration)}, {site_text(record.site)}",
            tone(record),
        )
        for record, depth in pairs[:MOST_BARS]
    ]
    missing = len(records) - len(bars)
    left_out = f"The {MOST_BARS:,} longest calls; {missing:,} are left out." if missing else ""
    return timeline(bars, left_out)


def tone(record: TraceRecord) -> Tone:
    """Say whether a call is as it was asked for."""
    return _tone(record.backend, record.is_fallback, record.outcome == "raised")


def _tone(backend: str, fallbacks: int, raised: int) -> Tone:
    if raised:
        return "bad"
    if fallbacks:
        return "warning"
    return "" if backend == CPU else "good"


def counted(count: int) -> str:
    """Count calls in words."""
    return "1 call" if count == 1 else f"{count:,} calls"


def duration(seconds: float) -> str:
    """Write a time in a fitting unit."""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
