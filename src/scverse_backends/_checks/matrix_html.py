"""The matrix as one page of HTML that needs nothing else, fit to be published."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from scverse_backends._ground.rendering import printable

from .findings import STATES, origin

if TYPE_CHECKING:
    from .findings import Fit
    from .matrix import Matrix


def as_html(matrix: Matrix) -> str:
    """Write it as a page that reads well on any screen, in light and dark, and on paper."""
    title = f"Backends of {_plain(matrix.host)}"
    lead = "Which functions each backend implements, and with what exceptions."
    if not matrix.columns:
        lead = "There is no backend that can be compared."
    absences = "".join(f"<li>{_plain(text)}</li>" for text in matrix.absences())
    parts = [
        f"<h1>{title}</h1>",
        f"<p class='lead'>{lead}</p>",
        f"{_table(matrix)}\n<dl>{_LEGEND}</dl>" if matrix.columns else "",
        f"<h2>Not usable where this was made</h2><ul>{absences}</ul>" if absences else "",
    ]
    return _PAGE.format(title=title, style=STYLE, body="\n".join(filter(None, parts)))


def _table(matrix: Matrix) -> str:
    heads = "".join(_head(matrix, place) for place in range(len(matrix.columns)))
    names = [_plain(column.name) for column in matrix.columns]
    rows = []
    for line in matrix.lines:
        cells = "".join(map(_cell, names, line.fits))
        summary = f"<small>{_plain(line.summary)}</small>" if line.summary else ""
        head = f"<th scope='row'><code>{_plain(line.function)}</code>{summary}</th>"
        rows.append(f"<tr>{head}{cells}</tr>")
    return (
        "<div class='scroll' tabindex='0' role='region' aria-label='Functions and backends'>"
        f"<table>\n<thead><tr><th scope='col'>Function</th>{heads}</tr></thead>\n"
        f"<tbody>\n{chr(10).join(rows)}\n</tbody></table></div>"
    )


def _head(matrix: Matrix, place: int) -> str:
    column = matrix.columns[place]
    state = column.state if column.reason else "trusted" if column.trusted else "not trusted"
    return (
        f"<th scope='col'>{_plain(column.name)}<small>{_plain(origin(column))}</small>"
        f"<small>{state} · {matrix.implemented(place)}</small></th>"
    )


def _cell(backend: str, fit: Fit) -> str:
    items = "".join(f"<li class='{one.kind}'>{_plain(str(one))}</li>" for one in fit.remarks())
    details = f"<ul>{items}</ul>" if items else ""
    return (
        f"<td class='{fit.state}' data-backend='{backend}'><span>{fit.state}</span>{details}</td>"
    )


def _plain(text: str) -> str:
    return escape(printable(text))


_LEGEND = "\n".join(
    f"<div><dt class='{state}'><span>{state}</span></dt><dd>{meaning}</dd></div>"
    for state, meaning in STATES.items()
)

_PAGE = """\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><style>{style}</style></head>
<body><main>
{body}
</main></body>
</html>"""

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
