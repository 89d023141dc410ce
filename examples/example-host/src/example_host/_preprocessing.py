"""Bring rows and columns to a common scale, so that they can be compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import writable_table
from ._backends import backend_dispatch


@backend_dispatch
def normalize_total(
    data: ArrayLike, *, target_sum: float | None = None, copy: bool = True
) -> NDArray[np.floating]:
    """Scale every row to the same sum.

    Parameters
    ----------
    data
        Counts, one row per sample. Rows that sum to zero stay as they are.
    target_sum
        The sum of each row afterwards. ``None`` takes the median of the sums that are not zero.
    copy
        Whether to leave `data` alone. ``False`` overwrites it and returns it.

    Returns
    -------
    numpy.ndarray
        The scaled table.

    Raises
    ------
    TypeError
        If `copy` is ``False`` and `data` is no array of floats.

    Examples
    --------
    >>> import example_host as eh
    >>> eh.normalize_total([[1, 3], [1, 1], [0, 0]], target_sum=8)
    array([[2., 6.],
           [4., 4.],
           [0., 0.]])
    """
    values = writable_table(data, copy=copy)
    totals = values.sum(axis=1, keepdims=True)
    filled = totals != 0
    if target_sum is None:
        target_sum = np.median(totals[filled]) if filled.any() else 1.0
    factors = np.divide(target_sum, totals, out=np.ones_like(totals), where=filled)
    values *= factors
    return values


@backend_dispatch
def log1p(data: ArrayLike, *, base: float | None = None, copy: bool = True) -> NDArray[np.floating]:
    """Take the logarithm of one plus each value.

    Parameters
    ----------
    data
        Values above -1.
    base
        The base of the logarithm; ``None`` is the natural one.
    copy
        Whether to leave `data` alone. ``False`` overwrites it and returns it.

    Returns
    -------
    numpy.ndarray
        The logarithms.

    Raises
    ------
    TypeError
        If `copy` is ``False`` and `data` is no array of floats.

    Examples
    --------
    >>> import example_host as eh
    >>> eh.log1p([[0, 1, 3]], base=2)
    array([[0., 1., 2.]])
    """
    values = writable_table(data, copy=copy)
    np.log1p(values, out=values)
    if base is not None:
        values /= np.log(base)
    return values


@backend_dispatch
def standardize(
    data: ArrayLike, *, max_value: float | None = None, copy: bool = True
) -> NDArray[np.floating]:
    """Shift every column to mean zero and scale it to unit variance.

    Parameters
    ----------
    data
        One row per sample. A constant column becomes zero.
    max_value
        Clip what lies further from zero than this; ``None`` clips nothing.
    copy
        Whether to leave `data` alone. ``False`` overwrites it and returns it.

    Returns
    -------
    numpy.ndarray
        The standardized table.

    Raises
    ------
    TypeError
        If `copy` is ``False`` and `data` is no array of floats.

    Examples
    --------
    >>> import example_host as eh
    >>> eh.standardize([[1, 5], [3, 5]])
    array([[-1.,  0.],
           [ 1.,  0.]])
    """
    values = writable_table(data, copy=copy)
    constant = values.max(axis=0) == values.min(axis=0)
    deviation = np.where(constant, 1.0, values.std(axis=0))
    values -= np.where(constant, values[0], values.mean(axis=0))
    values /= deviation
    if max_value is not None:
        np.clip(values, -max_value, max_value, out=values)
    return values
