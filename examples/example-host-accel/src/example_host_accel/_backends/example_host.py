"""What this package offers to example-host: the names in `__all__`, and nothing else."""

from example_host_accel._clustering import kmeans, silhouette
from example_host_accel._decomposition import pca
from example_host_accel._distances import pairwise_distances
from example_host_accel._neighbors import NeighborIndex, nearest_neighbors
from example_host_accel._scaling import normalize_total, standardize

__all__ = [
    "NeighborIndex",
    "kmeans",
    "nearest_neighbors",
    "normalize_total",
    "pairwise_distances",
    "pca",
    "silhouette",
    "standardize",
]

name = "example_accel"
aliases = ["accelerated"]
