"""Measure from the rows of a large table to those of a small one."""

from __future__ import annotations

from functools import partial

import dask.array as da
import example_host as eh
from numpy.typing import ArrayLike

from ._blocks import on_blocks

# As in `_preprocessing`.
distances_of_block = partial(eh.pairwise_distances, backend="cpu")


def pairwise_distances(data: da.Array, other: ArrayLike, *, metric: str = "euclidean") -> da.Array:
    """Measure the distance of each row to each row of a table that fits into memory.

    Parameters
    ----------
    data
        The rows to measure from, in blocks of whole rows.
    other
        The rows to measure to.
    metric
        What the host's function accepts.

    Returns
    -------
    dask.array.Array
        One row for each row of `data`, not computed yet.

    Examples
    --------
    >>> points = da.from_array([[0, 0], [3, 4]], chunks=(1, 2))
    >>> pairwise_distances(points, [[0, 0]]).compute()
    array([[0.],
           [5.]])
    """
    measure = partial(distances_of_block, other=other, metric=metric)
    return on_blocks(data, measure, columns=len(other))
