"""Bring rows and columns to a common scale, a block of rows at a time."""

from __future__ import annotations

from functools import partial

import dask.array as da
import example_host as eh
import numpy as np

from ._blocks import computed, on_blocks

# The host's own code runs on each block, whatever is selected on the worker: with this package
# selected there, the call would come back to where it came from.
log1p_block = partial(eh.log1p, backend="cpu")
normalize_block = partial(eh.normalize_total, backend="cpu")


def log1p(data: da.Array, *, base: float | None = None) -> da.Array:
    """Take the logarithm of one plus each value.

    Parameters
    ----------
    data
        Values above -1, in blocks of whole rows.
    base
        The base of the logarithm; ``None`` is the natural one.

    Returns
    -------
    dask.array.Array
        The logarithms, not computed yet.

    Examples
    --------
    >>> log1p(da.from_array(np.array([[0.0, 1.0], [3.0, 7.0]]), chunks=(1, 2)), base=2).compute()
    array([[0., 1.],
           [2., 3.]])
    """
    return on_blocks(data, partial(log1p_block, base=base))


def normalize_total(
    data: da.Array, *, target_sum: float | None = None, show_progress_bar: bool = True
) -> da.Array:
    """Scale every row to the same sum.

    Parameters
    ----------
    data
        Counts, in blocks of whole rows.
    target_sum
        The sum of each row afterwards. ``None`` takes the median of the sums that are not zero,
        for which all blocks are read once.
    show_progress_bar
        Whether to show progress on standard output, if that is a terminal.

    Returns
    -------
    dask.array.Array
        The scaled table, not computed yet.

    Examples
    --------
    >>> counts = da.from_array(np.array([[1.0, 3.0], [1.0, 1.0]]), chunks=(1, 2))
    >>> normalize_total(counts, target_sum=8).compute()
    array([[2., 6.],
           [4., 4.]])
    """
    if target_sum is None:
        (totals,) = computed(data.sum(axis=1), show_progress_bar=show_progress_bar)
        target_sum = float(np.median(totals[totals != 0])) if totals.any() else 1.0
    return on_blocks(data, partial(normalize_block, target_sum=target_sum))


def standardize(
    data: da.Array, *, max_value: float | None = None, show_progress_bar: bool = True
) -> da.Array:
    """Shift every column to mean zero and scale it to unit variance.

    All blocks are read once for the means and deviations.

    Parameters
    ----------
    data
        One row per sample, in blocks of whole rows. A constant column becomes zero.
    max_value
        Clip what lies further from zero than this; ``None`` clips nothing.
    show_progress_bar
        Whether to show progress on standard output, if that is a terminal.

    Returns
    -------
    dask.array.Array
        The standardized table, not computed yet.

    Examples
    --------
    >>> standardize(da.from_array(np.array([[1.0, 5.0], [3.0, 5.0]]), chunks=(1, 2))).compute()
    array([[-1.,  0.],
           [ 1.,  0.]])
    """
    described = (data.mean(axis=0), data.std(axis=0), data.min(axis=0), data.max(axis=0))
    center, deviation, lowest, highest = computed(*described, show_progress_bar=show_progress_bar)
    constant = lowest == highest
    center, deviation = np.where(constant, lowest, center), np.where(constant, 1.0, deviation)
    scale = partial(_scaled, center=center, deviation=deviation, max_value=max_value)
    return on_blocks(data, scale)


def _scaled(
    block: np.ndarray, *, center: np.ndarray, deviation: np.ndarray, max_value: float | None
) -> np.ndarray:
    scaled = (block - center) / deviation
    return scaled if max_value is None else np.clip(scaled, -max_value, max_value)
