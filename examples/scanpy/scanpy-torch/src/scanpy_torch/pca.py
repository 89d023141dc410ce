"""Principal component analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from anndata import AnnData

from .annotated import mask_of, matrix_of, readable, writable

if TYPE_CHECKING:
    import torch
    from numpy.typing import DTypeLike
    from scipy import sparse

    from .kernels.decomposition import Decomposition

#: The values of ``svd_solver`` that name something this package does.
SOLVERS = ("auto", "arpack", "covariance_eigh", "full")

#: Scanpy's default number of components.
N_COMPS = 50


def pca(
    data: AnnData | np.ndarray | sparse.spmatrix,
    n_comps: int | None = None,
    *,
    layer: str | None = None,
    zero_center: bool = True,
    svd_solver: str | None = None,
    random_state: int | np.random.RandomState | None = 0,
    return_info: bool = False,
    mask_var: np.ndarray | str | None = ...,
    dtype: DTypeLike = "float32",
    key_added: str | None = None,
    copy: bool = False,
    device: str | torch.device | None = None,
) -> AnnData | np.ndarray | tuple[np.ndarray, ...] | None:
    """Compute principal components, loadings and variances.

    All solvers compute in double precision and without approximation, and fix the signs as
    scikit-learn 1.5 and later do: the largest loading of a component is positive. Agrees with
    scanpy, component by component, to 1e-3 of the size of the component in single precision,
    where the rounding is scanpy's, and to 1e-6 in double. Components of equal variance are not
    determined, by either. Without ``zero_center`` scanpy approximates at random by default;
    ``svd_solver='arpack'`` makes it comparable.

    Parameters
    ----------
    data
        Annotated data, or a matrix.
    n_comps
        How many components; 50 if ``None``, or one less than the data allows.
    layer
        The layer to decompose instead of ``X``.
    zero_center
        Take away the mean of every gene, without making a sparse matrix dense.
    svd_solver
        ``'covariance_eigh'``, ``'arpack'``, whose matrix products are computed on the device, or
        ``'full'``. ``'auto'`` and ``None`` take the first up to 4096 genes, the second above.
    random_state
        Seeds the start vector of ``'arpack'``. Nothing else is drawn.
    return_info
        For a matrix: return the loadings and variances too.
    mask_var
        The genes to use: booleans, or the name of a column of ``var``; all if ``None``. By
        default ``'highly_variable'`` where there is such a column.
    dtype
        The type of the coordinates.
    key_added
        Where to store the results in ``obsm``, ``varm`` and ``uns``, instead of ``'X_pca'``,
        ``'PCs'`` and ``'pca'``.
    copy
        Write to a copy and return it.
    device
        Where to compute. ``None`` takes CUDA where there is a CUDA device.

    Returns
    -------
    AnnData, array, tuple or None
        For annotated data ``None``, or the copy. For a matrix the coordinates, followed with
        ``return_info`` by loadings, ratios of variance, and variances.

    Raises
    ------
    ValueError
        If ``n_comps``, ``svd_solver`` or the mask do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> pca(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]), 1).ravel().round(2)
    array([-1.41,  0.  ,  1.41], dtype=float32)
    """
    options = {
        "n_comps": n_comps,
        "center": zero_center,
        "solver": svd_solver,
        "random_state": random_state,
        "device": device,
    }
    if not isinstance(data, AnnData):
        found = _decomposed(data, **options)
        coordinates = found.coordinates.astype(dtype)
        ratio = found.variance_ratio
        return (coordinates, found.loadings, ratio, found.variance) if return_info else coordinates
    adata = writable(data, copy=copy)
    mask_var, genes = _genes(adata, mask_var)
    x = matrix_of(adata, layer=layer)
    found = _decomposed(x if genes is None else x[:, genes], **options)
    params = {
        "zero_center": zero_center,
        "use_highly_variable": isinstance(mask_var, str) and mask_var == "highly_variable",
        "mask_var": mask_var,
        **({} if layer is None else {"layer": layer}),
    }
    _store(adata, found, genes, params, np.dtype(dtype), key_added)
    return adata if copy else None


def _genes(adata: AnnData, mask_var) -> tuple[np.ndarray | str | None, np.ndarray | None]:
    # A host that forwards its own default passes a marker of its own: neither a name nor an array.
    given = mask_var is None or hasattr(mask_var, "__len__")
    if not given:
        mask_var = "highly_variable" if "highly_variable" in adata.var.columns else None
    if mask_var is None:
        return None, None
    return mask_var, mask_of(adata.var, mask_var, "mask_var")


def _decomposed(x, *, n_comps, center, solver, random_state, device) -> Decomposition:
    from .kernels.decomposition import decompose
    from .kernels.device import choose_device

    if solver is not None and solver not in SOLVERS:
        msg = f"svd_solver={solver!r} is not one of {', '.join(map(repr, SOLVERS))}."
        raise ValueError(msg)
    smallest = min(readable(x).shape)
    if n_comps is None:
        n_comps = min(smallest - 1, N_COMPS)
    if not 1 <= n_comps <= smallest:
        msg = f"n_comps={n_comps} has to be between 1 and {smallest}, the smaller side of the data."
        raise ValueError(msg)
    return decompose(x, n_comps, solver, center, random_state, choose_device(device))


def _store(adata, found: Decomposition, genes, params, dtype, key_added) -> None:
    keys = ("X_pca", "PCs", "pca") if key_added is None else (key_added,) * 3
    loadings = found.loadings.T
    if genes is not None:
        loadings = np.zeros((adata.n_vars, len(found.loadings)))
        loadings[genes] = found.loadings.T
    adata.obsm[keys[0]] = found.coordinates.astype(dtype)
    adata.varm[keys[1]] = loadings
    adata.uns[keys[2]] = {
        "params": params,
        "variance": found.variance,
        "variance_ratio": found.variance_ratio,
    }
