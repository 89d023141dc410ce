"""Reading matrices out of an AnnData, and writing them back."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse


def is_readable(x) -> bool:
    """Whether this package can compute on ``x``: a NumPy array, or SciPy CSR or CSC, in memory."""
    return isinstance(x, np.ndarray) or (sparse.issparse(x) and x.format in ("csr", "csc"))


def readable(x):
    """Return ``x``, or raise if this package cannot compute on it."""
    if not is_readable(x):
        kind = f"{type(x).__module__}.{type(x).__qualname__}"
        msg = f"Cannot compute on {kind}: pass a NumPy array, or SciPy CSR or CSC, in memory."
        raise TypeError(msg)
    return x


def writable(adata: AnnData, *, copy: bool) -> AnnData:
    """Return the object to write to: a copy, or ``adata`` itself, freed if it was a view."""
    if copy:
        return adata.copy()
    if adata.is_view:
        # Assigning an annotation is the public way to make a view stand alone. Assigning X to
        # one would write into the object it was taken from.
        adata.obs = adata.obs.copy()
    return adata


def matrix_of(adata: AnnData, *, layer=None, obsm=None, use_raw=False):
    """Return the matrix that a call means."""
    if layer is not None:
        return adata.layers[layer]
    if obsm is not None:
        return adata.obsm[obsm]
    return adata.raw.X if use_raw else adata.X


def assign(adata: AnnData, x, *, layer=None, obsm=None) -> None:
    """Put a matrix where `matrix_of` would read it."""
    if layer is not None:
        adata.layers[layer] = x
    elif obsm is not None:
        adata.obsm[obsm] = x
    else:
        adata.X = x


def overwrite(x, result):
    """Write ``result`` into ``x`` if it fits there, and return the one that holds it."""
    if x.dtype != result.dtype or sparse.issparse(x) != sparse.issparse(result):
        return result
    if sparse.issparse(x):
        x.data[...] = result.data
    else:
        x[...] = result
    return x


def floating(x, dtype):
    """Return ``x``, or a copy as ``dtype`` if it holds no floating-point numbers."""
    return x if np.issubdtype(x.dtype, np.floating) else x.astype(dtype)


def mask_of(annotation: pd.DataFrame, mask, name: str) -> np.ndarray:
    """Return a boolean mask, given as an array or as the name of a column of ``annotation``."""
    if isinstance(mask, str):
        if mask not in annotation.columns:
            msg = f"{name}={mask!r} is no column. Add it, or pass a boolean array."
            raise ValueError(msg)
        mask = annotation[mask]
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape != (len(annotation),):
        msg = (
            f"{name} has to be {len(annotation)} booleans; it is of shape {mask.shape} "
            f"and type {mask.dtype}."
        )
        raise ValueError(msg)
    return mask
