"""Genes that tell groups of cells apart."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from .annotated import mask_of, matrix_of, readable, writable
from .grouping import Grouping, group

if TYPE_CHECKING:
    import torch
    from anndata import AnnData

    from .kernels.moments import Moments

logger = logging.getLogger(__name__)

#: The values of ``method`` that this package knows.
METHODS = ("t-test", "t-test_overestim_var")

#: The ways to correct p-values for the number of genes.
CORRECTIONS = {
    "benjamini-hochberg": stats.false_discovery_control,
    "bonferroni": lambda pvals: np.minimum(pvals * len(pvals), 1.0),
}

#: What is stored of every gene, and as what.
FIELDS = {
    "names": "O",
    "scores": "float32",
    "pvals": "float64",
    "pvals_adj": "float64",
    "logfoldchanges": "float32",
}


def rank_genes_groups(
    adata: AnnData,
    groupby: str,
    *,
    mask_var: np.ndarray | str | None = None,
    use_raw: bool | None = None,
    groups: str | Iterable[str] = "all",
    reference: str = "rest",
    n_genes: int | None = None,
    rankby_abs: bool = False,
    pts: bool = False,
    key_added: str | None = None,
    copy: bool = False,
    method: str | None = None,
    corr_method: str = "benjamini-hochberg",
    layer: str | None = None,
    device: str | torch.device | None = None,
) -> AnnData | None:
    """Rank the genes of every group by how far its mean lies from that of other cells.

    Means and variances are computed on the device, p-values by SciPy. Scores, fold changes
    and p-values agree with scanpy to a relative difference of 1e-4, for all genes that vary in
    every group. Of those that do not, the variance that scanpy finds in single precision may
    come out below zero, and the score as zero. Genes of equal score may change places.

    Parameters
    ----------
    adata
        Annotated data, logarithms of counts.
    groupby
        The column of ``obs`` that names the group of every cell.
    mask_var
        The genes to rank: booleans, or the name of a column of ``var``; all if ``None``.
    use_raw
        Read ``adata.raw``; by default where it is present and no ``layer`` is given.
    groups
        The groups to rank genes for.
    reference
        The group to compare with, or ``'rest'`` for all other cells.
    n_genes
        Keep this many genes of every group; all if ``None``.
    rankby_abs
        Rank by the size of the score, whatever its sign.
    pts
        Also store the fractions of cells in which genes are not zero.
    key_added
        Where in ``uns`` to store the results, instead of ``'rank_genes_groups'``.
    copy
        Write to a copy and return it.
    method
        ``'t-test'``, which is Welch's and the default, or ``'t-test_overestim_var'``, which
        counts no more cells outside of a group than in it.
    corr_method
        ``'benjamini-hochberg'`` or ``'bonferroni'``.
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
        If method, correction, groups, reference or mask do not fit, or a group has one cell.

    Examples
    --------
    >>> import numpy as np
    >>> from anndata import AnnData
    >>> adata = AnnData(np.log1p(np.array([[9.0, 1], [8, 2], [1, 7], [2, 9]])))
    >>> adata.obs["half"] = ["left", "left", "right", "right"]
    >>> rank_genes_groups(adata, "half")
    >>> adata.uns["rank_genes_groups"]["names"]["left"].tolist()
    ['0', '1']
    """
    from .kernels.matrix import load
    from .kernels.moments import group_moments

    method = "t-test" if method is None else method
    _check(method, corr_method)
    adata = writable(adata, copy=copy)
    adata.strings_to_categoricals()
    use_raw = _uses_raw(adata, use_raw, layer)
    x, names = _expression(adata, layer, use_raw, mask_var)
    grouping = group(adata.obs[groupby], groups, reference)
    matrix = load(x, device)
    moments = group_moments(matrix, grouping.codes, grouping.n_groups)
    ranking = Ranking(method, CORRECTIONS[corr_method], n_genes, rankby_abs, _base(adata))
    tables = dict(_tables(moments, grouping, names, ranking))
    params = {
        "groupby": groupby,
        "reference": reference,
        "method": method,
        "use_raw": use_raw,
        "layer": layer,
        "corr_method": corr_method,
    }
    fractions = _fractions(matrix, grouping, names) if pts else {}
    stored = {"params": params, **fractions, **_records(tables)}
    adata.uns["rank_genes_groups" if key_added is None else key_added] = stored
    return adata if copy else None


@dataclass(frozen=True)
class Ranking:
    """How genes are tested and ordered."""

    method: str
    correct: Callable[[np.ndarray], np.ndarray]
    n_genes: int | None
    by_size: bool
    base: float


def _check(method: str, corr_method: str) -> None:
    known = (("method", method, METHODS), ("corr_method", corr_method, tuple(CORRECTIONS)))
    for name, value, values in known:
        if value not in values:
            msg = f"{name}={value!r} is not one of {', '.join(map(repr, values))}."
            raise ValueError(msg)


def _uses_raw(adata: AnnData, use_raw: bool | None, layer: str | None) -> bool:
    use_raw = adata.raw is not None if use_raw is None else use_raw
    if use_raw and adata.raw is None:
        msg = "use_raw=True, but adata.raw is empty."
        raise ValueError(msg)
    if use_raw and layer is not None:
        msg = f"layer={layer!r}, but adata.raw comes first. Pass use_raw=False."
        raise ValueError(msg)
    return use_raw


def _expression(adata: AnnData, layer: str | None, use_raw: bool, mask_var):
    x = readable(matrix_of(adata, layer=layer, use_raw=use_raw))
    names = (adata.raw if use_raw else adata).var_names
    if mask_var is not None:
        genes = mask_of(adata.var, mask_var, "mask_var")
        x, names = x[:, genes], names[genes]
    _warn_of_counts(x)
    return x, names


def _warn_of_counts(x) -> None:
    values = x if isinstance(x, np.ndarray) else x.data
    if (values >= 0).all() and (values % 1 == 0).all():
        logger.warning("These look like raw counts. Take their logarithm before ranking genes.")


def _base(adata: AnnData) -> float:
    base = adata.uns.get("log1p", {}).get("base")
    return np.e if base is None else base


def _tables(
    moments: Moments, grouping: Grouping, names: pd.Index, ranking: Ranking
) -> Iterator[tuple[str, pd.DataFrame]]:
    for name, number in zip(grouping.names, grouping.numbers, strict=True):
        if number != grouping.reference:
            own = moments.pool(np.arange(grouping.n_groups) == number)
            yield name, _table(own, moments.pool(grouping.others(number)), names, ranking)


def _table(own: Moments, other: Moments, names: pd.Index, ranking: Ranking) -> pd.DataFrame:
    scores, pvals = _tested(own, other, ranking.method)
    columns = (names, scores, pvals, ranking.correct(pvals), _fold_changes(own, other, ranking))
    table = pd.DataFrame(dict(zip(FIELDS, columns, strict=True)))
    order = np.argsort(-np.abs(scores) if ranking.by_size else -scores, kind="stable")
    return table.iloc[order[: ranking.n_genes]]


def _tested(own: Moments, other: Moments, method: str) -> tuple[np.ndarray, np.ndarray]:
    counted = other if method == "t-test" else own
    # Genes without any variance divide zero by zero, and get the score zero.
    with np.errstate(invalid="ignore", divide="ignore"):
        scores, pvals = stats.ttest_ind_from_stats(
            *(own.means[0], np.sqrt(own.variances[0]), own.counts[0]),
            *(other.means[0], np.sqrt(other.variances[0]), counted.counts[0]),
            equal_var=False,
        )
    return np.where(np.isnan(scores), 0, scores), np.where(np.isnan(pvals), 1, pvals)


def _fold_changes(own: Moments, other: Moments, ranking: Ranking) -> np.ndarray:
    means = (np.expm1(part.means[0] * np.log(ranking.base)) + 1e-9 for part in (own, other))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.log2(np.divide(*means))


def _fractions(matrix, grouping: Grouping, names: pd.Index) -> dict[str, pd.DataFrame]:
    from .kernels.moments import group_nonzeros

    found = group_nonzeros(matrix, grouping.codes, grouping.n_groups)
    sizes = np.bincount(grouping.codes, minlength=grouping.n_groups)[:, None]
    own = found, sizes
    rest = found.sum(0) - found, sizes.sum() - sizes
    parts = {"pts": own} if grouping.reference is not None else {"pts": own, "pts_rest": rest}
    chosen = list(grouping.numbers)
    return {
        key: pd.DataFrame((part[chosen] / total[chosen]).T, names, grouping.names)
        for key, (part, total) in parts.items()
    }


def _records(tables: dict[str, pd.DataFrame]) -> dict[str, np.recarray]:
    """Turn a table a group into a record array a field, with a column for every group."""
    fields = {
        field: pd.DataFrame({group: table[field].to_numpy() for group, table in tables.items()})
        for field in FIELDS
    }
    return {
        field: frame.to_records(index=False, column_dtypes=FIELDS[field])
        for field, frame in fields.items()
    }
