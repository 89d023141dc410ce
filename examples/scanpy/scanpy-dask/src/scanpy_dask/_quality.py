"""Numbers that tell good cells and genes from bad ones."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ._blocks import Block, as_csr, column_sums, row_ids, row_sums
from ._matrices import float_type, matrix_of
from ._passes import summed


def calculate_qc_metrics(
    adata: AnnData,
    *,
    expr_type: str = "counts",
    var_type: str = "genes",
    qc_vars: Collection[str] | str = (),
    percent_top: Collection[int] | None = (50, 100, 200, 500),
    layer: str | None = None,
    inplace: bool = False,
    log1p: bool = True,
    show_progress_bar: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Count what is in every cell and every gene, in one pass.

    Parameters
    ----------
    adata
        Dataset whose matrix is a Dask array.
    expr_type, var_type
        What the values and the variables are called in the names of columns.
    qc_vars
        Columns of ``var`` that mark genes whose share in each cell is of interest.
    percent_top
        Numbers of genes: the share of the so many most expressed genes in each cell.
    layer
        Layer to use instead of ``X``.
    inplace
        Put the columns into ``obs`` and ``var`` instead of returning them.
    log1p
        Add the logarithms of counts, too.
    show_progress_bar
        Show the progress of the pass on standard error, if that is a terminal.

    Returns
    -------
    tuple of pandas.DataFrame or None
        A table of the cells and one of the genes, with ``inplace=False``.

    Raises
    ------
    IndexError
        If `percent_top` asks for more genes than there are.
    KeyError
        If ``var`` has no column of that name.

    Examples
    --------
    >>> import anndata, dask.array as da, numpy as np
    >>> from scanpy_dask import pp
    >>> adata = anndata.AnnData(da.from_array(np.array([[1.0, 3.0], [0.0, 7.0]]), chunks=(1, 2)))
    >>> cells, genes = pp.calculate_qc_metrics(adata, percent_top=[1], log1p=False)
    >>> cells
       n_genes_by_counts  total_counts  pct_counts_in_top_1_genes
    0                  2           4.0                       75.0
    1                  1           7.0                      100.0
    """
    matrix = matrix_of(adata, layer)
    qc_vars = [qc_vars] if isinstance(qc_vars, str) else list(qc_vars)
    measure = partial(
        _block_numbers,
        tops=(tops := _tops(percent_top, adata.n_vars)),
        marks={each: adata.var[each].to_numpy(dtype=bool) for each in qc_vars},
    )
    of_cells, *of_genes = summed(matrix, measure, show_progress_bar=show_progress_bar)
    dtype = float_type(matrix, np.int64)
    names = _Names(expr_type=expr_type, var_type=var_type, log1p=log1p)
    cells = _cell_table(names, np.concatenate(of_cells), tops, qc_vars, dtype)
    cells.index = adata.obs_names
    genes = _gene_table(names, *of_genes, adata.n_obs, dtype)
    genes.index = adata.var_names
    if not inplace:
        return cells, genes
    adata.obs[cells.columns] = cells
    adata.var[genes.columns] = genes
    return None


@dataclass(frozen=True)
class _Names:
    """What scanpy calls the columns."""

    expr_type: str
    var_type: str
    log1p: bool

    def with_log1p(self, name: str, numbers: np.ndarray) -> dict[str, np.ndarray]:
        logarithms = {f"log1p_{name}": np.log1p(numbers)} if self.log1p else {}
        return {name: numbers, **logarithms}


def _tops(percent_top: Collection[int] | None, n_vars: int) -> list[int]:
    tops = sorted(percent_top or ())
    if tops and not 0 < tops[0] <= tops[-1] <= n_vars:
        raise IndexError(f"percent_top is {tops}, and there are {n_vars} genes to choose from.")
    return tops


def _block_numbers(
    block: Block, *, tops: list[int], marks: dict[str, np.ndarray]
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Compute the numbers of each cell, a row each, then count and sum the genes."""
    compact = as_csr(block)
    columns = [
        np.diff(compact.indptr),
        row_sums(compact),
        *_largest_sums(compact, tops),
        *(row_sums(compact[:, genes]) for genes in marks.values()),
    ]
    expressing = np.bincount(compact.indices, minlength=compact.shape[1])
    return [np.column_stack(columns)], expressing, column_sums(compact)


def _largest_sums(block: sparse.csr_matrix | sparse.csr_array, tops: list[int]) -> list[np.ndarray]:
    """Sum the largest values of each row, for each number of them."""
    if not tops:
        return []
    by_size = np.lexsort((-block.data, row_ids(block)))
    running = np.concatenate([[0.0], np.cumsum(block.data[by_size], dtype=np.float64)])
    starts, lengths = block.indptr[:-1], np.diff(block.indptr)
    return [running[starts + np.minimum(top, lengths)] - running[starts] for top in tops]


def _cell_table(
    names: _Names, numbers: np.ndarray, tops: list[int], qc_vars: list[str], dtype: np.dtype
) -> pd.DataFrame:
    expr_type, var_type = names.expr_type, names.var_type
    expressed, totals, *others = numbers.T
    with np.errstate(invalid="ignore"):  # an empty cell has no shares, which NaN says
        shares = [100 * other / totals for other in others]
    columns = {
        **names.with_log1p(f"n_{var_type}_by_{expr_type}", expressed.astype(np.int64)),
        **names.with_log1p(f"total_{expr_type}", totals.astype(dtype)),
    }
    for top, share in zip(tops, shares, strict=False):
        columns[f"pct_{expr_type}_in_top_{top}_{var_type}"] = share
    marked = zip(qc_vars, others[len(tops) :], shares[len(tops) :], strict=True)
    for name, total, share in marked:
        columns |= names.with_log1p(f"total_{expr_type}_{name}", total.astype(dtype))
        columns[f"pct_{expr_type}_{name}"] = share.astype(dtype if dtype.kind == "f" else float)
    return pd.DataFrame(columns)


def _gene_table(
    names: _Names, expressing: np.ndarray, totals: np.ndarray, n_obs: int, dtype: np.dtype
) -> pd.DataFrame:
    expr_type = names.expr_type
    return pd.DataFrame(
        {
            f"n_cells_by_{expr_type}": expressing,
            **names.with_log1p(f"mean_{expr_type}", totals / n_obs),
            f"pct_dropout_by_{expr_type}": 100 * (1 - expressing / n_obs),
            **names.with_log1p(f"total_{expr_type}", totals.astype(dtype)),
        }
    )
