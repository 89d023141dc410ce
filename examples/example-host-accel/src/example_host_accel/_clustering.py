"""Group rows with matrix products instead of loops, from the host's own starting centers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._distances import pairwise_distances

FloatArray = NDArray[np.float64]
Labels = NDArray[np.intp]
Clustering = tuple[Labels, FloatArray, float]


def kmeans(
    data: ArrayLike,
    n_clusters: int = 8,
    *,
    n_init: int = 10,
    max_iter: int = 300,
    random_state: int | None = 0,
    n_jobs: int = 1,
) -> Clustering:
    """Group the rows around centers, each row with the nearest.

    Parameters
    ----------
    data
        One row per sample.
    n_clusters
        How many groups to form.
    n_init
        How many sets of starting centers to try; the best result is kept.
    max_iter
        How often the centers may move, for each start.
    random_state
        Seed of the starting centers, which are the host's for the same seed.
    n_jobs
        How many starts to follow at a time, in threads.

    Returns
    -------
    labels, centers, inertia
        The group of each row, numbered by first appearance; the mean of each group; the sum of
        squared distances of the rows to their centers.

    Examples
    --------
    >>> kmeans([[0.0], [9.0], [1.0], [8.0]], n_clusters=2)[0]
    array([0, 1, 0, 1])
    """
    rows = np.asarray(data, dtype=np.float64)
    if not 1 <= n_clusters <= len(rows):
        raise ValueError(f"n_clusters={n_clusters} must lie between 1 and {len(rows)}, the rows")
    rng = np.random.default_rng(random_state)
    starts = [_spread_centers(rows, n_clusters, rng) for _ in range(n_init)]
    with ThreadPoolExecutor(n_jobs) as pool:
        best = min(pool.map(partial(_settle, rows, max_iter), starts), key=lambda run: run[2])
    return _by_first_appearance(*best)


def _spread_centers(rows: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    centers = [rows[rng.integers(len(rows))]]
    closest = np.full(len(rows), np.inf)
    while len(centers) < count:
        offsets = rows - centers[-1]
        np.minimum(closest, np.einsum("ij,ij->i", offsets, offsets), out=closest)
        total = closest.sum()
        chances = closest / total if total > 0 else None
        centers.append(rows[rng.choice(len(rows), p=chances)])
    return np.array(centers)


def _settle(rows: FloatArray, max_iter: int, centers: FloatArray) -> Clustering:
    labels = _nearest(rows, centers)
    for _ in range(max_iter):
        centers = _means(rows, labels, centers)
        previous, labels = labels, _nearest(rows, centers)
        if np.array_equal(previous, labels):
            break
    offsets = rows - centers[labels]
    return labels, centers, float(np.vdot(offsets, offsets))


def _nearest(rows: FloatArray, centers: FloatArray) -> Labels:
    # The squared length of a row is the same for every center, so it need not be added.
    return (np.einsum("ij,ij->i", centers, centers) - 2 * (rows @ centers.T)).argmin(axis=1)


def _means(rows: FloatArray, labels: Labels, previous: FloatArray) -> FloatArray:
    members = (labels == np.arange(len(previous))[:, np.newaxis]).astype(np.float64)
    sizes = members.sum(axis=1, keepdims=True)
    return np.divide(members @ rows, sizes, out=previous.copy(), where=sizes > 0)


def _by_first_appearance(labels: Labels, centers: FloatArray, inertia: float) -> Clustering:
    found, first = np.unique(labels, return_index=True)
    absent = np.setdiff1d(np.arange(len(centers)), found)
    order = np.concatenate([found[first.argsort()], absent])
    return order.argsort()[labels], centers[order], inertia


def silhouette(
    data: ArrayLike,
    labels: ArrayLike,
    *,
    metric: str = "euclidean",
    sample_size: int | None = None,
    random_state: int | None = 0,
) -> float:
    """Score a grouping: 1 for groups far apart, 0 for groups that touch, below 0 for wrong ones.

    Parameters
    ----------
    data
        One row per sample.
    labels
        The group of each row.
    metric
        ``"euclidean"``, ``"manhattan"``, ``"chebyshev"`` or ``"cosine"``.
    sample_size
        Score this many random rows instead of all.
    random_state
        Seed of the sample, which is the host's for the same seed.

    Returns
    -------
    float
        The mean over the rows; a row that is alone in its group counts as 0.

    Examples
    --------
    >>> round(silhouette([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1]), 3)
    0.889
    """
    rows, groups = np.asarray(data, dtype=np.float64), np.asarray(labels)
    if len(groups) != len(rows):
        raise ValueError(f"{len(groups)} labels do not fit {len(rows)} rows")
    if sample_size is not None:
        rng = np.random.default_rng(random_state)
        sample = rng.choice(len(rows), sample_size, replace=False)
        rows, groups = rows[sample], groups[sample]
    return _mean_silhouette(pairwise_distances(rows, metric=metric), groups)


def _mean_silhouette(distances: FloatArray, groups: NDArray[np.generic]) -> float:
    names, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(names) <= 1:
        raise ValueError(f"a silhouette compares at least two groups, got {len(names)}")
    rows = np.arange(len(codes))
    sums = distances @ np.eye(len(names))[codes]
    within = sums[rows, codes] / np.maximum(sizes[codes] - 1, 1)
    means = sums / sizes
    means[rows, codes] = np.inf
    between = means.min(axis=1)
    scale = np.maximum(within, between)
    scores = np.divide(between - within, scale, out=np.zeros_like(scale), where=scale > 0)
    return float(np.where(sizes[codes] > 1, scores, 0.0).mean())
