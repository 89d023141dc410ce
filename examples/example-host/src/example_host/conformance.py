"""What this library asks of a backend: for each function, a check that its results are the same.

Whoever writes a backend runs ``check_backend("their_backend")``.
"""

from __future__ import annotations

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
    from collections.abc import Callable, Sequence

    from scverse_backends.testing import ConformanceReport

GROUPS = np.repeat([0, 1, 2], 40)


def check_backend(
    name: str,
    *,
    as_table: Callable[[np.ndarray], Any] = np.asarray,
    functions: Sequence[str] | None = None,
    raise_on_failure: bool = True,
) -> ConformanceReport:
    """Check a backend's results against this library's own.

    Parameters
    ----------
    name
        The backend.
    as_table
        Makes of an array the kind of table that the backend takes.
    functions
        Check these functions only.
    raise_on_failure
        Raise what the first failing check raises, rather than go on.

    Returns
    -------
    ConformanceReport
        For each function whether it ``"PASSED"``, was ``"SKIPPED (...)"`` or ``"FAILED: ..."``.
    """
    checks = _Checks(as_table)
    return run_conformance(
        backend_name=name,
        tests={function: getattr(checks, function) for function in sorted(dispatcher.dispatched)},
        functions=functions,
        raise_on_failure=raise_on_failure,
        dispatcher=dispatcher,
    )


def _assert_close(result: Any, expected: Any) -> None:
    """Compare numbers, or tuples of them, to six digits."""
    if isinstance(expected, tuple):
        for ours, theirs in zip(result, expected, strict=True):
            _assert_close(ours, theirs)
    else:
        np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-6)


class _Checks:
    """One check for each function, of the same name."""

    def __init__(self, as_table: Callable[[np.ndarray], Any]) -> None:
        self._as_table = as_table

    def _table(self) -> Any:
        """Draw three groups of forty rows, each high in four columns of its own."""
        rates = np.full((3, 12), 2.0)
        for group in range(3):
            rates[group, 4 * group : 4 * group + 4] = 12.0
        return self._as_table(np.random.default_rng(0).gamma(rates[GROUPS]))

    def _same(self, backend: str, function: Any, *arguments: Any, **options: Any) -> None:
        comparison = compare(dispatcher, backend, function, self._table(), *arguments, **options)
        comparison.check(_assert_close)

    def _overwriting(self, backend: str, function: Any) -> None:
        """Check a function of a table that may overwrite it, which a backend may decline."""
        self._same(backend, function)
        decision = dispatcher.settings.explain(function, self._table(), copy=False, backend=backend)
        if not decision.is_fallback:
            self._same(backend, function, copy=False)

    def _metrics(self, backend: str, function: Any, *arguments: Any) -> None:
        for metric in ("euclidean", "cosine"):
            self._same(backend, function, *arguments, metric=metric)

    def NeighborIndex(self, backend: str) -> None:  # noqa: N802 - as the class
        def query(data: Any) -> Any:
            return NeighborIndex(data).query(data[:7], n_neighbors=5)

        self._same(backend, query)

    def kmeans(self, backend: str) -> None:
        self._same(backend, kmeans, 3)
        first, again, other = (
            kmeans(self._table(), 9, n_init=1, random_state=seed, backend=backend)
            for seed in (1, 1, 2)
        )
        _assert_close(first, again)
        if np.array_equal(first[0], other[0]):
            msg = "the seed changes nothing"
            raise AssertionError(msg)

    def log1p(self, backend: str) -> None:
        self._overwriting(backend, log1p)

    def nearest_neighbors(self, backend: str) -> None:
        self._metrics(backend, nearest_neighbors, 5)

    def normalize_total(self, backend: str) -> None:
        self._overwriting(backend, normalize_total)

    def pairwise_distances(self, backend: str) -> None:
        self._metrics(backend, pairwise_distances, np.eye(4, 12) + 1)

    def pca(self, backend: str) -> None:
        self._same(backend, pca, 3)

    def rank_features(self, backend: str) -> None:
        self._same(backend, rank_features, GROUPS)

    def silhouette(self, backend: str) -> None:
        self._metrics(backend, silhouette, GROUPS)

    def standardize(self, backend: str) -> None:
        self._overwriting(backend, standardize)
