"""Notes: a table of short cells, with what needs more words in numbered notes below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .remarks import absence, origin, remarks

if TYPE_CHECKING:
    from .cells import Matrix


class Grid(NamedTuple):
    """What text and Markdown have in common."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    absences: tuple[str, ...]


def grid(matrix: Matrix) -> Grid:
    """Lay out a matrix; a number in brackets leads to the note."""
    notes: list[str] = []
    rows = []
    for line in matrix.lines:
        cells = [line.function]
        for column, fit in zip(matrix.columns, line.fits, strict=True):
            told = "; ".join(remarks(fit))
            if told:
                notes.append(f"{line.function} on {column.name}: {told}")
            word = "yes" if fit.implemented else "-"
            cells.append(f"{word} ({len(notes)})" if told else word)
        rows.append(tuple(cells))
    places = range(len(matrix.columns))
    counts = (f"{matrix.implemented(place)} of {len(rows)}" for place in places)
    headings = ("", *(column.name for column in matrix.columns))
    sources = ("from", *map(origin, matrix.columns))
    absences = tuple(absence(column) for column in (*matrix.columns, *matrix.unknown))
    return Grid(
        headings,
        (sources, *rows, ("implemented", *counts)),
        tuple(notes),
        tuple(filter(None, absences)),
    )
