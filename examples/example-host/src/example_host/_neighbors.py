"""Which rows lie closest."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import table
from ._backends import backend_class, backend_dispatch
from ._distances import pairwise_distances

Neighbors = tuple[NDArray[np.float64], NDArray[np.intp]]


@backend_dispatch
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
        What :func:`pairwise_distances` accepts.
    n_jobs
        How many threads to sort the distances with.

    Returns
    -------
    distances : numpy.ndarray
        One row per sample, the closest neighbor first.
    indices : numpy.ndarray
        The row numbers of these neighbors.

    Raises
    ------
    ValueError
        If there are no `n_neighbors` other rows, or `metric` is unknown.

    Examples
    --------
    >>> import example_host as eh
    >>> distances, indices = eh.nearest_neighbors([[0.0], [1.0], [3.0]], n_neighbors=1)
    >>> indices.ravel()
    array([1, 0, 1])
    """
    distances = pairwise_distances(data, metric=metric)
    _check_count(n_neighbors, len(distances) - 1)
    np.fill_diagonal(distances, np.inf)
    with ThreadPoolExecutor(n_jobs) as pool:
        parts = pool.map(partial(_closest, count=n_neighbors), np.array_split(distances, n_jobs))
    sorted_distances, indices = zip(*parts, strict=True)
    return np.concatenate(sorted_distances), np.concatenate(indices)


@backend_class
class NeighborIndex:
    """Rows that wait to be searched.

    Parameters
    ----------
    data
        The rows to search among.
    metric
        What :func:`pairwise_distances` accepts.

    Examples
    --------
    >>> import example_host as eh
    >>> index = eh.NeighborIndex([[0.0], [10.0], [11.0]])
    >>> distances, indices = index.query([[9.0]], n_neighbors=2)
    >>> indices
    array([[1, 2]])
    """

    def __init__(self, data: ArrayLike, *, metric: str = "euclidean") -> None:
        self.data = table(data)
        self.metric = metric

    def query(self, points: ArrayLike, n_neighbors: int = 15) -> Neighbors:
        """Find the indexed rows closest to each point.

        Parameters
        ----------
        points
            One row per point.
        n_neighbors
            How many rows to return for each.

        Returns
        -------
        distances : numpy.ndarray
            One row per point, the closest first.
        indices : numpy.ndarray
            Their row numbers in the index.

        Raises
        ------
        ValueError
            If the index holds no `n_neighbors` rows, or its metric is unknown.

        Examples
        --------
        >>> import example_host as eh
        >>> eh.NeighborIndex([[0.0], [10.0]]).query([[4.0]], n_neighbors=1)[0]
        array([[4.]])
        """
        _check_count(n_neighbors, len(self.data))
        return _closest(pairwise_distances(points, self.data, metric=self.metric), n_neighbors)


def _check_count(n_neighbors: int, available: int) -> None:
    if not 1 <= n_neighbors <= available:
        raise ValueError(
            f"n_neighbors={n_neighbors} must lie between 1 and {available}, "
            "the number of rows to choose from"
        )


def _closest(distances: NDArray[np.float64], count: int) -> Neighbors:
    # A stable sort gives equally distant rows in the order of their numbers.
    indices = distances.argsort(axis=1, kind="stable")[:, :count]
    return np.take_along_axis(distances, indices, axis=1), indices
