"""Unit variance, and zero mean, for every gene."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from anndata import AnnData

from .annotated import assign, floating, mask_of, matrix_of, overwrite, readable, writable

if TYPE_CHECKING:
    import torch
    from scipy import sparse


def scale(
    data: AnnData | np.ndarray | sparse.spmatrix,
    *,
    zero_center: bool = True,
    max_value: float | None = None,
    copy: bool = False,
    layer: str | None = None,
    mask_obs: np.ndarray | str | None = None,
    device: str | torch.device | None = None,
) -> AnnData | np.ndarray | sparse.spmatrix | None:
    """Scale every gene to unit variance and, unless told otherwise, to zero mean.

    Agrees with scanpy to 1e-4 in single precision, where scanpy squares in single precision and
    this function in double, and to 1e-10 in double. A gene that does not vary is
    left unscaled here; scanpy may see rounding errors as its spread.

    Parameters
    ----------
    data
        Annotated data, or a matrix.
    zero_center
        Subtract the mean. Makes a sparse matrix dense, and of double precision.
    max_value
        Clip values above this, and below its negative where ``zero_center``.
    copy
        Return the result in a copy. Otherwise ``data`` is changed, as far as it can hold the
        result.
    layer
        The layer to scale instead of ``X``.
    mask_obs
        The cells to learn from and to scale: booleans, or the name of a column of ``obs``. The
        others stay as they are.
    device
        Where to compute. ``None`` takes CUDA where there is a CUDA device.

    Returns
    -------
    AnnData, array or None
        ``None`` for annotated data and ``copy=False``, otherwise the result. Annotated data
        also gets ``var['mean']`` and ``var['std']``, or their masked counterparts.

    Raises
    ------
    TypeError
        If a matrix comes with ``layer``, or cannot be read.
    ValueError
        If the mask does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> scale(np.array([[1.0, 5.0], [3.0, 5.0]])).round(2)
    array([[-0.71,  0.  ],
           [ 0.71,  0.  ]])
    """
    if isinstance(data, AnnData):
        return _scale_annotated(data, zero_center, max_value, copy, layer, mask_obs, device)
    return _scale_matrix(data, zero_center, max_value, copy, layer, mask_obs, device)


def _scale_annotated(data, zero_center, max_value, copy, layer, mask_obs, device):
    adata = writable(data, copy=copy)
    mean_key, std_key = _keys(mask_obs)
    mask = None if mask_obs is None else mask_of(adata.obs, mask_obs, "mask_obs")
    x = matrix_of(adata, layer=layer)
    x, mean, std = _standardized(x, zero_center, max_value, mask, device)
    adata.var[mean_key], adata.var[std_key] = mean, std
    assign(adata, x, layer=layer)
    return adata if copy else None


def _scale_matrix(data, zero_center, max_value, copy, layer, mask_obs, device):
    if layer is not None:
        msg = f"layer belongs to an AnnData, and data is {type(data).__qualname__}."
        raise TypeError(msg)
    result, _, _ = _standardized(data, zero_center, max_value, mask_obs, device)
    return result if copy else overwrite(data, result)


def _keys(mask_obs) -> tuple[str, str]:
    if mask_obs is None:
        return "mean", "std"
    if isinstance(mask_obs, str):
        return f"mean of {mask_obs}", f"std of {mask_obs}"
    return "mean with mask", "std with mask"


def _standardized(x, zero_center, max_value, mask, device):
    from .kernels.standardization import standardize

    x = floating(readable(x), np.float64)
    if zero_center and not isinstance(x, np.ndarray):
        warnings.warn("zero-centering a sparse matrix makes it dense.", stacklevel=4)
        x = x.toarray().astype(np.float64)
    rows = np.ones(x.shape[0], dtype=bool) if mask is None else np.asarray(mask)
    return standardize(x, rows, zero_center, max_value, device)
