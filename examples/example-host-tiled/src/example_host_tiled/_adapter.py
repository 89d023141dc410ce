"""How the functions of this package answer to the names of example-host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from . import _clustering, _distances, _scaling


class ExampleHostAdapter:
    """What example-host may call here, and under which names."""

    name = "tiled"
    renames: ClassVar = {
        "kmeans": {"data": "rows", "n_clusters": "k", "random_state": "seed"},
        "nearest_neighbors": {"data": "rows", "n_neighbors": "k"},
        "pairwise_distances": {"data": "rows", "other": "targets"},
        "silhouette": {"data": "rows"},
        "standardize": {"data": "rows"},
    }

    kmeans = staticmethod(_clustering.kmeans)
    nearest_neighbors = staticmethod(_distances.nearest_neighbors)
    pairwise_distances = staticmethod(_distances.pairwise_distances)
    silhouette = staticmethod(_clustering.silhouette)
    standardize = staticmethod(_scaling.standardize)

    def can_run(
        self,
        function_name: str,
        arguments: Mapping[str, Any],
    ) -> bool | str:
        """Decline metrics that no tile can be measured with.

        Parameters
        ----------
        function_name
            The host function that was called.
        arguments
            What the caller gave, under the host's names.

        Returns
        -------
        bool or str
            ``True``, or the reason why not.

        Examples
        --------
        >>> ExampleHostAdapter().can_run("silhouette", {"metric": "chebyshev"})
        "tiles are measured in cosine or euclidean distance, not in 'chebyshev'"
        """
        metric = arguments.get("metric", "euclidean")
        if metric in _distances.METRICS:
            return True
        known = " or ".join(sorted(_distances.METRICS))
        return f"tiles are measured in {known} distance, not in {metric!r}"
