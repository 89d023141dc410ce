"""Work through tables tile by tile, in single precision."""

from ._clustering import kmeans, silhouette
from ._distances import nearest_neighbors, pairwise_distances
from ._scaling import standardize

__all__ = ["kmeans", "nearest_neighbors", "pairwise_distances", "silhouette", "standardize"]
