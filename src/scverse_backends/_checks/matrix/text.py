"""The matrix for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scverse_backends._ground.rendering import aligned

from .notes import grid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .cells import Matrix


def as_text(matrix: Matrix) -> str:
    """Write it for people at a terminal."""
    return "\n".join(_lines(matrix))


def _lines(matrix: Matrix) -> Iterator[str]:
    found = grid(matrix)
    if matrix.columns:
        yield from aligned([found.headings, *found.rows])
    else:
        yield f"{matrix.host} has no backend that can be compared."
    if found.notes:
        yield ""
        yield from aligned([[f"({n})", note] for n, note in enumerate(found.notes, 1)])
    if found.absences:
        yield ""
        yield from found.absences
