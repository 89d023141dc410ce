"""Group rows, and judge the groups, a tile at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._distances import measured_tiles
from ._tiles import tiles

Singles = NDArray[np.float32]
Labels = NDArray[np.intp]
Clustering = tuple[Labels, Singles, float]


def kmeans(
    rows: ArrayLike,
    k: int = 8,
    *,
    n_init: int = 3,
    max_iter: int = 300,
    seed: int | None = 0,
    tile_size: int = 4096,
) -> Clustering:
    """Group the rows around `k` centers.

    Parameters
    ----------
    rows
        One row per sample.
    k
        How many groups to form.
    n_init
        How many sets of starting centers to try; the best result is kept.
    max_iter
        How often the centers may move, for each start.
    seed
        Seed of the starting centers, which are rows drawn one by one, far from those before.
    tile_size
        How many rows to assign at a time.

    Returns
    -------
    labels, centers, inertia
        The group of each row, numbered by first appearance; the mean of each group; the sum of
        squared distances of the rows to their centers.

    Examples
    --------
    >>> kmeans([[0.0], [9.0], [1.0], [8.0]], k=2)[0]
    array([0, 1, 0, 1])
    """
    rows = np.asarray(rows, dtype=np.float32)
    if not 1 <= k <= len(rows):
        raise ValueError(f"k={k} must lie between 1 and {len(rows)}, the rows")
    rng = np.random.default_rng(seed)
    runs = [_settle(rows, _drawn(rows, k, rng), max_iter, tile_size) for _ in range(n_init)]
    labels, centers, inertia = min(runs, key=lambda run: run[2])
    found, first = np.unique(labels, return_index=True)
    absent = np.setdiff1d(np.arange(k), found)
    order = np.concatenate([found[first.argsort()], absent])
    return order.argsort()[labels], centers[order], inertia


def _drawn(rows: Singles, k: int, rng: np.random.Generator) -> Singles:
    """Draw rows one by one, each the farthest of a handful from those drawn before."""
    drawn = [rng.integers(len(rows))]
    while len(drawn) < k:
        handful = rng.choice(len(rows), size=min(20, len(rows)), replace=False)
        offsets = rows[handful, np.newaxis] - rows[drawn]
        drawn.append(handful[(offsets**2).sum(axis=2).min(axis=1).argmax()])
    return rows[drawn]


def _settle(rows: Singles, centers: Singles, max_iter: int, tile_size: int) -> Clustering:
    labels, inertia = _assigned(rows, centers, tile_size)
    for _ in range(max_iter):
        members = (labels == np.arange(len(centers))[:, np.newaxis]).astype(np.float32)
        sizes = members.sum(axis=1, keepdims=True)
        centers = np.divide(members @ rows, sizes, out=centers.copy(), where=sizes > 0)
        previous, (labels, inertia) = labels, _assigned(rows, centers, tile_size)
        if np.array_equal(previous, labels):
            break
    return labels, centers, inertia


def _assigned(rows: Singles, centers: Singles, tile_size: int) -> tuple[Labels, float]:
    labels, inertia = np.empty(len(rows), dtype=np.intp), 0.0
    lengths = np.einsum("ij,ij->i", centers, centers)
    for tile in tiles(len(rows), tile_size):
        labels[tile] = (lengths - 2 * (rows[tile] @ centers.T)).argmin(axis=1)
        inertia += float(((rows[tile] - centers[labels[tile]]) ** 2).sum(dtype=np.float64))
    return labels, inertia


def silhouette(
    rows: ArrayLike, labels: ArrayLike, *, metric: str = "euclidean", tile_size: int = 512
) -> float:
    """Score a grouping without a table of all distances.

    Parameters
    ----------
    rows
        One row per sample.
    labels
        The group of each row.
    metric
        ``"euclidean"`` or ``"cosine"``.
    tile_size
        How many rows to measure at a time.

    Returns
    -------
    float
        1 for groups far apart, 0 for groups that touch, below 0 for wrong ones.

    Examples
    --------
    >>> round(silhouette([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1]), 3)
    0.889
    """
    rows = np.asarray(rows, dtype=np.float64)
    names, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if len(codes) != len(rows) or len(names) <= 1:
        raise ValueError(f"got {len(codes)} labels of {len(names)} groups for {len(rows)} rows")
    members = np.eye(len(names), dtype=np.float32)[codes]
    scores = np.empty(len(rows))
    for tile, measured in measured_tiles(rows, rows, metric=metric, tile_size=tile_size):
        scores[tile] = _scores(measured @ members, codes[tile], sizes)
    return float(scores.mean())


def _scores(sums: Singles, codes: Labels, sizes: Labels) -> NDArray[np.float64]:
    own = np.arange(len(codes)), codes
    within = sums[own] / np.maximum(sizes[codes] - 1, 1)
    means = sums / sizes
    means[own] = np.inf
    between = means.min(axis=1)
    scale = np.maximum(within, between)
    scores = np.divide(between - within, scale, out=np.zeros_like(scale), where=scale > 0)
    return np.where(sizes[codes] > 1, scores, 0.0)
