"""How far two results are apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import dask.array as da
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse


def largest_difference(expected: AnnData, result: AnnData, paths: Iterable[str]) -> str:
    """Compare parts of two data sets.

    Parameters
    ----------
    expected, result
        The data sets.
    paths
        The parts, such as ``"X"``, ``"obs"`` or ``"obsm/X_pca"``.

    Returns
    -------
    str
        The largest difference of numbers as a share of the largest number of the same part, and
        how many values of other kinds differ.
    """
    shares, counts = [0.0], 0
    for path in paths:
        for one, other in pairs(part(expected, path), part(result, path)):
            if one.shape != other.shape:
                return f"{path}: {one.shape} and {other.shape}"
            if one.dtype.kind == "f":
                shares.append(share_of_largest(one, other))
            else:
                counts += int(np.sum(one != other))
    return f"{max(shares):.0e}" * (max(shares) > 0) + f"{counts} values" * (counts > 0) or "none"


def part(adata: AnnData, path: str) -> Any:
    """Walk to a part of a data set."""
    attribute, *keys = path.split("/")
    found = getattr(adata, attribute)
    for key in keys:
        found = found[key]
    return found.compute() if isinstance(found, da.Array) else found


def pairs(one: Any, other: Any) -> Iterator[tuple[Any, Any]]:
    """Break two results into arrays that can be compared."""
    if isinstance(one, pd.DataFrame):
        for column in one:
            yield one[column].to_numpy(), other[column].to_numpy()
    elif isinstance(one, pd.Series):
        yield one.to_numpy(), other.to_numpy()
    elif isinstance(one, np.ndarray) and one.dtype.names:
        for name in one.dtype.names:
            yield one[name], other[name]
    elif sparse.issparse(one) and sparse.issparse(other) and one.nnz == other.nnz:
        one, other = one.tocsr().sorted_indices(), other.tocsr().sorted_indices()
        yield from ((one.data, other.data), (one.indices, other.indices))
    else:
        yield in_full(one), in_full(other)


def in_full(matrix: Any) -> np.ndarray:
    """Write out a matrix."""
    return matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)


def share_of_largest(one: np.ndarray, other: np.ndarray) -> float:
    """Give the largest difference as a share of the largest value.

    A missing value differs from any number by more than any number.
    """
    with np.errstate(invalid="ignore"):
        apart = np.nan_to_num(abs(one - other), nan=np.inf)
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    largest = np.abs(one, where=np.isfinite(one), out=np.zeros(one.shape)).max(initial=0)
    return float(np.where(same, 0, apart).max(initial=0) / (largest or 1))
