"""Cells and genes with enough in them, or not too much."""

from dataclasses import dataclass
from functools import partial

import dask.array as da
import numpy as np
from anndata import AnnData

from ._blocks import Block, column_sums, on_values, row_sums
from ._matrices import keep_cells, keep_genes
from ._passes import stacked, summed


def filter_cells(
    data: AnnData,
    *,
    min_counts: int | None = None,
    min_genes: int | None = None,
    max_counts: int | None = None,
    max_genes: int | None = None,
    inplace: bool = True,
    copy: bool = False,
    show_progress_bar: bool = True,
) -> AnnData | tuple[np.ndarray, np.ndarray] | None:
    """Keep the cells that pass one threshold, in one pass over ``X``.

    Parameters
    ----------
    data
        Dataset whose ``X`` is a Dask array.
    min_counts, max_counts
        Fewest, most counts of a cell.
    min_genes, max_genes
        Fewest, most genes that a cell expresses.
    inplace
        ``False`` changes nothing and returns what was found.
    copy
        Return a changed copy instead of changing `data`.
    show_progress_bar
        Show the progress of a pass on standard error, if that is a terminal.

    Returns
    -------
    AnnData or tuple of numpy.ndarray or None
        The copy with ``copy=True``. With ``inplace=False``, which cells to keep and what was
        counted in each; a dataset has the latter in ``obs["n_counts"]`` or ``obs["n_genes"]``.

    Raises
    ------
    ValueError
        If not exactly one threshold is given.

    Examples
    --------
    >>> import anndata, dask.array as da, numpy as np
    >>> from scanpy_dask import pp
    >>> adata = anndata.AnnData(da.from_array(np.array([[1.0, 3.0], [0.0, 7.0]]), chunks=(1, 2)))
    >>> pp.filter_cells(adata, min_genes=2)
    >>> adata.X.compute()
    array([[1., 3.]])
    """
    threshold = _only(
        min_counts=min_counts, min_genes=min_genes, max_counts=max_counts, max_genes=max_genes
    )
    measure = partial(_in_cells, threshold=threshold)
    numbers = stacked(data.X, measure, show_progress_bar=show_progress_bar)
    numbers = numbers.astype(threshold.number_type(data.X))
    kept = threshold.passed_by(numbers)
    if not inplace:
        return kept, numbers
    adata = data.copy() if copy else data
    adata.obs[threshold.column] = numbers
    keep_cells(adata, kept)
    return adata if copy else None


def filter_genes(
    data: AnnData,
    *,
    min_counts: int | None = None,
    min_cells: int | None = None,
    max_counts: int | None = None,
    max_cells: int | None = None,
    inplace: bool = True,
    copy: bool = False,
    show_progress_bar: bool = True,
) -> AnnData | tuple[np.ndarray, np.ndarray] | None:
    """Keep the genes that pass one threshold, in one pass over ``X``.

    Parameters
    ----------
    data
        Dataset whose ``X`` is a Dask array.
    min_counts, max_counts
        Fewest, most counts of a gene.
    min_cells, max_cells
        Fewest, most cells that express a gene.
    inplace
        ``False`` changes nothing and returns what was found.
    copy
        Return a changed copy instead of changing `data`.
    show_progress_bar
        Show the progress of a pass on standard error, if that is a terminal.

    Returns
    -------
    AnnData or tuple of numpy.ndarray or None
        The copy with ``copy=True``. With ``inplace=False``, which genes to keep and what was
        counted for each; a dataset has the latter in ``var["n_counts"]`` or ``var["n_cells"]``.

    Raises
    ------
    ValueError
        If not exactly one threshold is given.

    Examples
    --------
    >>> import anndata, dask.array as da, numpy as np
    >>> from scanpy_dask import pp
    >>> adata = anndata.AnnData(da.from_array(np.array([[1.0, 3.0], [0.0, 7.0]]), chunks=(1, 2)))
    >>> pp.filter_genes(adata, min_cells=2)
    >>> adata.X.compute()
    array([[3.],
           [7.]])
    """
    threshold = _only(
        min_counts=min_counts, min_cells=min_cells, max_counts=max_counts, max_cells=max_cells
    )
    measure = partial(_in_genes, threshold=threshold)
    (numbers,) = summed(data.X, measure, show_progress_bar=show_progress_bar)
    numbers = numbers.astype(threshold.number_type(data.X))
    kept = threshold.passed_by(numbers)
    if not inplace:
        return kept, numbers
    adata = data.copy() if copy else data
    adata.var[threshold.column] = numbers
    keep_genes(adata, kept)
    return adata if copy else None


@dataclass(frozen=True)
class _Threshold:
    """A bound on the counts in a cell or gene, or on how many values are above zero."""

    is_lower: bool
    counted: str
    bound: int

    @property
    def column(self) -> str:
        return f"n_{self.counted}"

    def counts(self, block: Block) -> Block:
        """Give what is added up: counts, or a one for each value above zero."""
        return block if self.counted == "counts" else on_values(block, lambda values: values > 0)

    def number_type(self, matrix: da.Array) -> np.dtype:
        """Count in whole numbers, unless fractions are summed."""
        summing_fractions = self.counted == "counts" and np.issubdtype(matrix.dtype, np.floating)
        return matrix.dtype if summing_fractions else np.dtype(np.int64)

    def passed_by(self, numbers: np.ndarray) -> np.ndarray:
        return numbers >= self.bound if self.is_lower else numbers <= self.bound


def _only(**bounds: int | None) -> _Threshold:
    """Give the one threshold that was asked for."""
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    if len(given) != 1:
        raise ValueError(f"Give one of {', '.join(bounds)}, not {len(given)} of them.")
    ((name, bound),) = given.items()
    side, counted = name.split("_")
    return _Threshold(is_lower=side == "min", counted=counted, bound=bound)


def _in_cells(block: Block, *, threshold: _Threshold) -> np.ndarray:
    return row_sums(threshold.counts(block))


def _in_genes(block: Block, *, threshold: _Threshold) -> tuple[np.ndarray]:
    return (column_sums(threshold.counts(block)),)
