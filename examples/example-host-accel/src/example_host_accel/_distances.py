"""Distances from SciPy's compiled loops."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

_NAMES = {
    "euclidean": "euclidean",
    "manhattan": "cityblock",
    "chebyshev": "chebyshev",
    "cosine": "cosine",
}


def pairwise_distances(
    data: ArrayLike, other: ArrayLike | None = None, *, metric: str = "euclidean"
) -> NDArray[np.float64]:
    """Measure the distance of each row to each other row.

    Parameters
    ----------
    data
        One row per sample.
    other
        The rows to measure to; ``None`` takes `data` again.
    metric
        ``"euclidean"``, ``"manhattan"``, ``"chebyshev"`` or ``"cosine"``.

    Returns
    -------
    numpy.ndarray
        Distances, one row for each row of `data`, one column for each row of `other`.

    Examples
    --------
    >>> pairwise_distances([[0, 0]], [[3, 4], [1, 0]], metric="manhattan")
    array([[7., 1.]])
    """
    if metric not in _NAMES:
        raise ValueError(f"metric={metric!r} is unknown; choose one of {', '.join(_NAMES)}")
    return cdist(data, data if other is None else other, metric=_NAMES[metric])
