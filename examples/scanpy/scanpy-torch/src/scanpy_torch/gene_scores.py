"""Scores of sets of genes."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from .annotated import matrix_of, readable, writable
from .randomness import generator

if TYPE_CHECKING:
    import torch
    from anndata import AnnData

logger = logging.getLogger(__name__)


def score_genes(
    adata: AnnData,
    gene_list: Sequence[str] | pd.Index,
    *,
    ctrl_as_ref: bool = True,
    ctrl_size: int = 50,
    gene_pool: Sequence[str] | pd.Index | None = None,
    n_bins: int = 25,
    score_name: str = "score",
    random_state: int | None = 0,
    copy: bool = False,
    use_raw: bool | None = None,
    layer: str | None = None,
    device: str | torch.device | None = None,
) -> AnnData | None:
    """Score every cell by its mean expression of some genes, less that of control genes.

    Draws the control genes that scanpy draws for the same ``random_state``, so scores agree to
    1e-5. NumPy's global generator, which scanpy seeds along the way, is left alone.

    Parameters
    ----------
    adata
        Annotated data.
    gene_list
        The genes to score. Those that are not in the data are passed over.
    ctrl_as_ref
        Draw the control genes before the genes of ``gene_list`` are taken out, not after.
    ctrl_size
        How many control genes to draw from every bin of expression.
    gene_pool
        The genes to draw from; all if ``None``.
    n_bins
        How many bins of expression there are.
    score_name
        The column of ``obs`` that takes the scores.
    random_state
        The seed; ``None`` draws from NumPy's global generator.
    copy
        Write to a copy and return it.
    use_raw
        Read ``adata.raw``; by default where it is present and no ``layer`` is given.
    layer
        The layer to read instead of ``X``.
    device
        Where to compute. ``None`` takes CUDA where there is a CUDA device.

    Returns
    -------
    AnnData or None
        The copy, if there is one.

    Raises
    ------
    ValueError
        If no gene is left to score, or to draw from.
    KeyError
        If genes to score are missing from ``gene_pool``.
    RuntimeError
        If no control gene is left.

    Examples
    --------
    >>> import numpy as np
    >>> from anndata import AnnData
    >>> adata = AnnData(np.random.RandomState(0).poisson(1.0, (3, 60)).astype("float32"))
    >>> score_genes(adata, ["0", "1", "2"], ctrl_size=5, n_bins=4)
    >>> adata.obs["score"].shape
    (3,)
    """
    adata = writable(adata, copy=copy)
    if use_raw is None:
        use_raw = layer is None and adata.raw is not None
    names = adata.raw.var_names if use_raw else adata.var_names
    x = readable(matrix_of(adata, layer=layer, use_raw=use_raw))
    genes = _present(gene_list, names, "score")
    pool = names if gene_pool is None else _present(gene_pool, names, "draw from")
    if missing := list(genes.difference(pool)):
        msg = f"gene_pool lacks genes of gene_list: {missing}. Add them."
        raise KeyError(msg)
    expression = pd.Series(_gene_means(x[:, names.get_indexer(pool)]), index=pool)
    options = (ctrl_as_ref, ctrl_size, n_bins, generator(random_state))
    control = _control_genes(expression[np.isfinite(expression)], genes, *options)
    from .kernels.means import row_means

    columns = (names.get_indexer(chosen) for chosen in (genes, control))
    wanted, usual = (row_means(x[:, chosen], device) for chosen in columns)
    adata.obs[score_name] = wanted - usual
    return adata if copy else None


def _present(genes, names: pd.Index, purpose: str) -> pd.Index:
    genes = pd.Index([genes] if isinstance(genes, str) else genes)
    if absent := list(genes.difference(names, sort=False)):
        logger.warning("Genes to %s that are not in the data: %s", purpose, absent)
    present = genes.intersection(names)
    if present.empty:
        msg = f"None of the genes to {purpose} is in the data."
        raise ValueError(msg)
    return present


def _gene_means(x) -> np.ndarray:
    # NumPy and SciPy add up in scanpy's order here: two genes that differ in the last digit only
    # would otherwise change places, and with them the bins and every gene drawn.
    if isinstance(x, np.ndarray):
        return np.nanmean(x, axis=0)
    missing = x.copy()
    missing.data = np.isnan(x.data)
    known = x.copy()
    known.data = np.where(np.isnan(x.data), 0, x.data)
    sums, gaps = (np.ravel(part.sum(axis=0, dtype=np.float64)) for part in (known, missing))
    return sums / (x.shape[0] - gaps)


def _control_genes(expression, genes, ctrl_as_ref, ctrl_size, n_bins, random) -> pd.Index:
    per_bin = round(len(expression) / (n_bins - 1))
    bins = pd.Series(rankdata(expression, method="min") // per_bin, index=expression.index)
    drawn = _draws(bins, genes, ctrl_as_ref, ctrl_size, random)
    control = pd.Index(sorted({gene for some in drawn for gene in some}.difference(genes)))
    if control.empty:
        hint = " Try ctrl_as_ref=False." if ctrl_as_ref else " Enlarge gene_pool."
        msg = f"No control gene is left beside the genes to score.{hint}"
        raise RuntimeError(msg)
    return control


def _draws(bins: pd.Series, genes, ctrl_as_ref, ctrl_size, random) -> Iterator[pd.Index]:
    eligible = bins if ctrl_as_ref else bins[~bins.index.isin(genes)]
    for number in np.unique(bins[genes]):
        names = eligible.index[eligible == number]
        if len(names) > ctrl_size:
            names = names[random.choice(len(names), ctrl_size, replace=False)]
        yield names
