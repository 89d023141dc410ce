"""Rendering: a page of facts and tables, as text for a terminal and as HTML for a notebook.

It knows nothing of backends: a page is made by the module that has something to show.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap
from typing import Literal, NamedTuple

Cell = str | tuple[str, str]
Paint = Callable[[str, str], str]
Tone = Literal["", "good", "warning", "bad"]

WIDTH = 96
LONGEST_SHORT = 16


class Row(NamedTuple):
    """One row of a table; its tone is a colour in HTML, its detail stands below it."""

    cells: tuple[str, ...]
    detail: str = ""
    tone: Tone = ""


class Table(NamedTuple):
    """Rows under headings.

    In HTML, a folded one is opened by a click, and a sortable one is sorted by a click on a
    heading. Text leaves a folded one out.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    folded: bool = False
    sortable: bool = False


class Page(NamedTuple):
    """A title, labelled facts, a figure that is HTML already, and tables."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()
    figure: str = ""

    def __str__(self) -> str:
        return self.text()

    def text(self, width: int = WIDTH) -> str:
        """Render it for a terminal; only the cells of a table may be wider than told."""
        return "\n".join(map(printable, _as_text(self, width)))

    def _repr_html_(self) -> str:
        return _as_html(self)


def _as_text(page: Page, width: int) -> Iterator[str]:
    """Render a page for a terminal."""
    yield page.title
    label_width = max((len(label) for label, _ in page.facts), default=0)
    for label, fact in page.facts:
        yield from hanging(f"  {label:<{label_width}}  ", fact, width)
    for table in (table for table in page.tables if not table.folded):
        yield ""
        yield from _table_as_text(table, width)


def _table_as_text(table: Table, width: int) -> Iterator[str]:
    yield f"  {table.title}"
    headings, *lines = aligned([table.columns, *(row.cells for row in table.rows)])
    yield f"    {headings}"
    for row, line in zip(table.rows, lines, strict=True):
        yield f"    {line}"
        yield from hanging(" " * 8, row.detail, width) if row.detail else ()


def hanging(label: str, text: str, width: int) -> list[str]:
    """Wrap a text so that all its lines begin where the first one does. No path is cut."""
    found = wrap(
        text,
        width,
        initial_indent=label,
        subsequent_indent=" " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return found or [label.rstrip()]


def _as_html(page: Page) -> str:
    """Render a page for a notebook: one element that brings its own style."""
    facts = "".join(
        f"<dt>{escaped(label)}</dt><dd>{escaped(fact)}</dd>" for label, fact in page.facts
    )
    parts = [
        f"<p>{escaped(page.title)}</p>",
        f"<dl>{facts}</dl>" if facts else "",
        page.figure,
        *map(_table_as_html, page.tables),
        f"<script>{SORTING}</script>" if any(table.sortable for table in page.tables) else "",
    ]
    return f'<div class="scverse-backends"><style>{STYLE}</style>{"".join(parts)}</div>'


def _table_as_html(table: Table) -> str:
    title = escaped(table.title)
    headings = "".join(f'<th scope="col">{escaped(name)}</th>' for name in table.columns)
    rows = [_row_as_html(table.columns, row) for row in table.rows]
    # A row and what stands below it are sorted as one.
    bodies = rows if table.sortable else ["".join(rows)]
    body = f"<thead><tr>{headings}</tr></thead>{''.join(f'<tbody>{one}</tbody>' for one in bodies)}"
    opening = '<table class="sortable">' if table.sortable else "<table>"
    if table.folded:
        return f"<details><summary>{title}</summary>{opening}{body}</table></details>"
    # No heading: a notebook would list it among the headings of its author.
    return f"{opening}<caption>{title}</caption>{body}</table>"


def _row_as_html(columns: tuple[str, ...], row: Row) -> str:
    cells = "".join(
        f'<td data-label="{escaped(name)}"{_short(cell)}>{escaped(cell)}</td>'
        for name, cell in zip(columns, row.cells, strict=True)
    )
    tone = f' class="{row.tone}"' if row.tone else ""
    detail = (
        f'<tr{tone}><td class="detail" colspan="{len(columns)}">{escaped(row.detail)}</td></tr>'
    )
    return f"<tr{tone}>{cells}</tr>{detail if row.detail else ''}"


def _short(cell: str) -> str:
    """Keep a short cell, such as a time, on one line."""
    return ' class="short"' if len(cell) <= LONGEST_SHORT else ""


def escaped(text: str) -> str:
    """Escape what a browser would take for markup, for HTML that shows the text as it is."""
    # Imported here: only a notebook needs it.
    from html import escape

    return escape(printable(text))


def html_page(title: str, style: str, body: str) -> str:
    """Write a page that needs nothing else, of a title and a body that are HTML already."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark"><style>{style}</style></head>\n'
        f"<body>{body}</body>\n</html>"
    )


def printable(text: str) -> str:
    """Replace what could move a terminal's cursor, or turn the line around."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


def markdown(text: str) -> str:
    """Have Markdown show a text as it is: ``<stdin>`` and ``__main__.py``, too."""
    return re.sub(r"[\\`*<|\[&~]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", printable(text))


def markdown_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write rows as the lines of a table in Markdown; the first one holds the headings."""
    heading, *others = (f"| {' | '.join(map(markdown, row))} |" for row in rows)
    return [heading, f"| {' | '.join(['---'] * len(rows[0]))} |", *others]


