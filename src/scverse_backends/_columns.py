"""Columns: rows of text lined up for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Cell = str | tuple[str, str]
    Paint = Callable[[str, str], str]


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
