"""Measure a tile of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._tiles import tiles

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]


def _euclidean(tile: Doubles, targets: Doubles) -> Singles:
    # Differences of large squares need double precision, if only for as long as a tile lives.
    squares = [np.einsum("ij,ij->i", part, part) for part in (tile, targets)]
    squared = squares[0][:, np.newaxis] + squares[1] - 2 * (tile @ targets.T)
    return np.sqrt(np.maximum(squared, 0, dtype=np.float32))


def _cosine(tile: Doubles, targets: Doubles) -> Singles:
    lengths = [np.linalg.norm(part, axis=1) for part in (tile, targets)]
    return (1 - tile @ targets.T / np.outer(*lengths)).astype(np.float32)


METRICS = {"cosine": _cosine, "euclidean": _euclidean}


def measured_tiles(
    rows: Doubles, targets: Doubles, *, metric: str, tile_size: int
) -> Iterator[tuple[slice, Singles]]:
    """Yield the distances of the next rows to all targets.

    Parameters
    ----------
    rows
        The rows to go through.
    targets
        The rows to measure to.
    metric
        ``"euclidean"`` or ``"cosine"``.
    tile_size
        How many rows to measure at a time.

    Yields
    ------
    slice, numpy.ndarray
        The rows measured, and their distances in single precision.

    Raises
    ------
    ValueError
        If `metric` is unknown.

    Examples
    --------
    >>> points = np.array([[0.0], [1.0], [3.0]])
    >>> [distances.shape for _, distances in measured_tiles(
    ...     points, points, metric="euclidean", tile_size=2)]
    [(2, 3), (1, 3)]
    """
    if metric not in METRICS:
        raise ValueError(f"metric={metric!r} is unknown; choose one of {', '.join(METRICS)}")
    # Around the origin, squares are as small as they can be and lose the fewest digits.
    origin = targets.mean(axis=0) if metric == "euclidean" else 0.0
    rows, targets = rows - origin, targets - origin
    for tile in tiles(len(rows), tile_size):
        yield tile, METRICS[metric](rows[tile], targets)


def pairwise_distances(
    rows: ArrayLike,
    targets: ArrayLike | None = None,
    *,
    metric: str = "euclidean",
    tile_size: int = 512,
) -> Singles:
    """Measure the distance of each row to each target.

    Parameters
    ----------
    rows
        One row per sample.
    targets
        The rows to measure to; ``None`` takes `rows` again.
    metric
        ``"euclidean"`` or ``"cosine"``.
    tile_size
        How many rows to measure at a time.

    Returns
    -------
    numpy.ndarray
        Distances in single precision.

    Examples
    --------
    >>> pairwise_distances([[0, 0]], [[3, 4], [1, 0]])
    array([[5., 1.]], dtype=float32)
    """
    rows = np.asarray(rows, dtype=np.float64)
    targets = rows if targets is None else np.asarray(targets, dtype=np.float64)
    distances = np.empty((len(rows), len(targets)), dtype=np.float32)
    for tile, measured in measured_tiles(rows, targets, metric=metric, tile_size=tile_size):
        distances[tile] = measured
    return distances


def nearest_neighbors(
    rows: ArrayLike, k: int = 15, *, metric: str = "euclidean", tile_size: int = 512
) -> tuple[Singles, NDArray[np.intp]]:
    """Find the rows closest to each row, itself left out, a tile of distances at a time.

    Parameters
    ----------
    rows
        One row per sample.
    k
        How many neighbors to return for each row.
    metric
        ``"euclidean"`` or ``"cosine"``.
    tile_size
        How many rows to measure at a time.

    Returns
    -------
    distances, indices : numpy.ndarray
        One row per sample, the closest neighbor first.

    Examples
    --------
    >>> nearest_neighbors([[0.0], [1.0], [3.0]], k=1)[1].ravel()
    array([1, 0, 1])
    """
    rows = np.asarray(rows, dtype=np.float64)
    if not 1 <= k < len(rows):
        raise ValueError(f"k={k} must lie between 1 and {len(rows) - 1}, the other rows")
    found = []
    for tile, measured in measured_tiles(rows, rows, metric=metric, tile_size=tile_size):
        measured[np.arange(len(measured)), np.arange(tile.start, tile.stop)] = np.inf
        found.append(_closest(measured, k))
    distances, indices = zip(*found, strict=True)
    return np.concatenate(distances), np.concatenate(indices)


def _closest(measured: Singles, k: int) -> tuple[Singles, NDArray[np.intp]]:
    indices = np.sort(measured.argpartition(k - 1, axis=1)[:, :k], axis=1)
    distances = np.take_along_axis(measured, indices, axis=1)
    order = distances.argsort(axis=1, kind="stable")
    return np.take_along_axis(distances, order, axis=1), np.take_along_axis(indices, order, axis=1)
