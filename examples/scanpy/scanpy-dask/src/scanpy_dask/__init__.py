"""Scanpy's preprocessing on a Dask cluster, over data on disk that no worker can hold."""

from importlib import import_module
from types import ModuleType

from ._storage import open_dataset, write_synthetic

__all__ = ["open_dataset", "pp", "write_synthetic"]


def __getattr__(name: str) -> ModuleType:
    """Import `pp` once it is used: it imports scanpy, for which workers need hold no memory."""
    if name == "pp":
        return import_module("scanpy_dask.pp")
    raise AttributeError(f"module 'scanpy_dask' has no attribute {name!r}")
