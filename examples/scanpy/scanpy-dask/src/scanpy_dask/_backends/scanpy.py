"""The adapter that the entry point names: what this package offers scanpy."""

from scanpy_dask import pp
from scanpy_dask._conditions import can_run  # noqa: F401 - the dispatcher asks it by name

name = "scanpy-dask"
aliases = ["dask"]

__all__ = ["pp"]
