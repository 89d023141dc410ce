"""The matrix: what each backend has for each function of a host, and four ways to write it."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.records import as_objects, origin
from scverse_backends._ground.rendering import (
    aligned,
    escaped,
    hanging,
    html_page,
    markdown,
    markdown_table,
)
from scverse_backends.dispatcher import parts

from .findings import STATES, remarks
from .verify import inspected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from scverse_backends._ground.records import BackendInfo
    from scverse_backends.dispatcher import BackendDispatcher

    from .findings import Fit

    Loading = Callable[[str], AbstractContextManager[None]]


WIDTH = 80


class Line(NamedTuple):
    """One function, and what each backend has for it."""

    function: str
    summary: str
    fits: tuple[Fit, ...]


class Matrix(NamedTuple):
    """A host's functions against its backends.

    Parameters
    ----------
    host
        Name of the host.
    columns
        The backends that are loaded, or described by a manifest.
    lines
        The functions.
    unknown
        The backends that could not be compared.
    """

    host: str
    columns: tuple[BackendInfo, ...]
    lines: tuple[Line, ...]
    unknown: tuple[BackendInfo, ...] = ()

    def implemented(self, place: int) -> str:
        """Count the functions that the backend of a column implements."""
        count = sum(line.fits[place].implemented for line in self.lines)
        return f"{count} of {len(self.lines)}"

    def absences(self) -> list[str]:
        """Say of each backend that is not loaded why it is not."""
        columns = (*self.columns, *self.unknown)
        return [f"{one.name} is {one.state}: {one.reason}" for one in columns if one.reason]


def gather(dispatcher: BackendDispatcher, loading: Loading = lambda _: nullcontext()) -> Matrix:
    """Compare every backend with everything that is dispatched.

    A backend that ships a manifest is not imported for that; any other is.

    Parameters
    ----------
    dispatcher
        The host's dispatcher.
    loading
        Entered with the name of each backend while it loads.
    """
    registry, catalogue, _ = parts(dispatcher)
    columns, unknown, fits = [], [], []
    for verdict in registry.verdicts():
        if not (verdict.refused or registry.described(verdict)):
            with loading(verdict.candidate.name):
                registry.attempt(verdict, quietly=True)
    for info, backend, _ in registry.listed():
        if backend is None:
            unknown.append(info)
        else:
            columns.append(info)
            fits.append(inspected(dispatcher, backend).functions)
    functions = [dispatch.function for dispatch in catalogue.dispatches()]
    lines = tuple(
        Line(function.name, _summary(function.func.__doc__), tuple(found[place] for found in fits))
        for place, function in enumerate(functions)
    )
    return Matrix(dispatcher.host_name, tuple(columns), lines, tuple(unknown))


def _summary(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0]


def _table(matrix: Matrix) -> tuple[list[list[str]], list[str]]:
    """Lay out a table of words; what needs more words is in numbered notes."""
    notes: list[str] = []
    rows = [["", *(column.name for column in matrix.columns)]]
    for line in matrix.lines:
        row = [line.function]
        for column, fit in zip(matrix.columns, line.fits, strict=True):
            told = [*remarks(fit)]
            is_noted = any(one.kind != "added-parameter" for one in told)
            if is_noted:
                notes.append(f"{line.function} on {column.name}: {'; '.join(map(str, told))}")
            row.append(f"{fit.state} ({len(notes)})" if is_noted else fit.state)
        rows.append(row)
    counts = map(matrix.implemented, range(len(matrix.columns)))
    return [*rows, ["implemented", *counts]], notes


def as_text(matrix: Matrix) -> str:
    """Write it for people at a terminal of 80 columns."""
    rows, notes = _table(matrix)
    tables = map(aligned, _parts(rows) if matrix.columns else ())
    none = [] if matrix.columns else [f"{matrix.host} has no backend that can be compared."]
    sources = aligned([[column.name, origin(column)] for column in matrix.columns])
    label = len(f"({len(notes)})  ")
    numbered = (
        line
        for number, note in enumerate(notes, 1)
        for line in hanging(f"({number})".ljust(label), note, WIDTH)
    )
    absences = (line for text in matrix.absences() for line in hanging("", text, WIDTH))
    return _blocks(none, *tables, sources, _legend(matrix), numbered, absences)


def _parts(rows: list[list[str]]) -> list[list[list[str]]]:
    """Cut a table that is too wide into some that are not, each with the first column."""
    widths = [2 + max(map(len, column)) for column in zip(*rows, strict=True)]
    parts = [[0]]
    for place, width in enumerate(widths[1:], 1):
        if len(parts[-1]) > 1 and sum(widths[at] for at in parts[-1]) + width - 2 > WIDTH:
            parts.append([0])
        parts[-1].append(place)
    return [[[row[at] for at in part] for row in rows] for part in parts]


def _legend(matrix: Matrix) -> list[str]:
    """Say what a word means that explains itself less than the others."""
    is_said = any(fit.state == "partly" for line in matrix.lines for fit in line.fits)
    return [f"partly: {STATES['partly']}"] * is_said


def as_markdown(matrix: Matrix) -> str:
    """Write it as a Markdown table with notes, for a README or an issue."""
    rows, notes = _table(matrix)
    rows.insert(1, ["from", *map(origin, matrix.columns)])
    numbered = (f"{number}. {markdown(note)}" for number, note in enumerate(notes, 1))
    absences = (f"- {markdown(text)}" for text in matrix.absences())
    return _blocks(markdown_table(rows), _legend(matrix), numbered, absences)


def _blocks(*blocks: Iterable[str]) -> str:
    """Join blocks of lines, with an empty line between two of them."""
    return "\n\n".join(filter(None, map("\n".join, blocks)))


def as_json(matrix: Matrix) -> str:
    """Write it for machines: backends, and for each function what each of them has."""
    functions: list[dict[str, Any]] = []
    for line in matrix.lines:
        fits = [{"implemented": f.implemented, "findings": f.findings} for f in line.fits]
        backends = dict(zip((column.name for column in matrix.columns), fits, strict=True))
        functions.append({"function": line.function, "summary": line.summary, "backends": backends})
    value = {
        "host": matrix.host,
        "backends": matrix.columns,
        "unknown": matrix.unknown,
        "functions": functions,
    }
    return json.dumps(as_objects(value), indent=2)


def as_html(matrix: Matrix) -> str:
    """Write it as a page that reads well on any screen, in light and dark, and on paper."""
    title = f"Backends of {escaped(matrix.host)}"
    lead = "Which functions each backend implements, and with what exceptions."
    if not matrix.columns:
        lead = "There is no backend that can be compared."
    absences = "".join(f"<li>{escaped(text)}</li>" for text in matrix.absences())
    parts = [
        f"<h1>{title}</h1>",
        f"<p class='lead'>{lead}</p>",
        f"{_html_table(matrix)}\n<dl>{_LEGEND}</dl>" if matrix.columns else "",
        f"<h2>Not usable where this was made</h2><ul>{absences}</ul>" if absences else "",
    ]
    body = "\n".join(filter(None, parts))
    return html_page(title, STYLE, f"<main>\n{body}\n</main>")


def _html_table(matrix: Matrix) -> str:
    heads = "".join(_html_head(matrix, place) for place in range(len(matrix.columns)))
    names = [escaped(column.name) for column in matrix.columns]
    rows = []
    for line in matrix.lines:
        cells = "".join(map(_html_cell, names, line.fits))
        summary = f"<small>{escaped(line.summary)}</small>" if line.summary else ""
        head = f"<th scope='row'><code>{escaped(line.function)}</code>{summary}</th>"
        rows.append(f"<tr>{head}{cells}</tr>")
    return (
        "<div class='scroll' tabindex='0' role='region' aria-label='Functions and backends'>"
        f"<table>\n<thead><tr><th scope='col'>Function</th>{heads}</tr></thead>\n"
        f"<tbody>\n{chr(10).join(rows)}\n</tbody></table></div>"
    )


def _html_head(matrix: Matrix, place: int) -> str:
    column = matrix.columns[place]
    state = column.state if column.reason else "trusted" if column.trusted else "not trusted"
    return (
        f"<th scope='col'>{escaped(column.name)}<small>{escaped(origin(column))}</small>"
        f"<small>{state} · {matrix.implemented(place)}</small></th>"
    )


def _html_cell(backend: str, fit: Fit) -> str:
    items = "".join(f"<li class='{one.kind}'>{escaped(str(one))}</li>" for one in remarks(fit))
    details = f"<ul>{items}</ul>" if items else ""
    return (
        f"<td class='{fit.state}' data-backend='{backend}'><span>{fit.state}</span>{details}</td>"
    )


FORMATS = {"text": as_text, "markdown": as_markdown, "html": as_html, "json": as_json}

_LEGEND = "\n".join(
    f"<div><dt class='{state}'><span>{state}</span></dt><dd>{meaning}</dd></div>"
    for state, meaning in STATES.items()
)

STYLE = """
:root { --ink: #1b1f24; --soft: #57606a; --paper: #fff; --band: #f6f8fa; --rule: #d0d7de;
  --yes: #1a7f37; --partly: #8a5a00; --no: #656d76; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa4b0; --paper: #0d1117;
  --band: #161b22; --rule: #30363d; --yes: #4ac26b; --partly: #d9a327; --no: #8b949e; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .4rem; }
.lead { margin: 0 0 1.5rem; color: var(--soft); }
.scroll { overflow-x: auto; border: 1px solid var(--rule); border-radius: 8px; }
table { border-collapse: separate; border-spacing: 0; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .6rem .9rem; min-width: 11rem; }
tr > * { border-bottom: 1px solid var(--rule); }
tbody tr:last-child > * { border-bottom: 0; }
thead th { background: var(--band); }
tr > th:first-child { position: sticky; left: 0; background: var(--band);
  border-right: 1px solid var(--rule); max-width: 20rem; }
small { display: block; font-weight: 400; font-size: .82rem; color: var(--soft); }
code { font: .95em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-weight: 600; }
td span, dt span { font-weight: 600; white-space: nowrap; }
td span::before, dt span::before { display: inline-block; width: 1.3em; }
.yes span { color: var(--yes); } .yes span::before { content: "\\2713"; }
.partly span { color: var(--partly); } .partly span::before { content: "\\25D0"; }
.no span { color: var(--no); font-weight: 400; } .no span::before { content: "\\2013"; }
ul { margin: .25rem 0 0; padding-left: 1.15rem; font-size: .86rem; overflow-wrap: anywhere; }
.added-parameter { color: var(--soft); }
dl { margin: 1.2rem 0 0; font-size: .86rem; color: var(--soft); }
dl div { display: flex; gap: .6rem; } dt { min-width: 9rem; } dd { margin: 0; }
@media (max-width: 44rem) {
  main { padding: 1.25rem .9rem 3rem; }
  .scroll { border: 0; overflow: visible; }
  table, thead, tbody, tr, th, td { display: block; min-width: 0; }
  thead tr > th:first-child { display: none; }
  thead tr > th { border-bottom: 0; }
  tr { border: 1px solid var(--rule); border-radius: 8px; margin-bottom: .8rem;
    overflow: hidden; }
  tr > th:first-child { position: static; max-width: none; border-right: 0; }
  tr > td:last-child { border-bottom: 0; }
  td::before { content: attr(data-backend); display: block; color: var(--soft);
    font-size: .82rem; }
  dl div { display: block; margin-bottom: .4rem; }
}
@media print { .scroll { overflow: visible; } tr { break-inside: avoid; } }
"""
