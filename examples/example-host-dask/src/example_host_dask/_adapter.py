"""What this package offers to example-host: the names in `__all__`, for Dask arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dask.array as da

from ._distances import pairwise_distances
from ._preprocessing import log1p, normalize_total, standardize

__all__ = ["log1p", "normalize_total", "pairwise_distances", "standardize"]

name = "on_dask"
aliases = ["dask"]


def can_run(function_name: str, arguments: Mapping[str, Any]) -> bool | str:
    """Take tables that are cut into blocks of whole rows, and decline all others.

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
    >>> can_run("log1p", {"data": [[1.0]]})
    'takes a dask.array.Array, and data is a list'
    """
    data = arguments.get("data")
    if not isinstance(data, da.Array):
        return f"takes a dask.array.Array, and data is a {type(data).__name__}"
    if data.ndim != 2 or data.numblocks[1] != 1:  # noqa: PLR2004 - rows and columns
        return f"takes blocks of whole rows, and data is cut into {data.numblocks} blocks"
    if function_name == "pairwise_distances" and isinstance(
        arguments.get("other"), da.Array | None
    ):
        return "measures to an other that fits into memory; pass it as a NumPy array"
    return True