def aligned(
    rows: Sequence[Sequence[Cell]], paint: Paint = lambda _, text: text, *, gap: str = "  "
) -> Iterator[str]:
    r"""Line up rows of cells.

    Parameters
    ----------
    rows
        Each cell is a text, or a style and a text.
    paint
        Gives a text in a style.
    gap
        What stands between two columns.

    Returns
    -------
    One line for each row, without spaces at its end.

    Examples
    --------
    >>> print(*aligned([["pca", "yes"], ["normalize_total", "no"]]), sep="\n")
    pca              yes
    normalize_total  no
    """
    split = [[("", cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    count = max(map(len, split), default=0)
    widths = [max(len(row[i][1]) for row in split if i < len(row)) for i in range(count)]
    for row in split:
        cells = [_padded(paint, *cell, width) for cell, width in zip(row, widths, strict=False)]
        yield gap.join(cells).rstrip()


def _padded(paint: Paint, style: str, text: str, width: int) -> str:
    return (paint(style, text) if style else text) + " " * (width - len(text))


# Text takes the colour of the page around it, so that it is as readable as that is; only the bars
# before rows have colours of their own. Nested as it is, it outweighs what notebooks say of tables.
STYLE = """
.scverse-backends { color: inherit; color-scheme: light dark; container-type: inline-size;
  font: 13px/1.5 var(--jp-content-font-family, system-ui, sans-serif);
  --line: color-mix(in srgb, currentColor 22%, transparent);
  --good: var(--jp-success-color1, light-dark(#1a7f37, #3fb950));
  --warning: var(--jp-warn-color1, light-dark(#9a6700, #d29922));
  --bad: var(--jp-error-color1, light-dark(#cf222e, #f85149)); }
:is([data-jp-theme-light="true"], [data-theme="light"], .vscode-light) .scverse-backends {
  color-scheme: light; }
:is([data-jp-theme-light="false"], [data-theme="dark"], [theme="dark"], .vscode-dark)
  .scverse-backends { color-scheme: dark; }
.scverse-backends.scverse-backends.scverse-backends {
  > p, caption, summary { font: inherit; font-weight: 600; color: inherit; text-align: left;
    padding: 0; margin: .6em 0 .2em; caption-side: top; }
  summary { cursor: pointer; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .1em 1em; margin: 0 0 .8em; }
  dt { float: none; width: auto; margin: 0; opacity: .75; font-weight: 400; }
  dd { margin: 0; overflow-wrap: anywhere; }
  table { border-collapse: collapse; table-layout: auto; margin: 0 0 .8em; font-size: 1em;
    border: 0; width: auto; max-width: 100%; }
  tr, tr:hover, thead, tbody { background: none; border: 0; padding: 0; break-inside: avoid; }
  th, td { text-align: left; vertical-align: top; border: 0; border-left: 3px solid transparent;
    color: inherit; padding: .15em 1em .15em .5em; max-width: none; white-space: pre-wrap;
    overflow-wrap: break-word; }
  th { font-weight: 400; opacity: .75; white-space: nowrap; border-bottom: 1px solid var(--line); }
  table.sortable th[tabindex] { cursor: pointer; }
  th[aria-sort="ascending"]::after { content: " \\25b2"; }
  th[aria-sort="descending"]::after { content: " \\25bc"; }
  td.short { white-space: pre; }
  td.detail { padding-top: 0; padding-left: 1.6em; opacity: .85; overflow-wrap: anywhere; }
  .good > td:first-child { border-left-color: var(--good); }
  .warning > td:first-child { border-left-color: var(--warning); }
  .bad > td:first-child { border-left-color: var(--bad); }
  @container (max-width: 38em) {
    dl { grid-template-columns: 1fr; }
    dd { margin-left: 1em; }
    table, caption, tbody, td { display: block; overflow-wrap: anywhere; }
    tr { display: flex; flex-wrap: wrap; border-left: 3px solid transparent; }
    thead, td:empty { display: none; }
    td { border: 0; padding: 0 .5em; }
    td:first-child { flex-basis: 100%; margin-top: .4em; font-weight: 600; }
    td.detail { font-weight: 400; margin: 0; }
    tr.good { border-left: 3px solid var(--good); }
    tr.warning { border-left: 3px solid var(--warning); }
    tr.bad { border-left: 3px solid var(--bad); }
    td:not(:first-child, .detail)::before { content: attr(data-label) ": "; opacity: .75; }
  }
}
"""

# Numbers are sorted as numbers, milliseconds before seconds. Without it, tables stay as they are.
SORTING = """
for (const table of document.querySelectorAll(".scverse-backends table.sortable")) {
  if (table.dataset.sorts) continue;
  table.dataset.sorts = "yes";
  const value = (body, column) => {
    const text = body.rows[0].cells[column].textContent.trim();
    const number = parseFloat(text.replaceAll(",", ""));
    return isNaN(number) ? text : text.endsWith(" ms") ? number / 1000 : number;
  };
  table.querySelectorAll("th").forEach((heading, column) => {
    heading.tabIndex = 0;
    const sort = () => {
      const down = heading.ariaSort !== "descending";
      table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
      heading.ariaSort = down ? "descending" : "ascending";
      const sign = down ? -1 : 1;
      const compare = (a, b) => (a < b ? -sign : a > b ? sign : 0);
      [...table.tBodies]
        .sort((a, b) => compare(value(a, column), value(b, column)))
        .forEach((body) => table.append(body));
    };
    heading.addEventListener("click", sort);
    heading.addEventListener("keydown", (event) => event.key === "Enter" && sort());
  });
}
"""
