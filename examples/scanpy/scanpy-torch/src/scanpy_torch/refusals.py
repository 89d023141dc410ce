"""Calls that this package leaves to others, and why.

The dispatcher refuses by itself what no parameter here could receive, such as ``chunked=True``.
What is left are values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from anndata import AnnData

from . import neighbors, pca, ranked_genes, variable_genes
from .annotated import is_readable, matrix_of

#: The values that an argument may have.
KNOWN: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "pp.highly_variable_genes": {"flavor": variable_genes.FLAVORS},
    "pp.neighbors": {"metric": tuple(neighbors.METRICS), "method": neighbors.METHODS},
    "pp.pca": {"svd_solver": pca.SOLVERS},
    "tl.rank_genes_groups": {"method": ranked_genes.METHODS},
}


def can_run(function_name: str, arguments: Mapping[str, Any]) -> bool | str:
    """Say whether a call can run here.

    Parameters
    ----------
    function_name
        The name of the function in scanpy, such as ``'pp.pca'``.
    arguments
        The arguments of the call, by scanpy's names.

    Returns
    -------
    bool or str
        True, or the reason why it cannot.

    Examples
    --------
    >>> can_run("pp.pca", {"svd_solver": "full"})
    True
    >>> can_run("pp.pca", {"svd_solver": "lobpcg"})
    "svd_solver='lobpcg' is not one of 'auto', 'arpack', 'covariance_eigh', 'full'"
    """
    return next(_reasons(function_name, arguments), True)


def _reasons(function_name: str, arguments: Mapping[str, Any]) -> Iterator[str]:
    for name, known in KNOWN.get(function_name, {}).items():
        value = arguments.get(name)
        if value is not None and value not in known:
            yield f"{name}={value!r} is not one of {', '.join(map(repr, known))}"
    if function_name == "pp.neighbors":
        yield from _unknown_metric_options(arguments)
    if "adata" in arguments or "data" in arguments:
        yield from _matrix_reasons(function_name, arguments)


def _unknown_metric_options(arguments: Mapping[str, Any]) -> Iterator[str]:
    metric = arguments.get("metric", "euclidean")
    for option in neighbors.unknown_options(metric, arguments.get("metric_kwds", {})):
        yield f"metric={metric!r} does not take {option!r} here"


def _matrix_reasons(function_name: str, arguments: Mapping[str, Any]) -> Iterator[str]:
    x = _matrix(function_name, arguments)
    if x is None:
        return
    if not is_readable(x):
        kind = f"{type(x).__module__}.{type(x).__qualname__}"
        yield f"the data is a {kind}, not a NumPy array or SciPy CSR or CSC in memory"
    centred = arguments.get("zero_center", True) and not isinstance(x, np.ndarray)
    if function_name == "pp.scale" and centred and arguments.get("mask_obs") is not None:
        yield "centring some rows of a sparse matrix is not implemented; pass zero_center=False"


def _matrix(function_name: str, arguments: Mapping[str, Any]):
    """Return the matrix that the call would read, or ``None`` if there is none to look at."""
    data = arguments.get("adata", arguments.get("data"))
    if not isinstance(data, AnnData):
        return data
    try:
        if function_name == "pp.neighbors":
            chosen = arguments.get("n_pcs"), arguments.get("use_rep")
            return neighbors.representation(data, *chosen)
        layer, use_raw = arguments.get("layer"), arguments.get("use_raw")
        if use_raw is None:
            use_raw = function_name.startswith("tl.") and layer is None and data.raw is not None
        return matrix_of(data, layer=layer, obsm=arguments.get("obsm"), use_raw=use_raw)
    except (AttributeError, KeyError, ValueError):
        return None  # a name that is not in the data is for the function itself to complain of
