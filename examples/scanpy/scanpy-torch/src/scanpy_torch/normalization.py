"""The same total for every cell."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from .annotated import assign, floating, matrix_of, readable, writable

if TYPE_CHECKING:
    import torch
    from anndata import AnnData


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
    device: str | torch.device | None = None,
) -> AnnData | dict[str, np.ndarray] | None:
    """Divide every cell by its total, so that all have the same.

    Agrees with scanpy to a relative difference of 1e-6 in single precision. The default target
    is the median of the totals that are above zero. Scanpy up to 1.11 lets empty cells into
    that median where the matrix is sparse, so the two differ on sparse data with empty cells.

    Parameters
    ----------
    adata
        Annotated data.
    target_sum
        The total that every cell gets; the median total if ``None``.
    exclude_highly_expressed
        Leave out of the totals the genes that make up more than ``max_fraction`` of any cell.
    max_fraction
        See ``exclude_highly_expressed``.
    key_added
        The column of ``obs`` that takes the factors, the totals divided by the target.
    layer
        The layer to normalize instead of ``X``.
    inplace
        Write to ``adata``. Otherwise return a dictionary with ``X`` and ``norm_factor``.
    copy
        Write to a copy and return it.
    device
        Where to compute. ``None`` takes CUDA where there is a CUDA device.

    Returns
    -------
    AnnData, dict or None
        See ``inplace`` and ``copy``.

    Raises
    ------
    ValueError
        If ``copy=True`` meets ``inplace=False``, or ``max_fraction`` is no fraction.

    Examples
    --------
    >>> import numpy as np
    >>> from anndata import AnnData
    >>> adata = AnnData(np.array([[1.0, 3.0], [6.0, 2.0]]))
    >>> normalize_total(adata, target_sum=1)
    >>> adata.X
    array([[0.25, 0.75],
           [0.75, 0.25]])
    """
    if copy and not inplace:
        msg = "copy=True returns a copy and inplace=False a dictionary. Choose one of them."
        raise ValueError(msg)
    if not 0 <= max_fraction <= 1:
        msg = f"max_fraction={max_fraction} is not between 0 and 1."
        raise ValueError(msg)
    fraction = max_fraction if exclude_highly_expressed else None
    adata = writable(adata, copy=copy) if inplace else adata
    x, factors = _normalized(matrix_of(adata, layer=layer), target_sum, fraction, device)
    if not np.all(factors > 0):
        warnings.warn("Some cells have zero counts", stacklevel=2)
    if not inplace:
        return {"X": x, "norm_factor": factors}
    if key_added is not None:
        adata.obs[key_added] = factors
    assign(adata, x, layer=layer)
    return adata if copy else None


def _normalized(x, target_sum, max_fraction, device):
    from .kernels.device import to_tensor
    from .kernels.matrix import load, unload

    x = floating(readable(x), np.float32)
    if not isinstance(x, np.ndarray):
        x = x.tocsr()
    matrix = load(x, device)
    totals = _totals(matrix, max_fraction).cpu().numpy().astype(x.dtype)
    target = np.median(totals[totals > 0]) if target_sum is None else target_sum
    factors = totals / target
    divisors = to_tensor(np.where(factors == 0, 1, factors).astype(x.dtype), matrix.values.device)
    return unload(matrix.values / matrix.by_row(divisors), like=x), factors


def _totals(matrix, max_fraction):
    totals = matrix.row_sums(matrix.values)
    if max_fraction is None:
        return totals
    dominant = matrix.values > max_fraction * matrix.by_row(totals)
    kept = matrix.column_sums(dominant) == 0
    return matrix.row_sums(matrix.values * matrix.by_column(kept))
