"""Standardize columns without a second table in double precision."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._tiles import tiles


def standardize(
    rows: ArrayLike, *, max_value: float | None = None, tile_size: int = 4096
) -> NDArray[np.float32]:
    """Shift every column to mean zero and scale it to unit variance, always in a new table.

    Parameters
    ----------
    rows
        One row per sample. A constant column becomes zero.
    max_value
        Clip what lies further from zero than this; ``None`` clips nothing.
    tile_size
        How many rows to convert at a time.

    Returns
    -------
    numpy.ndarray
        The standardized table, in single precision.

    Examples
    --------
    >>> standardize([[1, 5], [3, 5]])
    array([[-1.,  0.],
           [ 1.,  0.]], dtype=float32)
    """
    rows = np.asarray(rows, dtype=np.float64)
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    constant = (rows == rows[0]).all(axis=0)
    mean[constant], deviation[constant] = rows[0, constant], 1.0
    limit = np.inf if max_value is None else max_value
    result = np.empty(rows.shape, dtype=np.float32)
    for tile in tiles(len(rows), tile_size):
        result[tile] = np.clip((rows[tile] - mean) / deviation, -limit, limit)
    return result
