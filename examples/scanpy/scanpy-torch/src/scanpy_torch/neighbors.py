"""The graph of nearest neighbours."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from .annotated import readable, writable
from .pca import N_COMPS, pca

if TYPE_CHECKING:
    import torch
    from anndata import AnnData

logger = logging.getLogger(__name__)

#: The distances this package knows, with the options that each takes.
METRICS: Mapping[str, tuple[str, ...]] = {
    "euclidean": (),
    "l2": (),
    "sqeuclidean": (),
    "cosine": (),
    "correlation": (),
    "manhattan": (),
    "cityblock": (),
    "l1": (),
    "chebyshev": (),
    "minkowski": ("p",),
}

#: The ways to turn distances into weights.
METHODS = ("umap", "gauss")


def neighbors(
    adata: AnnData,
    n_neighbors: int = 15,
    n_pcs: int | None = None,
    *,
    use_rep: str | None = None,
    method: str = "umap",
    metric: str = "euclidean",
    metric_kwds: Mapping[str, Any] = MappingProxyType({}),
    random_state: int | np.random.RandomState | None = 0,
    key_added: str | None = None,
    copy: bool = False,
    device: str | torch.device | None = None,
) -> AnnData | None:
    """Find the nearest neighbours of every cell, and weigh the graph that they make.

    The search is exact at every size, in double precision. Scanpy's is exact up to 8191 cells
    (4095 for other metrics than the Euclidean), where distances agree to 1e-5 and weights to
    1e-4; above, scanpy's is approximate and some neighbours differ. Cells at equal distance may
    change places.

    Parameters
    ----------
    adata
        Annotated data.
    n_neighbors
        How many neighbours a cell has, itself included.
    n_pcs
        How many principal components to use; all if ``None``, and ``X`` if 0.
    use_rep
        The entry of ``obsm`` to search in, or ``'X'``. By default ``X`` up to 50 genes, and
        ``obsm['X_pca']`` above, which is computed if it is missing. A sparse one is made dense.
    method
        ``'umap'`` or ``'gauss'``.
    metric
        The distance: one of `METRICS`.
    metric_kwds
        Its options: ``{'p': 3}`` for ``'minkowski'``.
    random_state
        Only recorded: nothing is drawn.
    key_added
        Where to store the results, instead of ``uns['neighbors']``, ``obsp['distances']`` and
        ``obsp['connectivities']``.
    copy
        Write to a copy and return it.
    device
        Where to compute. ``None`` takes CUDA where there is a CUDA device.

    Returns
    -------
    AnnData or None
        The copy, if there is one.

    Raises
    ------
    ValueError
        If metric, method or representation are not known, or ``n_neighbors`` is below 2.

    Examples
    --------
    >>> import numpy as np
    >>> from anndata import AnnData
    >>> adata = AnnData(np.array([[0.0], [1.0], [3.0]]))
    >>> neighbors(adata, 2)
    >>> adata.obsp["distances"].toarray()
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 2., 0.]])
    """
    _check(n_neighbors, method, metric, metric_kwds)
    adata = writable(adata, copy=copy)
    if n_neighbors > adata.n_obs:
        n_neighbors = 1 + adata.n_obs // 2
        logger.warning("Too few cells: n_neighbors is set to %d.", n_neighbors)
    points = representation(adata, n_pcs, use_rep)
    if points is None:
        points = _principal_components(adata, n_pcs, device)
    graphs = _graphs(points, n_neighbors, method, metric, metric_kwds, device)
    params = {
        "n_neighbors": n_neighbors,
        "method": method,
        "random_state": random_state,
        "metric": metric,
        **({"metric_kwds": metric_kwds} if metric_kwds else {}),
        **({} if use_rep is None else {"use_rep": use_rep}),
        **({} if n_pcs is None else {"n_pcs": n_pcs}),
    }
    _store(adata, *graphs, params, key_added)
    return adata if copy else None


def representation(adata: AnnData, n_pcs: int | None, use_rep: str | None):
    """Return the points to search in, or ``None`` if they have yet to be computed."""
    if use_rep is None:
        use_rep = "X" if n_pcs == 0 or adata.n_vars <= N_COMPS else "X_pca"
        if use_rep == "X_pca" and use_rep not in adata.obsm:
            return None
        n_pcs = None if use_rep == "X" else n_pcs
    if use_rep not in adata.obsm:
        if use_rep == "X":
            return adata.X
        msg = f"use_rep={use_rep!r} is neither 'X' nor in obsm. Compute it first."
        raise ValueError(msg)
    points = adata.obsm[use_rep]
    if n_pcs is not None and n_pcs > points.shape[1]:
        msg = f"n_pcs={n_pcs}, but obsm[{use_rep!r}] has {points.shape[1]} columns."
        raise ValueError(msg)
    return points if n_pcs is None else points[:, :n_pcs]


def unknown_options(metric: str, metric_kwds: Mapping[str, Any]) -> list[str]:
    """Return the options that a metric does not take."""
    return [option for option in metric_kwds if option not in METRICS.get(metric, ())]


def _check(n_neighbors: int, method: str, metric: str, metric_kwds: Mapping[str, Any]) -> None:
    if n_neighbors <= 1:
        msg = f"n_neighbors={n_neighbors}: a cell is its own first neighbour, so take 2 or more."
        raise ValueError(msg)
    for name, value, known in (("method", method, METHODS), ("metric", metric, tuple(METRICS))):
        if value not in known:
            msg = f"{name}={value!r} is not one of {', '.join(map(repr, known))}."
            raise ValueError(msg)
    if unknown := unknown_options(metric, metric_kwds):
        msg = f"metric={metric!r} does not take {', '.join(map(repr, unknown))}."
        raise ValueError(msg)


def _principal_components(adata: AnnData, n_pcs: int | None, device) -> np.ndarray:
    msg = (
        f"There is no obsm['X_pca'], so it is computed from {adata.n_vars} genes. "
        "Call pca first, or pass use_rep='X' to search in all of them."
    )
    warnings.warn(msg, stacklevel=3)
    pca(adata, N_COMPS if n_pcs is None else n_pcs, device=device)
    return adata.obsm["X_pca"]


def _graphs(points, n_neighbors, method, metric, metric_kwds, device):
    from .kernels.connectivity import edges, gauss, umap
    from .kernels.device import choose_device, to_dense
    from .kernels.nearest import nearest

    points = to_dense(readable(points), choose_device(device))
    indices, distances = nearest(points, n_neighbors, metric, metric_kwds.get("p", 2))
    weights = {"umap": umap, "gauss": gauss}[method](indices, distances)
    # Rows keep the order of distance, which is how scanpy stores and reads them.
    return edges(indices[:, 1:], distances[:, 1:]), weights


def _store(adata: AnnData, distances, connectivities, params, key_added) -> None:
    prefix = "" if key_added is None else f"{key_added}_"
    keys = {"connectivities_key": f"{prefix}connectivities", "distances_key": f"{prefix}distances"}
    adata.uns["neighbors" if key_added is None else key_added] = {**keys, "params": params}
    adata.obsp[keys["distances_key"]] = distances
    adata.obsp[keys["connectivities_key"]] = connectivities
