"""Which calls this package can run, and in words a person can read why not the others."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import dask.array as da
import numpy as np
import pandas as pd
from anndata import AnnData
from dask.utils import format_bytes
from distributed import futures_of
from scipy import sparse

from ._clusters import memory_per_thread
from ._matrices import block_example, has_whole_rows, matrix_of
from ._pca import MASK_NOT_GIVEN, chosen_genes, is_offered

Arguments: TypeAlias = Mapping[str, Any]
# Gives the reason against a call, or None.
Condition: TypeAlias = Callable[[Arguments], str | None]


def can_run(function_name: str, arguments: Arguments) -> bool | str:
    """Say whether a call can run here.

    Parameters
    ----------
    function_name
        The function as scanpy dispatches it, ``"pp.pca"`` for example.
    arguments
        What the caller gave, under scanpy's names.

    Returns
    -------
    bool or str
        True, or the reason why not.

    Examples
    --------
    >>> import anndata, numpy as np
    >>> from scanpy_dask._conditions import can_run
    >>> print(can_run("pp.scale", {"data": anndata.AnnData(np.eye(3))}))
    adata.X is a numpy.ndarray, not a Dask array: open the file with scanpy_dask.open_dataset
    """
    conditions = (*_ALWAYS, *_OF_FUNCTION.get(function_name, ()))
    return next(_reasons(conditions, arguments), True)


def _reasons(conditions: Iterable[Condition], arguments: Arguments) -> Iterator[str]:
    return (reason for condition in conditions if (reason := condition(arguments)))


def _data(arguments: Arguments) -> Any:
    """Give the dataset, which scanpy calls one or the other."""
    return arguments["adata"] if "adata" in arguments else arguments.get("data")


def _matrix(arguments: Arguments) -> Any:
    return matrix_of(_data(arguments), arguments.get("layer"))


def _matrix_name(arguments: Arguments) -> str:
    layer = arguments.get("layer")
    return "adata.X" if layer is None else f"adata.layers[{layer!r}]"


def _is_annotated(arguments: Arguments) -> str | None:
    data = _data(arguments)
    return None if isinstance(data, AnnData) else f"the data are {_kind(data)}, not an AnnData"


def _has_layer(arguments: Arguments) -> str | None:
    layer, layers = arguments.get("layer"), _data(arguments).layers
    if layer is None or layer in layers:
        return None
    return f"adata has no layer {layer!r}, only {', '.join(map(repr, layers)) or 'X'}"


def _is_lazy(arguments: Arguments) -> str | None:
    matrix = _matrix(arguments)
    if isinstance(matrix, da.Array):
        return None
    return (
        f"{_matrix_name(arguments)} is {_kind(matrix)}, not a Dask array: "
        "open the file with scanpy_dask.open_dataset"
    )


def _has_whole_rows(arguments: Arguments) -> str | None:
    matrix = _matrix(arguments)
    if has_whole_rows(matrix):
        return None
    return (
        f"{_matrix_name(arguments)} is split along genes into {matrix.numblocks[1]}: "
        "store it by rows, or rechunk it with .rechunk({1: -1})"
    )


def _has_known_blocks(arguments: Arguments) -> str | None:
    example = block_example(_matrix(arguments))
    if isinstance(example, np.ndarray) or (sparse.issparse(example) and example.format == "csr"):
        return None
    return f"the blocks of {_matrix_name(arguments)} are {_kind(example)}, not arrays or CSR"


def _has_read_annotations(arguments: Arguments) -> str | None:
    data = _data(arguments)
    if isinstance(data.obs, pd.DataFrame) and isinstance(data.var, pd.DataFrame):
        return None
    return "adata.obs and adata.var are not read yet: open the file with scanpy_dask.open_dataset"


def _is_not_on_cluster(arguments: Arguments) -> str | None:
    if not futures_of(_matrix(arguments)):
        return None
    return f"{_matrix_name(arguments)} is held by the cluster: give it as it was before .persist()"


def _is_no_view(arguments: Arguments) -> str | None:
    if arguments.get("copy") or not arguments.get("inplace", True) or not _data(arguments).is_view:
        return None
    return "adata is a view of another dataset: make it one of its own with adata.copy()"


def _solver_is_offered(arguments: Arguments) -> str | None:
    solver = arguments.get("svd_solver")
    if is_offered(solver):
        return None
    return f"svd_solver is {solver!r}: only 'covariance_eigh' adds up block by block"


def _flavor_is_offered(arguments: Arguments) -> str | None:
    flavor = arguments.get("flavor", "seurat")
    return None if flavor == "seurat" else f"flavor is {flavor!r}: only 'seurat' is offered"


def _mask_fits(arguments: Arguments) -> str | None:
    try:
        _genes_used(arguments)
    except ValueError as error:
        return str(error)
    return None


def _products_fit(arguments: Arguments) -> str | None:
    n_vars = _genes_used(arguments)
    # The sum so far, a block's products in sparse and in dense form, and their new sum.
    needed = 5 * n_vars**2 * np.dtype(np.float64).itemsize
    return _too_much(
        f"multiplying {n_vars} genes with each other", needed, "use fewer genes (mask_var)"
    )


def _dense_block_fits(arguments: Arguments) -> str | None:
    if not arguments.get("zero_center", True):
        return None
    matrix = _matrix(arguments)
    rows, n_vars = max(matrix.chunks[0]), matrix.shape[1]
    # The block as read, in double precision, and in its own.
    needed = 3 * rows * n_vars * np.dtype(np.float64).itemsize
    return _too_much(f"centring {rows} rows at once", needed, "open with a smaller chunk_rows")


def _too_much(what: str, needed: float, remedy: str) -> str | None:
    available = memory_per_thread()
    if needed <= available:
        return None
    return (
        f"{what} takes {format_bytes(int(needed))} of memory, and a thread has "
        f"{format_bytes(int(available))}: {remedy} or give workers more memory"
    )


def _genes_used(arguments: Arguments) -> int:
    """Count the genes that a call of pca works on."""
    _, genes = chosen_genes(_data(arguments), arguments.get("mask_var", MASK_NOT_GIVEN))
    return _matrix(arguments).shape[1] if genes is None else int(genes.sum())


def _kind(value: Any) -> str:
    kind = type(value)
    return f"a {kind.__module__.partition('.')[0]}.{kind.__qualname__}"


_ALWAYS: tuple[Condition, ...] = (
    _is_annotated,
    _has_layer,
    _is_lazy,
    _has_whole_rows,
    _has_known_blocks,
    _has_read_annotations,
    _is_not_on_cluster,
)
_OF_FUNCTION: Mapping[str, tuple[Condition, ...]] = {
    "pp.normalize_total": (_is_no_view,),
    "pp.log1p": (_is_no_view,),
    "pp.scale": (_is_no_view, _dense_block_fits),
    "pp.pca": (_solver_is_offered, _mask_fits, _products_fit),
    "pp.highly_variable_genes": (_flavor_is_offered,),
}
