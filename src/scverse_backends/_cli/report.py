"""The report of a run: what ran where, why not elsewhere, and from which line, in four forms."""

from __future__ import annotations

import json
import linecache
from typing import TYPE_CHECKING, NamedTuple

from scverse_backends._display.trace_page import duration, site_text, trace_page
from scverse_backends._display.trace_records import summarize
from scverse_backends._ground.rendering import (
    Page,
    Row,
    Table,
    escaped,
    html_page,
    markdown,
    markdown_table,
    printable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from scverse_backends._display.trace import Trace, TraceSummary

WIDTH = 80
LONGEST = 30


class Report(NamedTuple):
    """What a program did with the functions of each host."""

    program: str
    traces: tuple[Trace, ...]


def as_text(report: Report) -> str:
    """Write it for a terminal of 80 columns."""
    return "\n\n".join(_page(trace).text(WIDTH) for trace in report.traces)


def as_json(report: Report) -> str:
    """Write it for machines: every call with all that is known of it."""
    traces = [json.loads(trace.to_json()) for trace in report.traces]
    return json.dumps({"program": report.program, "traces": traces}, indent=2)


def as_html(report: Report) -> str:
    """Write one page that needs nothing else: a picture, and tables that can be sorted."""
    title = escaped(f"What ran where: {report.program}")
    pages = "\n".join(trace._repr_html_() for trace in report.traces)
    return html_page(title, STYLE, f"<h1>{title}</h1>\n{pages}\n")


def as_markdown(report: Report) -> str:
    """Write it for an issue, or a lab notebook."""
    title = f"# What ran where: {markdown(report.program)}"
    return "\n\n".join([title, *map(_markdown_page, map(_page, report.traces))])


FORMATS: dict[str, Callable[[Report], str]] = {
    ".json": as_json,
    ".html": as_html,
    ".md": as_markdown,
}
"""The forms in which it is written to a file, by the ending of its name."""


def line_profile(report: Report, file: str) -> str:
    """Print a script with where the calls of each line ran, and how long they took."""
    by_line: dict[int, list[TraceSummary]] = {}
    for trace in report.traces:
        for found in trace.summary("line"):
            if found.site and found.site.file == file:
                by_line.setdefault(found.site.line, []).append(found)
    lines = [f"{'calls':>5} {'time':>8}  {'ran on':<14} line"]
    for number, source in enumerate(linecache.getlines(file), 1):
        found_here = by_line.get(number, [])
        calls = str(sum(one.calls for one in found_here) or "")
        time = duration(sum(one.duration for one in found_here)) if found_here else ""
        ran = ", ".join(dict.fromkeys(one.backend for one in found_here))
        line = f"{calls:>5} {time:>8}  {clipped(ran, 14):<14} {number:>4}  {source.rstrip()}"
        lines.append(clipped(printable(line), WIDTH).rstrip())
    return "\n".join(lines)


def clipped(text: str, longest: int = LONGEST) -> str:
    """Shorten a text to a length."""
    return text if len(text) <= longest else f"{text[: longest - 1]}\u2026"


def _page(trace: Trace) -> Page:
    """Say what one host's functions did: the trace's own summary, and which lines fell back."""
    page = trace_page(f"{trace.host}: {trace.counted()}", trace.records, trace.elsewhere)
    tables = [table._replace(title="What ran where") for table in page.tables[:1]]
    lines = tuple(_fallback_row(one) for one in summarize(trace.records, "line") if one.fallbacks)
    if lines:
        columns = ("line", "function", "calls", "time")
        tables.append(Table("Fell back to the host", columns, lines))
    return page._replace(tables=tuple(map(_narrowed, tables)))


def _fallback_row(one: TraceSummary) -> Row:
    cells = site_text(one.site) if one.site else "", str(one.function), str(one.fallbacks)
    return Row((*cells, duration(one.fallback_duration)), "; ".join(one.reasons))


def _narrowed(table: Table) -> Table:
    rows = (row._replace(cells=tuple(map(clipped, row.cells))) for row in table.rows)
    return table._replace(rows=tuple(rows))


def _markdown_page(page: Page) -> str:
    known = "\n".join(f"- {label}: {markdown(fact)}" for label, fact in page.facts)
    return "\n\n".join(
        part for part in (f"## {page.title}", known, *map(_markdown_table, page.tables)) if part
    )


def _markdown_table(table: Table) -> str:
    noted = any(row.detail for row in table.rows)
    heads = (*table.columns, *(["note"] if noted else []))
    rows = [(*row.cells, *([row.detail] if noted else [])) for row in table.rows]
    return "\n".join([f"### {table.title}", "", *markdown_table([heads, *rows])])


STYLE = """
body { margin: 2em auto; max-width: 62em; padding: 0 1em; background: Canvas; color: CanvasText;
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.2em; overflow-wrap: anywhere; }
"""
