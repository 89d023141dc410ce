"""What the functions accept as a table, and who owns it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def table(data: ArrayLike) -> NDArray[np.float64]:
    """Return `data` as rows and columns of floats, copied only if it must be."""
    values = np.asarray(data, dtype=np.float64)
    _check_sides(values)
    return values


def writable_table(data: ArrayLike, *, copy: bool) -> NDArray[np.floating]:
    """Return a table that may be overwritten: a copy, or `data` itself where it can be."""
    if copy:
        return table(data).copy()
    if not (isinstance(data, np.ndarray) and data.dtype.kind == "f"):
        raise TypeError(
            "copy=False overwrites the input, which must then be a NumPy array of floats, "
            f"not {type(data).__name__}; pass copy=True to leave the input alone"
        )
    _check_sides(data)
    return data


def _check_sides(values: NDArray[np.floating]) -> None:
    if values.ndim != 2:  # noqa: PLR2004 - rows and columns
        raise ValueError(f"expected rows and columns, got an array with {values.ndim} axes")
