"""Genes that vary more than others of their expression."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .annotated import floating, matrix_of, readable, writable

if TYPE_CHECKING:
    import torch
    from anndata import AnnData

#: The default cutoffs, of means from below and above, then of dispersions.
CUTOFFS = (0.0125, 3, 0.5, np.inf)

#: The values of ``flavor`` that this package knows.
FLAVORS = ("seurat", "cell_ranger")


def highly_variable_genes(
    adata: AnnData,
    *,
    layer: str | None = None,
    n_top_genes: int | None = None,
    min_disp: float = 0.5,
    max_disp: float = np.inf,
    min_mean: float = 0.0125,
    max_mean: float = 3,
    n_bins: int = 20,
    flavor: str = "seurat",
    subset: bool = False,
    inplace: bool = True,
    device: str | torch.device | None = None,
) -> pd.DataFrame | None:
    """Find the genes whose dispersion stands out among genes of similar mean.

    Means and dispersions, normalized ones included, agree with scanpy to a relative difference of
    1e-3 in single precision, where scanpy squares in single precision and this function in
    double. A gene that sits on a cutoff may therefore fall on its other side.

    Parameters
    ----------
    adata
        Annotated data, logarithms of counts.
    layer
        The layer to use instead of ``X``.
    n_top_genes
        Take this many genes, and let the cutoffs go.
    min_disp, max_disp, min_mean, max_mean
        Cutoffs, the first two for the normalized dispersion.
    n_bins
        How many bins of mean expression the ``'seurat'`` flavor makes.
    flavor
        ``'seurat'`` or ``'cell_ranger'``.
    subset
        Keep only the genes found.
    inplace
        Write to ``adata``. Otherwise return a table.
    device
        Where to compute. ``None`` takes CUDA where there is a CUDA device.

    Returns
    -------
    DataFrame or None
        See ``inplace``.

    Raises
    ------
    ValueError
        If the flavor is not known.

    Examples
    --------
    >>> import numpy as np
    >>> from anndata import AnnData
    >>> counts = np.random.RandomState(0).poisson(1.0, (50, 40)).astype("float32")
    >>> counts[:, 0] = 0
    >>> counts[:5, 0] = 10
    >>> adata = AnnData(np.log1p(counts))
    >>> highly_variable_genes(adata, n_top_genes=1, n_bins=1)
    >>> adata.var_names[adata.var["highly_variable"]].tolist()
    ['0']
    """
    if flavor not in FLAVORS:
        msg = f"flavor={flavor!r} is not one of {', '.join(map(repr, FLAVORS))}."
        raise ValueError(msg)
    table = _dispersions(adata, layer, flavor, device)
    table["mean_bin"] = _bins(table["means"], flavor, n_bins)
    table["dispersions_norm"] = _normalized(table, flavor)
    cutoffs = (min_mean, max_mean, min_disp, max_disp)
    table["highly_variable"] = _chosen(table, n_top_genes, cutoffs)
    if inplace:
        _store(adata, table, flavor, subset)
        return None
    return table[table["highly_variable"]] if subset else table


def _dispersions(adata: AnnData, layer: str | None, flavor: str, device) -> pd.DataFrame:
    base = adata.uns.get("log1p", {}).get("base")
    x = floating(readable(matrix_of(adata, layer=layer)), np.float64)
    means, variances = _moments(x, flavor == "seurat", base, device)
    means[means == 0] = 1e-12
    dispersions = variances / means
    if flavor == "seurat":
        means = np.log1p(means)
        dispersions = np.log(np.where(dispersions == 0, np.nan, dispersions))
    return pd.DataFrame({"means": means, "dispersions": dispersions}, index=adata.var_names)


def _moments(x, undo_logarithm: bool, base: float | None, device):
    from .kernels.matrix import load
    from .kernels.moments import group_moments

    matrix = load(x, device)
    if undo_logarithm:
        values = matrix.values if base is None else matrix.values * np.log(base)
        matrix = replace(matrix, values=values.expm1())
    moments = group_moments(matrix, np.zeros(x.shape[0], dtype=np.int64), 1)
    return moments.means[0], moments.variances[0]


def _bins(means: pd.Series, flavor: str, n_bins: int) -> pd.Series:
    if flavor == "seurat":
        return pd.cut(means, n_bins)
    edges = np.percentile(means, np.arange(10, 105, 5))
    return pd.cut(means, np.r_[-np.inf, edges, np.inf])


def _normalized(table: pd.DataFrame, flavor: str) -> pd.Series:
    """Return dispersions by their distance from what is usual in their bin of means."""
    grouped = table.groupby("mean_bin", observed=True)["dispersions"]
    usual, spread = _plain(grouped) if flavor == "seurat" else _robust(grouped)
    return (table["dispersions"] - usual) / spread


def _plain(grouped) -> tuple[pd.Series, pd.Series]:
    usual, spread = grouped.transform("mean"), grouped.transform("std")
    alone = spread.isna()  # one gene in its bin: its normalized dispersion becomes one
    return usual.mask(alone, 0), spread.mask(alone, usual)


def _robust(grouped) -> tuple[pd.Series, pd.Series]:
    usual = grouped.transform("median")
    # The factor makes the median deviation of a normal distribution its standard deviation.
    spread = grouped.transform(lambda x: (x - x.median()).abs().median() / 0.6744897501960817)
    return usual, spread


def _chosen(table: pd.DataFrame, n_top_genes: int | None, cutoffs) -> pd.Series:
    scores = table["dispersions_norm"]
    if n_top_genes is not None:
        if cutoffs != CUTOFFS:
            warnings.warn("n_top_genes is given, so the cutoffs are not used.", stacklevel=3)
        ranked = np.sort(scores.dropna())[::-1]
        if n_top_genes > len(ranked):
            msg = f"n_top_genes={n_top_genes}, but only {len(ranked)} genes have a dispersion."
            warnings.warn(msg, stacklevel=3)
        return scores >= ranked[min(n_top_genes, len(ranked)) - 1]
    min_mean, max_mean, min_disp, max_disp = cutoffs
    means, scores = table["means"], scores.fillna(0)
    return (means > min_mean) & (means < max_mean) & (scores > min_disp) & (scores < max_disp)


def _store(adata: AnnData, table: pd.DataFrame, flavor: str, subset: bool) -> None:
    writable(adata, copy=False)
    adata.uns["hvg"] = {"flavor": flavor}
    for column in ("highly_variable", "means", "dispersions"):
        adata.var[column] = table[column]
    adata.var["dispersions_norm"] = table["dispersions_norm"].astype("float32")
    if subset:
        kept = table["highly_variable"].to_numpy()
        # anndata has no public way to drop genes from an object that others hold.
        adata._inplace_subset_var(kept)  # noqa: SLF001
