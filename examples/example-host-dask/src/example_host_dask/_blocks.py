"""What is done to the blocks of a table, and how far it is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask.base import get_scheduler
from dask.diagnostics import ProgressBar
from distributed import Client, progress


def on_blocks(data: da.Array, function: Callable[..., Any], columns: int | None = None) -> da.Array:
    """Apply a function to every block of rows, once its rows are asked for.

    Parameters
    ----------
    data
        The table.
    function
        What makes a block of the result from a block.
    columns
        How many columns the result has; as many as the table if left out.

    Returns
    -------
    dask.array.Array
        The result, not computed yet.

    Examples
    --------
    >>> on_blocks(da.ones((4, 1), chunks=(2, 1)), np.negative).compute().ravel()
    array([-1., -1., -1., -1.])
    """
    chunks = None if columns is None else (data.chunks[0], (columns,))
    # Without `meta`, Dask would try the function on an empty block.
    return data.map_blocks(function, chunks=chunks, meta=np.empty((0, 0)))


def computed(*lazy: da.Array, show_progress_bar: bool) -> tuple[Any, ...]:
    """Compute what is small, in one pass over the blocks, and show how far it is.

    Parameters
    ----------
    *lazy
        What to compute.
    show_progress_bar
        Whether to show progress on standard output, if that is a terminal.

    Returns
    -------
    tuple
        The values.

    Examples
    --------
    >>> computed(da.arange(4, chunks=2).sum(), show_progress_bar=False)
    (np.int64(6),)
    """
    shown = show_progress_bar and sys.stdout.isatty()
    client = getattr(get_scheduler(), "__self__", None)
    if not isinstance(client, Client):
        with ProgressBar() if shown else nullcontext():
            return dask.compute(*lazy)
    futures = client.compute(list(lazy))
    if shown:
        progress(futures, notebook=False)
        print()
    return tuple(client.gather(futures))
