"""Means and spreads of columns, and columns without them."""

from __future__ import annotations

import numpy as np
import torch

from .device import to_tensor
from .matrix import load, unload
from .moments import group_moments


def standardize(
    x,
    rows: np.ndarray,
    zero_center: bool,
    max_value: float | None,
    device: str | torch.device | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Divide columns by their standard deviation, after taking away their mean.

    Parameters
    ----------
    x
        A floating-point matrix; dense where ``zero_center``.
    rows
        The rows to learn from and to change.
    zero_center
        Whether to take the mean away.
    max_value
        Where to clip.
    device
        Where to compute; ``None`` chooses.

    Returns
    -------
    tuple
        The new matrix, in the type of ``x``, the means, and the standard deviations, with one
        in place of zero.

    Examples
    --------
    >>> x, mean, std = standardize(
    ...     np.array([[1.0], [3.0], [9.0]]), np.array([True, True, False]), True, None, "cpu"
    ... )
    >>> x.ravel().round(2), mean
    (array([-0.71,  0.71,  9.  ]), array([2.]))
    """
    matrix = load(x, device)
    device = matrix.values.device
    moments = group_moments(matrix, rows.astype(np.int64), 2)
    mean, std = moments.means[1], np.sqrt(moments.variances[1])
    std[std == 0] = 1
    values = matrix.values.double()
    if zero_center:
        values = values - matrix.by_column(to_tensor(mean, device))
    values = values / matrix.by_column(to_tensor(std, device))
    if max_value is not None:
        values = values.clamp(-max_value if zero_center else None, max_value)
    changed = matrix.by_row(to_tensor(rows, device))
    values = torch.where(changed, values.to(matrix.values.dtype), matrix.values)
    return unload(values, like=x), mean, std
