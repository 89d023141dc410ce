"""Find groups of rows, and judge them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import table
from ._backends import backend_dispatch
from ._distances import pairwise_distances

FloatArray = NDArray[np.float64]
Clustering = tuple[NDArray[np.intp], FloatArray, float]


@backend_dispatch
def kmeans(
    data: ArrayLike,
    n_clusters: int = 8,
    *,
    n_init: int = 10,
    max_iter: int = 300,
    random_state: int | None = 0,
    n_jobs: int = 1,
    show_progress_bar: bool = False,
) -> Clustering:
    """Group the rows around centers, each row with the nearest.

    Groups are numbered in the order in which their first rows appear, so that two runs which find
    the same groups return the same labels.

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
        Seed of the starting centers; ``None`` draws a new one.
    n_jobs
        How many starts to follow at a time, in threads.
    show_progress_bar
        Whether to report finished starts on standard error.

    Returns
    -------
    labels : numpy.ndarray
        The group of each row.
    centers : numpy.ndarray
        The mean of each group.
    inertia : float
        The sum of squared distances of the rows to their centers.

    Raises
    ------
    ValueError
        If there are fewer rows than groups.

    Examples
    --------
    >>> import example_host as eh
    >>> labels, centers, inertia = eh.kmeans([[0.0], [9.0], [1.0], [8.0]], n_clusters=2)
    >>> labels
    array([0, 1, 0, 1])
    >>> inertia
    1.0
    """
    rows = table(data)
    if not 1 <= n_clusters <= len(rows):
        raise ValueError(f"n_clusters={n_clusters} must lie between 1 and {len(rows)}, the rows")
    rng = np.random.default_rng(random_state)
    starts = [_spread_centers(rows, n_clusters, rng) for _ in range(n_init)]
    with ThreadPoolExecutor(n_jobs) as pool:
        runs = pool.map(partial(_settle, rows, max_iter), starts)
        best = min(_reported(runs, n_init, visible=show_progress_bar), key=lambda run: run[2])
    return _by_first_appearance(*best)


def _spread_centers(rows: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    """Draw centers far apart: each by its squared distance to those drawn before."""
    centers = [rows[rng.integers(len(rows))]]
    closest = np.full(len(rows), np.inf)
    while len(centers) < count:
        closest = np.minimum(closest, ((rows - centers[-1]) ** 2).sum(axis=1))
        total = closest.sum()
        chances = closest / total if total > 0 else None
        centers.append(rows[rng.choice(len(rows), p=chances)])
    return np.array(centers)


def _settle(rows: FloatArray, max_iter: int, centers: FloatArray) -> Clustering:
    """Move the centers until no row changes its group."""
    squared = _squared_distances(rows, centers)
    labels = squared.argmin(axis=1)
    for _ in range(max_iter):
        centers = _means(rows, labels, centers)
        squared = _squared_distances(rows, centers)
        previous, labels = labels, squared.argmin(axis=1)
        if np.array_equal(previous, labels):
            break
    return labels, centers, float(squared.min(axis=1).sum())


def _squared_distances(rows: FloatArray, centers: FloatArray) -> FloatArray:
    return ((rows[:, np.newaxis] - centers) ** 2).sum(axis=2)


def _means(rows: FloatArray, labels: NDArray[np.intp], previous: FloatArray) -> FloatArray:
    # A group that lost all its rows keeps its center.
    groups = (rows[labels == group] for group in range(len(previous)))
    return np.array(
        [g.mean(axis=0) if len(g) else old for g, old in zip(groups, previous, strict=True)]
    )


def _by_first_appearance(
    labels: NDArray[np.intp], centers: FloatArray, inertia: float
) -> Clustering:
    found, first = np.unique(labels, return_index=True)
    absent = np.setdiff1d(np.arange(len(centers)), found)
    order = np.concatenate([found[first.argsort()], absent])
    return order.argsort()[labels], centers[order], inertia


def _reported(runs: Iterator[Clustering], total: int, *, visible: bool) -> Iterator[Clustering]:
    for done, run in enumerate(runs, start=1):
        if visible:
            end = "\n" if done == total else ""
            print(f"\rkmeans: {done} of {total} starts", end=end, file=sys.stderr, flush=True)
        yield run


@backend_dispatch
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
        What :func:`pairwise_distances` accepts.
    sample_size
        Score this many random rows instead of all.
    random_state
        Seed of the sample; ``None`` draws a new one.

    Returns
    -------
    float
        The mean over the rows; a row that is alone in its group counts as 0.

    Raises
    ------
    ValueError
        If `labels` do not fit the rows, or name fewer than two groups.

    Examples
    --------
    >>> import example_host as eh
    >>> round(eh.silhouette([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1]), 3)
    0.889
    """
    rows, groups = table(data), np.asarray(labels)
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
    sums = np.stack([distances[:, codes == group].sum(axis=1) for group in range(len(names))])
    own, rows = sizes[codes], np.arange(len(codes))
    within = sums[codes, rows] / np.maximum(own - 1, 1)
    means = sums / sizes[:, np.newaxis]
    means[codes, rows] = np.inf
    between = means.min(axis=0)
    scale = np.maximum(within, between)
    scores = np.divide(between - within, scale, out=np.zeros_like(scale), where=scale > 0)
    return float(np.where(own > 1, scores, 0.0).mean())
