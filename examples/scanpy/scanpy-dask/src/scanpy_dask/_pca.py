"""Principal components, as scanpy stores them."""

import inspect
from typing import Any

import dask.array as da
import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData
from numpy.typing import DTypeLike, NDArray

from ._components import principal_components
from ._matrices import columns_of, matrix_of

# The host's own mark for "highly variable genes if there are any"; None asks for every gene.
MASK_NOT_GIVEN = inspect.signature(sc.pp.pca).parameters["mask_var"].default


def pca(
    data: AnnData,
    n_comps: int | None = None,
    *,
    layer: str | None = None,
    zero_center: bool = True,
    svd_solver: str | None = None,
    random_state: Any = 0,
    mask_var: NDArray[np.bool_] | str | None = MASK_NOT_GIVEN,
    dtype: DTypeLike = "float32",
    key_added: str | None = None,
    copy: bool = False,
    show_progress_bar: bool = True,
) -> AnnData | None:
    """Find the principal components, exactly, in two passes over the data.

    The first pass sums the products of each pair of genes, whose eigenvectors are the components;
    the second projects the cells on them. Each thread holds a block and a few square matrices
    with as many rows as there are genes.

    Parameters
    ----------
    data
        Dataset whose matrix is a Dask array.
    n_comps
        Number of components; scanpy's default of 50, or one less than fit, if ``None``.
    layer
        Layer to use instead of ``X``.
    zero_center
        Subtract the mean of each gene, which leaves sparse blocks sparse.
    svd_solver
        ``"covariance_eigh"``, which ``None`` and ``"auto"`` mean too.
    random_state
        Any: nothing here is random, so every seed gives the same.
    mask_var
        Genes to use, or the column of ``var`` that marks them. Left out, it is
        ``var["highly_variable"]`` where there is one; ``None`` uses every gene.
    dtype
        Type of the projected cells.
    key_added
        Name for the results in place of ``X_pca``, ``PCs`` and ``pca``.
    copy
        Return a changed copy instead of changing `data`.
    show_progress_bar
        Show the progress of a pass on standard error, if that is a terminal.

    Returns
    -------
    AnnData or None
        The copy with ``copy=True``. Components are in ``varm["PCs"]``, each turned so that its
        largest loading is positive, cells in ``obsm["X_pca"]`` and variances in ``uns["pca"]``.

    Raises
    ------
    ValueError
        If another `svd_solver` is asked for, if there are not as many components, or if the mask
        does not fit the genes.

    Examples
    --------
    >>> import anndata, dask.array as da, numpy as np
    >>> from scanpy_dask import pp
    >>> cells = np.array([[0.0, 0.0], [2.0, 2.0], [4.0, 4.0]])
    >>> adata = anndata.AnnData(da.from_array(cells, chunks=(2, 2)))
    >>> pp.pca(adata, n_comps=1)
    >>> adata.obsm["X_pca"].round(3)
    array([[-2.828],
           [ 0.   ],
           [ 2.828]], dtype=float32)
    """
    if not is_offered(svd_solver):
        raise ValueError(f"svd_solver is {svd_solver!r}, and only 'covariance_eigh' is offered.")
    adata = data.copy() if copy else data
    name, genes = chosen_genes(adata, mask_var)
    matrix = matrix_of(adata, layer)
    matrix = matrix if genes is None else columns_of(matrix, genes)
    components = principal_components(
        matrix,
        _component_count(matrix, n_comps),
        zero_center=zero_center,
        show_progress_bar=show_progress_bar,
    )
    cells = components.of_cells(matrix, dtype=dtype, show_progress_bar=show_progress_bar)
    keys = ("X_pca", "PCs", "pca") if key_added is None else (key_added,) * 3
    adata.obsm[keys[0]] = cells
    adata.varm[keys[1]] = _for_every_gene(components.loadings.T, genes)
    adata.uns[keys[2]] = {
        "params": {
            "zero_center": zero_center,
            "use_highly_variable": isinstance(name, str) and name == "highly_variable",
            "mask_var": name,
            **({} if layer is None else {"layer": layer}),
        },
        "variance": components.variance,
        "variance_ratio": components.variance_ratio,
    }
    return adata if copy else None


def is_offered(svd_solver: str | None) -> bool:
    """Say whether this is what the solver here is called."""
    return svd_solver in {None, "auto", "covariance_eigh"}


def chosen_genes(
    adata: AnnData, mask_var: NDArray[np.bool_] | str | None
) -> tuple[NDArray[np.bool_] | str | None, NDArray[np.bool_] | None]:
    """Say which genes are used: as the caller would name them, and one by one."""
    if mask_var is MASK_NOT_GIVEN:
        mask_var = "highly_variable" if "highly_variable" in adata.var else None
    if mask_var is None:
        return None, None
    if isinstance(mask_var, str) and mask_var not in adata.var:
        raise ValueError(f"mask_var is {mask_var!r}, and adata.var has no such column.")
    genes = np.asarray(adata.var[mask_var] if isinstance(mask_var, str) else mask_var)
    if genes.shape != (adata.n_vars,) or not pd.api.types.is_bool_dtype(genes.dtype):
        raise ValueError(
            f"mask_var needs one true or false for each of {adata.n_vars} genes, "
            f"not {genes.dtype} of shape {genes.shape}."
        )
    return mask_var, genes


def _component_count(matrix: da.Array, n_comps: int | None) -> int:
    most = min(matrix.shape)
    if n_comps is None:
        return sc.settings.N_PCS if most > sc.settings.N_PCS else most - 1
    if not 0 < n_comps <= most:
        raise ValueError(f"n_comps is {n_comps}: {most} components can be told apart here.")
    return n_comps


def _for_every_gene(loadings: np.ndarray, genes: NDArray[np.bool_] | None) -> np.ndarray:
    if genes is None:
        return np.ascontiguousarray(loadings)
    every = np.zeros((genes.size, loadings.shape[1]))
    every[genes] = loadings
    return every
