"""The page of a trace: what ran where, how long, when and from which line.

The picture of it has the calls along time, one line for each backend, as HTML
that needs nothing else.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from scverse_backends._ground.labels import CPU
from scverse_backends._ground.records import ran_on, remarks
from scverse_backends._ground.rendering import Page, Row, Table, escaped

from .trace_records import summarize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scverse_backends._ground.rendering import Tone

    from .trace_records import CallSite, TraceRecord, TraceSummary

MOST_CALLS = 200
MOST_BARS = 1000

DEEPEST = 4
"""Calls further inside of others are drawn as high as these."""

KEYS: dict[Tone, str] = {"warning": "in the place of a backend", "bad": "raised"}
"""What the colours say that a line does not."""


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
    drawn = pairs[:MOST_BARS]
    in_order = sorted(drawn, key=lambda pair: pair[0].start)
    begin = in_order[0][0].start
    length = max(record.start + record.duration for record, _ in drawn) - begin or 1.0
    bars: dict[str, list[str]] = {record.backend: [] for record, _ in in_order}
    for record, depth in drawn:
        bars[record.backend].append(_bar(record, depth, begin, length))
    lanes = "".join(
        f"<dt>{escaped(lane)}</dt><dd>{''.join(found)}</dd>" for lane, found in bars.items()
    )
    axis = f'<dt></dt><dd class="axis"><span>0 s</span><span>{length:.3g} s</span></dd>'
    tones = {tone(record) for record, _ in drawn}
    said = [f'<i class="{tone}"></i> {what}' for tone, what in KEYS.items() if tone in tones]
    if missing := len(records) - len(drawn):
        said.append(f"The {MOST_BARS:,} longest calls; {missing:,} are left out.")
    notes = "".join(f"<p>{line}</p>" for line in said)
    return f'<figure class="timeline"><style>{_STYLE}</style><dl>{lanes}{axis}</dl>{notes}</figure>'


def _bar(record: TraceRecord, depth: int, begin: float, length: float) -> str:
    left = 100 * (record.start - begin) / length
    width = 100 * record.duration / length
    inset = 100 * min(depth, DEEPEST) / (2 * DEEPEST + 2)
    place = f"left:{left:.3f}%;width:{width:.3f}%;top:{inset:.0f}%;bottom:{inset:.0f}%"
    title = f"{record.function}: {duration(record.duration)}, {site_text(record.site)}"
    return f'<i class="{tone(record)}" style="{place}" title="{escaped(title)}"></i>'


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


# A bar has at least two pixels, so that a quick call is seen; printers leave out backgrounds otherwise.
_STYLE = """
.scverse-backends .timeline { margin: .4em 0 .8em; max-width: 60em;
  dl { grid-template-columns: max-content 1fr; align-items: center; margin: 0; }
  dd { position: relative; width: auto; height: 1.5em; margin: 0; overflow: hidden;
    border-bottom: 1px solid var(--line); }
  i { position: absolute; min-width: 2px; background: currentColor; opacity: .75;
    box-shadow: inset -1px 0 light-dark(#fff, #000);
    print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  i:hover { opacity: 1; }
  i.good { background: var(--good); }
  i.warning { background: var(--warning); }
  i.bad { background: var(--bad); }
  p { margin: .2em 0 0; opacity: .75; }
  p i { position: static; display: inline-block; width: .8em; height: .8em; opacity: 1; }
  .axis { display: flex; justify-content: space-between; border: 0; opacity: .75; }
}
"""
