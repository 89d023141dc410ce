"""Scale rows and columns with few passes over the table."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.floating]


def normalize_total(
    data: ArrayLike, *, target_sum: float | None = None, copy: bool = True
) -> FloatArray:
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

    Examples
    --------
    >>> normalize_total([[1, 3], [1, 1]], target_sum=8)
    array([[2., 6.],
           [4., 4.]])
    """
    values = _writable(data, copy=copy)
    # Multiplying by ones lets BLAS take the sums.
    totals = values @ np.ones(values.shape[1], values.dtype)
    filled = totals != 0
    if target_sum is None:
        target_sum = np.median(totals[filled]) if filled.any() else 1.0
    factors = np.divide(target_sum, totals, out=np.ones_like(totals), where=filled)
    values *= factors[:, np.newaxis]
    return values


def standardize(
    data: ArrayLike, *, max_value: float | None = None, copy: bool = True
) -> FloatArray:
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

    Examples
    --------
    >>> standardize([[1, 5], [3, 5]])
    array([[-1.,  0.],
           [ 1.,  0.]])
    """
    values = _writable(data, copy=copy)
    varying = (values != values[0]).any(axis=0)
    values -= values.mean(axis=0)
    deviation = np.sqrt(np.einsum("ij,ij->j", values, values) / len(values))
    values *= np.divide(1, deviation, out=np.zeros_like(deviation), where=varying)
    if max_value is not None:
        np.clip(values, -max_value, max_value, out=values)
    return values


def _writable(data: ArrayLike, *, copy: bool) -> FloatArray:
    if copy:
        return np.array(data, dtype=np.float64)
    if not (isinstance(data, np.ndarray) and data.dtype.kind == "f"):
        raise TypeError(
            "copy=False overwrites the input, which must then be an array of floats, "
            f"not {type(data).__name__}; pass copy=True to leave the input alone"
        )
    return data
