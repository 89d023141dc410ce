"""Which columns tell a group from the rest."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import table
from ._backends import backend_dispatch

FloatArray = NDArray[np.float64]


@backend_dispatch
def rank_features(
    data: ArrayLike,
    labels: ArrayLike,
    *,
    method: Literal["wilcoxon", "t-test"] = "wilcoxon",
    n_top: int = 10,
) -> tuple[FloatArray, NDArray[np.intp]]:
    """Rank the columns by how much higher they are within a group than outside it.

    Parameters
    ----------
    data
        One row per sample.
    labels
        The group of each row.
    method
        ``"wilcoxon"`` compares ranks, corrected for ties; ``"t-test"`` compares means, without
        assuming equal variances.
    n_top
        How many columns to return for each group, or all where there are fewer.

    Returns
    -------
    scores : numpy.ndarray
        One row per group, in sorted order of the labels, the highest score first.
    features : numpy.ndarray
        The column numbers that belong to the scores.

    Raises
    ------
    ValueError
        If `labels` do not fit the rows, name fewer than two groups, or `method` is unknown.

    Examples
    --------
    >>> import example_host as eh
    >>> counts = [[9, 1, 2], [8, 1, 3], [1, 1, 9], [2, 1, 8]]
    >>> scores, features = eh.rank_features(counts, ["a", "a", "b", "b"], n_top=1)
    >>> features
    array([[0],
           [2]])
    """
    rows, groups = table(data), np.asarray(labels)
    if len(groups) != len(rows):
        raise ValueError(f"{len(groups)} labels do not fit {len(rows)} rows")
    if method not in _SCORES:
        raise ValueError(f"method={method!r} is unknown; choose one of {', '.join(_SCORES)}")
    members = np.unique(groups)[:, np.newaxis] == groups
    if len(members) <= 1:
        raise ValueError(f"a ranking compares at least two groups, got {len(members)}")
    return _top(_SCORES[method](rows, members), n_top)


def _top(scores: FloatArray, count: int) -> tuple[FloatArray, NDArray[np.intp]]:
    features = (-scores).argsort(axis=1, kind="stable")[:, :count]
    return np.take_along_axis(scores, features, axis=1), features


def _wilcoxon(rows: FloatArray, members: NDArray[np.bool_]) -> FloatArray:
    """Return the standardized rank sum of each group in each column."""
    ranks, ties = zip(*(_ranked(column) for column in rows.T), strict=True)
    total, inside = len(rows), members.sum(axis=1)[:, np.newaxis]
    excess = np.stack([np.stack(ranks)[:, group].sum(axis=1) for group in members])
    excess -= inside * (total + 1) / 2
    variance = inside * (total - inside) * (total + 1) / 12 * (1 - np.array(ties))
    return _safe_ratio(excess, np.sqrt(variance))


def _ranked(column: FloatArray) -> tuple[FloatArray, float]:
    """Rank a column, equal values sharing their mean rank, and say how tied it is (0 to 1)."""
    _, codes, counts = np.unique(column, return_inverse=True, return_counts=True)
    total = len(column)
    tied = (counts**3 - counts).sum() / (total**3 - total)
    return (counts.cumsum() - (counts - 1) / 2)[codes], tied


def _t_test(rows: FloatArray, members: NDArray[np.bool_]) -> FloatArray:
    return np.stack([_separation(rows[group], rows[~group]) for group in members])


def _separation(inside: FloatArray, outside: FloatArray) -> FloatArray:
    error = sum(part.var(axis=0) / max(len(part) - 1, 1) for part in (inside, outside))
    return _safe_ratio(inside.mean(axis=0) - outside.mean(axis=0), np.sqrt(error))


def _safe_ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    # A column without any spread tells nothing, so it scores zero.
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


_SCORES = {"wilcoxon": _wilcoxon, "t-test": _t_test}
