"""Counts on one scale: per cell, and logarithmic."""

import warnings
from functools import partial

import dask.array as da
import numpy as np
from anndata import AnnData

from ._blocks import Block, column_sums, divide_rows, on_values, row_sums
from ._matrices import float_type, matrix_of, put_matrix, transformed
from ._passes import stacked, summed


def normalize_total(
    adata: AnnData,
    *,
    target_sum: float | None = None,
    exclude_highly_expressed: bool = False,
    max_fraction: float = 0.05,
    key_added: str | None = None,
    layer: str | None = None,
    inplace: bool = True,
    copy: bool = False,
    show_progress_bar: bool = True,
) -> AnnData | dict[str, da.Array | np.ndarray] | None:
    """Scale the counts of every cell to the same total.

    The scaled matrix is a Dask array. With a `target_sum` and without `key_added` nothing is
    read; otherwise the totals are, in one pass, and in two with `exclude_highly_expressed`.

    Parameters
    ----------
    adata
        Dataset whose matrix is a Dask array.
    target_sum
        The total of every cell afterwards; the median of the totals that are not zero if ``None``.
    exclude_highly_expressed
        Leave out of the totals the genes that make up more than `max_fraction` of some cell.
    max_fraction
        See `exclude_highly_expressed`.
    key_added
        Column of ``obs`` for the numbers that the cells were divided by.
    layer
        Layer to scale instead of ``X``.
    inplace
        ``False`` changes nothing and returns the scaled matrix and the divisors.
    copy
        Return a changed copy instead of changing `adata`.
    show_progress_bar
        Show the progress of a pass on standard error, if that is a terminal.

    Returns
    -------
    AnnData or dict or None
        The copy with ``copy=True``; ``{"X": ..., "norm_factor": ...}`` with ``inplace=False``.

    Raises
    ------
    ValueError
        If `max_fraction` is no fraction, or `copy` is combined with ``inplace=False``.

    Examples
    --------
    >>> import anndata, dask.array as da, numpy as np
    >>> from scanpy_dask import pp
    >>> adata = anndata.AnnData(da.from_array(np.array([[1.0, 3.0], [5.0, 5.0]]), chunks=(1, 2)))
    >>> pp.normalize_total(adata, target_sum=8)
    >>> adata.X.compute()
    array([[2., 6.],
           [4., 4.]])
    """
    if copy and not inplace:
        raise ValueError("copy=True returns a dataset and inplace=False a dict: choose one.")
    if not 0 <= max_fraction <= 1:
        raise ValueError(f"max_fraction is {max_fraction}: a fraction lies between 0 and 1.")
    adata = adata.copy() if copy else adata
    matrix = matrix_of(adata, layer)
    genes = None
    if exclude_highly_expressed:
        genes = _modest_genes(matrix, max_fraction, show_progress_bar=show_progress_bar)
    factors = None
    if target_sum is None or key_added is not None or not inplace:
        totals = stacked(matrix, partial(_totals, genes=genes), show_progress_bar=show_progress_bar)
        target_sum = _typical(totals) if target_sum is None else target_sum
        factors = (totals / target_sum).astype(float_type(matrix, np.float32))
    scaled = _scaled_to(matrix, target_sum, genes)
    if not inplace:
        return {"X": scaled, "norm_factor": factors}
    put_matrix(adata, scaled, layer)
    if key_added is not None:
        adata.obs[key_added] = factors
    return adata if copy else None


def log1p(
    data: AnnData,
    *,
    base: float | None = None,
    copy: bool = False,
    layer: str | None = None,
) -> AnnData | None:
    """Take the logarithm of one plus each value, once a computation asks for it.

    Parameters
    ----------
    data
        Dataset whose matrix is a Dask array.
    base
        Base of the logarithm; the natural one if ``None``.
    copy
        Return a changed copy instead of changing `data`.
    layer
        Layer to transform instead of ``X``.

    Returns
    -------
    AnnData or None
        The copy with ``copy=True``. ``uns["log1p"]`` remembers the base.

    Examples
    --------
    >>> import anndata, dask.array as da, numpy as np
    >>> from scanpy_dask import pp
    >>> adata = anndata.AnnData(da.from_array(np.array([[1.0, 3.0], [0.0, 7.0]]), chunks=(1, 2)))
    >>> pp.log1p(adata, base=2)
    >>> adata.X.compute()
    array([[1., 2.],
           [0., 3.]])
    """
    if "log1p" in data.uns:
        warnings.warn("The data seem to be logarithms already.", UserWarning, stacklevel=2)
    adata = data.copy() if copy else data
    matrix = matrix_of(adata, layer)
    dtype = float_type(matrix, np.float64)
    logarithms = transformed(matrix, partial(_log1p, base=base, dtype=dtype), dtype=dtype)
    put_matrix(adata, logarithms, layer)
    adata.uns["log1p"] = {"base": base}
    return adata if copy else None


def _modest_genes(matrix: da.Array, max_fraction: float, *, show_progress_bar: bool) -> np.ndarray:
    (cells,) = summed(
        matrix, partial(_exceeding, fraction=max_fraction), show_progress_bar=show_progress_bar
    )
    return cells == 0


def _exceeding(block: Block, *, fraction: float) -> tuple[np.ndarray]:
    """Count for each gene the cells that it makes up more than a fraction of."""
    shares = divide_rows(block, _nonzero(row_sums(block)))
    return (column_sums(on_values(shares, lambda values: values > fraction)),)


def _totals(block: Block, *, genes: np.ndarray | None) -> np.ndarray:
    return row_sums(block if genes is None else block[:, genes])


def _typical(totals: np.ndarray) -> float:
    filled = totals[totals > 0]
    if filled.size < totals.size:
        warnings.warn("Some cells have zero counts.", UserWarning, stacklevel=3)
    return float(np.median(filled)) if filled.size else 1.0


def _scaled_to(matrix: da.Array, target_sum: float, genes: np.ndarray | None) -> da.Array:
    dtype = float_type(matrix, np.float32)
    scale = partial(_scaled_block, target_sum=target_sum, genes=genes, dtype=dtype)
    return transformed(matrix, scale, dtype=dtype)


def _scaled_block(
    block: Block, *, target_sum: float, genes: np.ndarray | None, dtype: np.dtype
) -> Block:
    divisors = _nonzero(_totals(block, genes=genes) / target_sum)
    return divide_rows(block, divisors).astype(dtype, copy=False)


def _nonzero(divisors: np.ndarray) -> np.ndarray:
    """Let a cell without counts stay as it is."""
    return np.where(divisors == 0, 1, divisors)


def _log1p(block: Block, *, base: float | None, dtype: np.dtype) -> Block:
    logarithms = on_values(block.astype(dtype, copy=False), np.log1p)
    return logarithms if base is None else logarithms / dtype.type(np.log(base))
