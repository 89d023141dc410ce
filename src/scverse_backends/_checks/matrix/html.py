"""The matrix as one page of HTML that needs nothing else, fit to be published."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from scverse_backends._ground.rendering import printable

from .remarks import absence, exceptions, options, origin, remarks

if TYPE_CHECKING:
    from scverse_backends._checks.findings import Fit

    from .cells import Column, Line, Matrix

MARKS = {"full": "yes", "partly": "with exceptions", "no": "no"}


def as_html(matrix: Matrix) -> str:
    """Write it as a page that reads well on any screen, in light and dark, and on paper."""
    title = f"Backends of {_plain(matrix.host)}"
    found = filter(None, map(absence, (*matrix.columns, *matrix.unknown)))
    absences = "".join(f"<li>{_plain(text)}</li>" for text in found)
    parts = [
        f"<h1>{title}</h1>",
        f"<p class='lead'>{_lead(matrix)}</p>",
        _table(matrix) if matrix.columns else "",
        _LEGEND if matrix.columns else "",
        f"<h2>Not usable where this was made</h2><ul>{absences}</ul>" if absences else "",
    ]
    body = "\n".join(filter(None, parts))
    return _PAGE.format(title=title, style=STYLE, body=body)


def _lead(matrix: Matrix) -> str:
    if not matrix.columns:
        return "There is no backend that can be compared."
    functions = len(matrix.lines)
    backends = len(matrix.columns)
    return (
        f"{functions} function{'s' * (functions != 1)} that {_plain(matrix.host)} lets backends "
        f"run, and what {backends} backend{'s' * (backends != 1)} offer"
        f"{'s' * (backends == 1)} for them."
    )


def _table(matrix: Matrix) -> str:
    heads = "".join(_head(matrix, place) for place in range(len(matrix.columns)))
    rows = "\n".join(_line(matrix, line) for line in matrix.lines)
    return (
        "<div class='scroll' tabindex='0' role='region' aria-label='Functions and backends'>"
        f"<table>\n<thead><tr><th scope='col'>Function</th>{heads}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def _head(matrix: Matrix, place: int) -> str:
    column = matrix.columns[place]
    state = column.state if column.reason else "trusted" if column.trusted else "not trusted"
    count = f"{matrix.implemented(place)} of {len(matrix.lines)}"
    return (
        f"<th scope='col'>{_plain(column.name)}"
        f"<small>{_plain(origin(column))}</small><small>{state} · {count}</small></th>"
    )


def _line(matrix: Matrix, line: Line) -> str:
    cells = "".join(_cell(*pair) for pair in zip(matrix.columns, line.fits, strict=True))
    summary = f"<small>{_plain(line.summary)}</small>" if line.summary else ""
    return f"<tr><th scope='row'><code>{_plain(line.function)}</code>{summary}</th>{cells}</tr>"


def _cell(column: Column, fit: Fit) -> str:
    kind = "no"
    if fit.implemented:
        kind = "partly" if exceptions(fit) else "full"
    own = options(fit)
    items = [f"<li>{_plain(text)}</li>" for text in remarks(fit)]
    items += [f"<li class='own'>also takes {_plain(own)}</li>"] if own else []
    details = f"<ul>{''.join(items)}</ul>" if items else ""
    label = _plain(column.name)
    return f"<td class='{kind}' data-backend='{label}'><span>{MARKS[kind]}</span>{details}</td>"


def _plain(text: str) -> str:
    return escape(printable(text))


_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>"""

_LEGEND = """\
<dl>
<div><dt class="full"><span>yes</span></dt><dd>every argument of the host is honoured or may be \
ignored, and defaults are the same</dd></div>
<div><dt class="partly"><span>with exceptions</span></dt><dd>a call that gives what is not taken \
runs elsewhere; nothing is dropped</dd></div>
<div><dt class="no"><span>no</span></dt><dd>calls run on the next choice, or on the host</dd></div>
</dl>"""

STYLE = """
:root { --ink: #1b1f24; --soft: #57606a; --paper: #fff; --band: #f6f8fa; --rule: #d0d7de;
  --full: #1a7f37; --partly: #8a5a00; --no: #656d76; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa4b0; --paper: #0d1117;
  --band: #161b22; --rule: #30363d; --full: #4ac26b; --partly: #d9a327; --no: #8b949e; } }
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
.full span { color: var(--full); } .full span::before { content: "\\2713"; }
.partly span { color: var(--partly); } .partly span::before { content: "\\25D0"; }
.no span { color: var(--no); font-weight: 400; } .no span::before { content: "\\2013"; }
ul { margin: .25rem 0 0; padding-left: 1.15rem; font-size: .86rem; overflow-wrap: anywhere; }
.own { color: var(--soft); }
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
