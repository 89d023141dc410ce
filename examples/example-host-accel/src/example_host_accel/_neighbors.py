"""Neighbors from a tree, without a table of all distances."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

Neighbors = tuple[NDArray[np.float64], NDArray[np.intp]]

_ORDERS = {"euclidean": 2, "cosine": 2, "manhattan": 1, "chebyshev": np.inf}


class NeighborIndex:
    """Rows in a tree that waits to be searched.

    Parameters
    ----------
    data
        The rows to search among.
    metric
        ``"euclidean"``, ``"manhattan"``, ``"chebyshev"`` or ``"cosine"``.

    Examples
    --------
    >>> distances, indices = NeighborIndex([[0.0], [10.0], [11.0]]).query([[9.0]], n_neighbors=2)
    >>> indices
    array([[1, 2]])
    """

    def __init__(self, data: ArrayLike, *, metric: str = "euclidean") -> None:
        if metric not in _ORDERS:
            raise ValueError(f"metric={metric!r} is unknown; choose one of {', '.join(_ORDERS)}")
        self.data = np.asarray(data, dtype=np.float64)
        self.metric = metric
        self._tree = KDTree(self._on_sphere(self.data))

    def query(self, points: ArrayLike, n_neighbors: int = 15, *, n_jobs: int = 1) -> Neighbors:
        """Find the indexed rows closest to each point.

        Parameters
        ----------
        points
            One row per point.
        n_neighbors
            How many rows to return for each.
        n_jobs
            How many threads to search with.

        Returns
        -------
        distances, indices : numpy.ndarray
            One row per point, the closest first; equally distant rows come in any order.

        Examples
        --------
        >>> NeighborIndex([[0.0], [10.0]]).query([[4.0]], n_neighbors=1)[0]
        array([[4.]])
        """
        _check_count(n_neighbors, len(self.data))
        targets = self._on_sphere(np.asarray(points, dtype=np.float64))
        order = _ORDERS[self.metric]
        # A list of ranks keeps the second axis where a single neighbor is asked for.
        ranks = range(1, n_neighbors + 1)
        distances, indices = self._tree.query(targets, ranks, p=order, workers=n_jobs)
        return (distances**2 / 2 if self.metric == "cosine" else distances), indices

    def _on_sphere(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        # Between rows of length one, the cosine distance is half the squared euclidean one.
        if self.metric != "cosine":
            return rows
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def nearest_neighbors(
    data: ArrayLike, n_neighbors: int = 15, *, metric: str = "euclidean", n_jobs: int = 1
) -> Neighbors:
    """Find the rows closest to each row, itself left out.

    Parameters
    ----------
    data
        One row per sample.
    n_neighbors
        How many neighbors to return for each row.
    metric
        ``"euclidean"``, ``"manhattan"``, ``"chebyshev"`` or ``"cosine"``.
    n_jobs
        How many threads to search with.

    Returns
    -------
    distances, indices : numpy.ndarray
        One row per sample, the closest neighbor first.

    Examples
    --------
    >>> distances, indices = nearest_neighbors([[0.0], [1.0], [3.0]], n_neighbors=1)
    >>> indices.ravel()
    array([1, 0, 1])
    """
    index = NeighborIndex(data, metric=metric)
    _check_count(n_neighbors, len(index.data) - 1)
    distances, indices = index.query(index.data, n_neighbors + 1, n_jobs=n_jobs)
    others = indices != np.arange(len(indices))[:, np.newaxis]
    # Among many equal rows a row may miss itself; then the last of them gives way.
    others[others.all(axis=1), -1] = False
    return tuple(found[others].reshape(-1, n_neighbors) for found in (distances, indices))


def _check_count(n_neighbors: int, available: int) -> None:
    if not 1 <= n_neighbors <= available:
        raise ValueError(
            f"n_neighbors={n_neighbors} must lie between 1 and {available}, "
            "the number of rows to choose from"
        )
