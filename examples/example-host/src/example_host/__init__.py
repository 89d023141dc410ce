"""Find groups in a table of counts, in plain NumPy, with room for faster backends."""

from ._backends import settings
from ._clustering import kmeans, silhouette
from ._decomposition import pca
from ._distances import pairwise_distances
from ._neighbors import NeighborIndex, nearest_neighbors
from ._pipeline import Step, pipeline
from ._preprocessing import log1p, normalize_total, standardize
from ._ranking import rank_features

__all__ = [
    "NeighborIndex",
    "Step",
    "kmeans",
    "log1p",
    "nearest_neighbors",
    "normalize_total",
    "pairwise_distances",
    "pca",
    "pipeline",
    "rank_features",
    "settings",
    "silhouette",
    "standardize",
]
