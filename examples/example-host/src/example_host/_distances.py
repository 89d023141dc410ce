"""How far rows lie apart."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import table
from ._backends import backend_dispatch

FloatArray = NDArray[np.float64]


def _euclidean(row: FloatArray, rows: FloatArray) -> FloatArray:
    return np.sqrt(((rows - row) ** 2).sum(axis=1))


def _manhattan(row: FloatArray, rows: FloatArray) -> FloatArray:
    return np.abs(rows - row).sum(axis=1)


def _chebyshev(row: FloatArray, rows: FloatArray) -> FloatArray:
    return np.abs(rows - row).max(axis=1)


def _cosine(row: FloatArray, rows: FloatArray) -> FloatArray:
    return 1 - rows @ row / (np.linalg.norm(rows, axis=1) * np.linalg.norm(row))


METRICS: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "euclidean": _euclidean,
    "manhattan": _manhattan,
    "chebyshev": _chebyshev,
    "cosine": _cosine,
}


@backend_dispatch
def pairwise_distances(
    data: ArrayLike, other: ArrayLike | None = None, *, metric: str = "euclidean"
) -> FloatArray:
    """Measure the distance of each row to each other row.

    Parameters
    ----------
    data
        One row per sample.
    other
        The rows to measure to; ``None`` takes `data` again.
    metric
        ``"euclidean"``, ``"manhattan"``, ``"chebyshev"`` or ``"cosine"``, which is not defined
        for rows of zeros.

    Returns
    -------
    numpy.ndarray
        Distances, one row for each row of `data`, one column for each row of `other`.

    Raises
    ------
    ValueError
        If `metric` is unknown.

    Examples
    --------
    >>> import example_host as eh
    >>> eh.pairwise_distances([[0, 0], [3, 4]])
    array([[0., 5.],
           [5., 0.]])
    >>> eh.pairwise_distances([[0, 0]], [[3, 4], [1, 0]], metric="manhattan")
    array([[7., 1.]])
    """
    if metric not in METRICS:
        raise ValueError(f"metric={metric!r} is unknown; choose one of {', '.join(METRICS)}")
    rows = table(data)
    targets = rows if other is None else table(other)
    return np.stack([METRICS[metric](row, targets) for row in rows])
