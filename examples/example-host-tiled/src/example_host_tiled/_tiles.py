"""Cut a table into slices of rows."""

from __future__ import annotations

from collections.abc import Iterator


def tiles(length: int, size: int) -> Iterator[slice]:
    """Yield slices that cover `length` rows, `size` at a time.

    Parameters
    ----------
    length
        The number of rows.
    size
        The most rows in one slice.

    Yields
    ------
    slice
        The next rows.

    Raises
    ------
    ValueError
        If `size` is less than 1.

    Examples
    --------
    >>> list(tiles(5, 3))
    [slice(0, 3, None), slice(3, 5, None)]
    """
    if size < 1:
        raise ValueError(f"tile_size={size} must be at least 1")
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))
