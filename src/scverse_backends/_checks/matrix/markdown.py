"""The matrix as Markdown, for a README or an issue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .notes import grid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .cells import Matrix


def as_markdown(matrix: Matrix) -> str:
    """Write it as a Markdown table with notes."""
    return "\n".join(_lines(matrix))


def _lines(matrix: Matrix) -> Iterator[str]:
    found = grid(matrix)
    yield _row(found.headings)
    yield _row(["---"] * len(found.headings), plain=True)
    yield from map(_row, found.rows)
    if found.notes:
        yield ""
        yield from (f"{n}. {_escaped(note)}" for n, note in enumerate(found.notes, 1))
    if found.absences:
        yield ""
        yield from (f"- {_escaped(text)}" for text in found.absences)


def _row(cells: Iterable[str], *, plain: bool = False) -> str:
    return f"| {' | '.join(cell if plain else _escaped(cell) for cell in cells)} |"


def _escaped(text: str) -> str:
    """Keep Markdown from reading names and messages as its own; `-` alone would be a list."""
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", " ".join(text.split()))
