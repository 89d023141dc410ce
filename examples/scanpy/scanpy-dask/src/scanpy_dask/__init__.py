"""Scanpy's preprocessing on a Dask cluster, over data on disk that no worker can hold."""

from ._storage import open_dataset, write_synthetic

__all__ = ["open_dataset", "write_synthetic"]
