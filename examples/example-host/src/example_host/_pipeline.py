"""One analysis from counts to marker columns, told as a list of steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from ._clustering import kmeans, silhouette
from ._decomposition import pca
from ._distances import pairwise_distances
from ._neighbors import nearest_neighbors
from ._preprocessing import log1p, normalize_total, standardize
from ._ranking import rank_features


@dataclass(frozen=True)
class Step:
    """One call of the analysis and what came out of it.

    Parameters
    ----------
    function
        The function that was called.
    arguments
        Its positional arguments.
    options
        Its keyword arguments.
    result
        What it returned.

    Examples
    --------
    >>> import example_host as eh
    >>> Step(eh.log1p, ([[0, 1]],), {"base": 2}, None).run()
    array([[0., 1.]])
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    result: Any

    def run(self) -> Any:
        """Make the same call again, under whatever backend is selected now.

        Returns
        -------
        object
            What the function returns this time.

        Examples
        --------
        >>> import example_host as eh
        >>> Step(eh.log1p, ([[0.0]],), {}, None).run()
        array([[0.]])
        """
        return self.function(*self.arguments, **self.options)


def pipeline(
    data: ArrayLike, *, n_components: int = 20, n_clusters: int = 10, n_jobs: int = 1
) -> list[Step]:
    """Normalize counts, reduce them, group them, and name the columns that mark each group.

    The functions run on the backend that is selected, as they would when called one by one.

    Parameters
    ----------
    data
        Counts, one row per sample.
    n_components
        How many principal components to keep.
    n_clusters
        How many groups to form.
    n_jobs
        How many threads to use where a function has the choice.

    Returns
    -------
    list of Step
        Every call in order, with its result.

    Examples
    --------
    >>> import numpy as np
    >>> import example_host as eh
    >>> counts = np.random.default_rng(0).poisson(3.0, (60, 30))
    >>> steps = eh.pipeline(counts, n_components=5, n_clusters=3)
    >>> steps[0].function.__name__, len(steps)
    ('normalize_total', 9)
    """
    steps: list[Step] = []

    def run(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        result = function(*arguments, **options)
        steps.append(Step(function, arguments, options, result))
        return result

    logged = run(log1p, run(normalize_total, data))
    scores = run(pca, run(standardize, logged, max_value=10), n_components=n_components)
    run(pairwise_distances, scores)
    run(nearest_neighbors, scores, n_jobs=n_jobs)
    labels, *_ = run(kmeans, scores, n_clusters=n_clusters, n_jobs=n_jobs)
    run(silhouette, scores, labels)
    run(rank_features, logged, labels)
    return steps
