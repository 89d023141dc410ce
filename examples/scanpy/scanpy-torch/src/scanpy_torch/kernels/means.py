"""Means that pass over missing values."""

from __future__ import annotations

import numpy as np
import torch

from .matrix import load


def row_means(x, device: str | torch.device | None) -> np.ndarray:
    """Return the mean of every row, in double precision, without its NaNs.

    Parameters
    ----------
    x
        A NumPy array, CSR or CSC.
    device
        Where to compute; ``None`` chooses.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> row_means(np.array([[1.0, 3.0], [np.nan, 5.0]]), "cpu")
    array([2., 5.])
    """
    matrix = load(x, device)
    missing = matrix.values.isnan()
    sums = matrix.row_sums(matrix.values.where(~missing, 0))
    known = x.shape[1] - matrix.row_sums(missing)
    return (sums / known).cpu().numpy()
