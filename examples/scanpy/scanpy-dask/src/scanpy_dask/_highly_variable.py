"""Genes that vary more than others of their mean."""

import warnings
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from anndata import AnnData

from ._matrices import keep_genes, matrix_of
from ._moments import mean_and_variance

# Bounds of the mean and of the normalised dispersion, unless a call gives others.
_MEAN = (0.0125, 3)
_DISPERSION = (0.5, np.inf)


def highly_variable_genes(
    adata: AnnData,
    *,
    layer: str | None = None,
    n_top_genes: int | None = None,
    min_disp: float = _DISPERSION[0],
    max_disp: float = _DISPERSION[1],
    min_mean: float = _MEAN[0],
    max_mean: float = _MEAN[1],
    n_bins: int = 20,
    flavor: str = "seurat",
    subset: bool = False,
    inplace: bool = True,
    show_progress_bar: bool = True,
) -> pd.DataFrame | None:
    """Mark the genes whose dispersion is high among genes of a similar mean, in one pass.

    Parameters
    ----------
    adata
        Dataset of logarithms whose matrix is a Dask array.
    layer
        Layer to use instead of ``X``.
    n_top_genes
        Number of genes to mark, instead of those within the bounds, which have no effect then.
    min_disp, max_disp
        Bounds of the normalised dispersion, themselves excluded.
    min_mean, max_mean
        Bounds of the logarithmic mean, themselves excluded.
    n_bins
        Number of bins of similar means.
    flavor
        ``"seurat"``, the only one here.
    subset
        Keep the marked genes only.
    inplace
        ``False`` changes nothing and returns the table.
    show_progress_bar
        Show the progress of the pass on standard error, if that is a terminal.

    Returns
    -------
    pandas.DataFrame or None
        The columns that ``var`` would get, with ``inplace=False``.

    Raises
    ------
    ValueError
        If another `flavor` is asked for.

    Examples
    --------
    >>> import tempfile, scanpy_dask
    >>> from scanpy_dask import pp
    >>> path = f"{tempfile.mkdtemp()}/cells.zarr"
    >>> scanpy_dask.write_synthetic(path, n_obs=300, n_vars=100, seed=1)
    >>> adata = scanpy_dask.open_dataset(path)
    >>> pp.log1p(adata)
    >>> pp.highly_variable_genes(adata, n_top_genes=20)
    >>> int(adata.var["highly_variable"].sum())
    20
    """
    if flavor != "seurat":
        raise ValueError(f"flavor is {flavor!r}, and only 'seurat' is offered here.")
    choice = _Choice(n_top_genes, mean=(min_mean, max_mean), dispersion=(min_disp, max_disp))
    if n_top_genes is not None and choice != _Choice(n_top_genes):
        warnings.warn("n_top_genes is given: bounds have no effect.", UserWarning, stacklevel=2)
    base = adata.uns.get("log1p", {}).get("base")
    mean, variance = mean_and_variance(
        matrix_of(adata, layer),
        partial(_unlogged, factor=1.0 if base is None else float(np.log(base))),
        show_progress_bar=show_progress_bar,
    )
    table = _dispersions(mean, variance, n_bins)
    table["highly_variable"] = choice.among(table)
    table.index = adata.var_names
    if not inplace:
        return table[table["highly_variable"]] if subset else table
    adata.uns["hvg"] = {"flavor": flavor}
    for column in ("highly_variable", "means", "dispersions"):
        adata.var[column] = table[column]
    adata.var["dispersions_norm"] = table["dispersions_norm"].astype(np.float32)
    if subset:
        keep_genes(adata, table["highly_variable"].to_numpy())
    return None


@dataclass(frozen=True)
class _Choice:
    """Which genes are marked: so many, or those within bounds."""

    n_top_genes: int | None
    mean: tuple[float, float] = _MEAN
    dispersion: tuple[float, float] = _DISPERSION

    def among(self, table: pd.DataFrame) -> np.ndarray:
        normalized = table["dispersions_norm"].to_numpy()
        if self.n_top_genes is not None:
            return _highest(normalized, self.n_top_genes)
        return _within(table["means"].to_numpy(), self.mean) & _within(
            np.nan_to_num(normalized), self.dispersion
        )


def _highest(numbers: np.ndarray, count: int) -> np.ndarray:
    """Mark the `count` highest, and whatever equals the last of them."""
    ranked = np.sort(numbers[~np.isnan(numbers)])[::-1]
    if count > ranked.size:
        warnings.warn(
            f"n_top_genes is {count}: all {ranked.size} genes that vary are marked.",
            UserWarning,
            stacklevel=4,
        )
    lowest = ranked[min(count, ranked.size) - 1]
    return np.nan_to_num(numbers, nan=-np.inf) >= lowest


def _within(numbers: np.ndarray, bounds: tuple[float, float]) -> np.ndarray:
    return (numbers > bounds[0]) & (numbers < bounds[1])


def _unlogged(values: np.ndarray, *, factor: float) -> np.ndarray:
    return np.expm1(values * factor)


def _dispersions(mean: np.ndarray, variance: np.ndarray, n_bins: int) -> pd.DataFrame:
    """Compare the dispersion of each gene with that of genes of a similar mean."""
    mean = np.where(mean == 0, 1e-12, mean)
    with np.errstate(divide="ignore"):
        dispersion = np.log(variance / mean)
    dispersion[variance == 0] = np.nan
    table = pd.DataFrame({"means": np.log1p(mean), "dispersions": dispersion})
    table["mean_bin"] = pd.cut(table["means"], bins=n_bins)
    bins = table.groupby("mean_bin", observed=True)["dispersions"]
    center, spread = bins.transform("mean"), bins.transform("std")
    # A gene alone in its bin has nothing to compare with: its normalised dispersion is one.
    alone = spread.isna()
    spread, center = spread.where(~alone, center), center.where(~alone, 0)
    table["dispersions_norm"] = (dispersion - center) / spread
    return table
