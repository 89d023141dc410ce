"""The matrix: what each backend has for each function of a host, and four ways to write it."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.records import as_objects
from scverse_backends._ground.rendering import (
    Page,
    Row,
    Table,
    aligned,
    document,
    hanging,
    markdown,
    markdown_table,
)
from scverse_backends.dispatcher import parts

from .findings import STATES, origin, remarks
from .verify import inspected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from scverse_backends._ground.records import BackendInfo
    from scverse_backends._ground.rendering import Cell, Tone
    from scverse_backends.dispatcher import BackendDispatcher

    from .findings import Fit, State

    Loading = Callable[[str], AbstractContextManager[None]]


WIDTH = 80
TONES: dict[State, Tone] = {"yes": "good", "partly": "warning"}


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

    def standing(self, place: int) -> str:
        """Say of the backend of a column where it is from, and how it stands."""
        column = self.columns[place]
        state = column.state if column.reason else "trusted" if column.trusted else "not trusted"
        return f"{origin(column)}, {state}, {self.implemented(place)} functions"

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
    for info, backend in registry.listed():
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
    return Matrix(registry.configuration.host, tuple(columns), lines, tuple(unknown))


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
    title = f"Backends of {matrix.host}"
    unusable = tuple(("not usable here", text) for text in matrix.absences())
    if not matrix.columns:
        page = Page("There is no backend that can be compared.", unusable)
        return document(title, [page._repr_html_()])
    names = [column.name for column in matrix.columns]
    backends = zip(names, map(matrix.standing, range(len(names))), strict=True)
    rows = tuple(
        Row((line.function, line.summary, *map(_toned, line.fits)), _details(names, line.fits))
        for line in matrix.lines
    )
    table = Table("Functions", ("function", "what it does", *names), rows)
    lead = "Which functions each backend implements, and with what exceptions."
    page = Page(lead, (*backends, *STATES.items(), *unusable), (table,))
    return document(title, [page._repr_html_()])


def _toned(fit: Fit) -> Cell:
    return TONES.get(fit.state, ""), fit.state


def _details(backends: Iterable[str], fits: Iterable[Fit]) -> str:
    """Say what users should know of each backend's implementation."""
    told = ((name, [*map(str, remarks(fit))]) for name, fit in zip(backends, fits, strict=True))
    return ". ".join(f"{name}: {'; '.join(found)}" for name, found in told if found)


FORMATS = {"text": as_text, "markdown": as_markdown, "html": as_html, "json": as_json}
