"""Genes on one scale."""

from functools import partial

import numpy as np
from anndata import AnnData

from ._blocks import Block, as_dense, divide_columns, on_values
from ._matrices import float_type, matrix_of, put_matrix, transformed
from ._moments import mean_and_variance


def scale(
    data: AnnData,
    *,
    zero_center: bool = True,
    max_value: float | None = None,
    copy: bool = False,
    layer: str | None = None,
    show_progress_bar: bool = True,
) -> AnnData | None:
    """Scale every gene to unit variance, and to zero mean.

    Mean and variance are computed in one pass; the scaled matrix is a Dask array.

    Parameters
    ----------
    data
        Dataset whose matrix is a Dask array.
    zero_center
        Subtract the mean. The blocks of a sparse matrix become dense, one at a time.
    max_value
        Clip to this value, and to its negative with `zero_center`.
    copy
        Return a changed copy instead of changing `data`.
    layer
        Layer to scale instead of ``X``.
    show_progress_bar
        Show the progress of a pass on standard error, if that is a terminal.

    Returns
    -------
    AnnData or None
        The copy with ``copy=True``. ``var["mean"]`` and ``var["std"]`` say what was scaled by.

    Examples
    --------
    >>> import anndata, dask.array as da, numpy as np
    >>> from scanpy_dask import pp
    >>> adata = anndata.AnnData(da.from_array(np.array([[1.0, 3.0], [3.0, 3.0]]), chunks=(1, 2)))
    >>> pp.scale(adata)
    >>> adata.X.compute().round(3)
    array([[-0.707,  0.   ],
           [ 0.707,  0.   ]])
    """
    adata = data.copy() if copy else data
    matrix = matrix_of(adata, layer)
    mean, variance = mean_and_variance(matrix, show_progress_bar=show_progress_bar)
    std = np.sqrt(variance)
    std[std == 0] = 1  # a gene that does not vary has no scale
    scale_block = partial(
        _scaled_block,
        mean=mean if zero_center else None,
        std=std,
        max_value=max_value,
        dtype=(dtype := float_type(matrix, np.float64)),
    )
    put_matrix(adata, transformed(matrix, scale_block, dtype=dtype, dense=zero_center), layer)
    adata.var["mean"], adata.var["std"] = mean, std
    return adata if copy else None


def _scaled_block(
    block: Block,
    *,
    mean: np.ndarray | None,
    std: np.ndarray,
    max_value: float | None,
    dtype: np.dtype,
) -> Block:
    """Scale in double precision, and centre where there is a mean."""
    if mean is not None:
        block = as_dense(block, np.float64)
        block -= mean
    block = divide_columns(block, std)
    if max_value is not None:
        lowest = None if mean is None else -max_value
        block = on_values(block, lambda values: np.clip(values, lowest, max_value))
    return block.astype(dtype, copy=False)
