"""What this library asks of a backend: for each function, a check that its results are the same.

Whoever writes a backend runs ``check_backend("their_backend")``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from scverse_backends.testing import compare, run_conformance

from ._backends import dispatcher
from ._clustering import kmeans, silhouette
from ._decomposition import pca
from ._distances import pairwise_distances
from ._neighbors import NeighborIndex, nearest_neighbors
from ._preprocessing import log1p, normalize_total, standardize
from ._ranking import rank_features

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scverse_backends.testing import ConformanceReport

GROUPS = np.repeat([0, 1, 2], 40)


def check_backend(
    name: str, *, functions: Sequence[str] | None = None, raise_on_failure: bool = True
) -> ConformanceReport:
    """Check a backend's results against this library's own.

    Parameters
    ----------
    name
        The backend.
    functions
        Check these functions only.
    raise_on_failure
        Raise what the first failing check raises, rather than go on.

    Returns
    -------
    ConformanceReport
        For each function whether it ``"PASSED"``, was ``"SKIPPED (...)"`` or ``"FAILED: ..."``.
    """
    return run_conformance(
        backend_name=name,
        tests=CHECKS,
        functions=functions,
        raise_on_failure=raise_on_failure,
        dispatcher=dispatcher,
    )


def _table() -> np.ndarray:
    """Draw three groups of forty rows, each high in four columns of its own; no two are equal."""
    rates = np.full((3, 12), 2.0)
    for group in range(3):
        rates[group, 4 * group : 4 * group + 4] = 12.0
    return np.random.default_rng(0).gamma(rates[GROUPS])


def _assert_close(result: Any, expected: Any) -> None:
    """Compare numbers, or tuples of them, to six digits."""
    if isinstance(expected, tuple):
        for ours, theirs in zip(result, expected, strict=True):
            _assert_close(ours, theirs)
    else:
        np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-6)


def _check_same(function: Any, *arguments: Any, backend: str, **options: Any) -> None:
    compare(dispatcher, backend, function, *arguments, **options).check(_assert_close)


def _check_table(function: Any, backend: str) -> None:
    """Check a function of a table that may overwrite it, which a backend may decline."""
    _check_same(function, _table(), backend=backend)
    decision = dispatcher.settings.explain(function, _table(), copy=False, backend=backend)
    if not decision.is_fallback:
        _check_same(function, _table(), copy=False, backend=backend)


def _check_kmeans(backend: str) -> None:
    _check_same(kmeans, _table(), 3, backend=backend)
    runs = [kmeans(_table(), 9, n_init=1, random_state=s, backend=backend) for s in (1, 1, 2)]
    _assert_close(runs[0], runs[1])
    if np.array_equal(runs[0][0], runs[2][0]):
        msg = "the seed changes nothing"
        raise AssertionError(msg)


def _check_metrics(function: Any, *arguments: Any, backend: str) -> None:
    for metric in ("euclidean", "cosine"):
        _check_same(function, _table(), *arguments, metric=metric, backend=backend)


def _query(data: Any) -> Any:
    return NeighborIndex(data).query(data[:7], n_neighbors=5)


CHECKS = {
    "NeighborIndex": lambda backend: _check_same(_query, _table(), backend=backend),
    "kmeans": _check_kmeans,
    "log1p": partial(_check_table, log1p),
    "nearest_neighbors": lambda backend: _check_metrics(nearest_neighbors, 5, backend=backend),
    "normalize_total": partial(_check_table, normalize_total),
    "pairwise_distances": lambda backend: _check_metrics(pairwise_distances, backend=backend),
    "pca": lambda backend: _check_same(pca, _table(), 3, backend=backend),
    "rank_features": lambda backend: _check_same(rank_features, _table(), GROUPS, backend=backend),
    "silhouette": lambda backend: _check_metrics(silhouette, GROUPS, backend=backend),
    "standardize": partial(_check_table, standardize),
}
