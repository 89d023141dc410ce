"""The matrix of a dataset: found, transformed block by block, and put back."""

from collections.abc import Callable

import dask.array as da
import numpy as np
from anndata import AnnData
from dask.array.utils import meta_from_array
from numpy.typing import DTypeLike, NDArray
from scipy import sparse

from ._blocks import Block


def matrix_of(adata: AnnData, layer: str | None) -> da.Array:
    """Give ``X``, or the layer that was named."""
    return adata.X if layer is None else adata.layers[layer]


def put_matrix(adata: AnnData, matrix: da.Array, layer: str | None) -> None:
    """Put a matrix where `matrix_of` found it."""
    if layer is None:
        adata.X = matrix
    else:
        adata.layers[layer] = matrix


def keep_cells(adata: AnnData, kept: NDArray[np.bool_]) -> None:
    """Drop the other cells from the dataset that the caller holds."""
    # AnnData has no public way to do so in place.
    _keep(adata, adata._inplace_subset_obs, rows_of, kept)  # noqa: SLF001


def keep_genes(adata: AnnData, kept: NDArray[np.bool_]) -> None:
    """Drop the other genes from the dataset that the caller holds."""
    _keep(adata, adata._inplace_subset_var, columns_of, kept)  # noqa: SLF001


def _keep(
    adata: AnnData,
    subset: Callable[[NDArray[np.bool_]], None],
    part_of: Callable[[da.Array, NDArray[np.bool_]], da.Array],
    kept: NDArray[np.bool_],
) -> None:
    matrices = {None: adata.X} | dict(adata.layers)
    subset(kept)
    for layer, matrix in matrices.items():
        if isinstance(matrix, da.Array) and has_whole_rows(matrix):
            put_matrix(adata, part_of(matrix, kept), layer)


def has_whole_rows(matrix: da.Array) -> bool:
    """Say whether every block has all genes of its cells."""
    return matrix.numblocks[1] == 1


def rows_of(matrix: da.Array, kept: NDArray[np.bool_]) -> da.Array:
    """Drop the other rows, and let every block stay a block.

    Indexing would join what is left of neighbours, and each of them would be read for two.
    """
    marks = da.from_array(kept[:, np.newaxis], chunks=(matrix.chunks[0], 1))
    parts = np.split(kept, np.cumsum(matrix.chunks[0])[:-1])
    return matrix.map_blocks(
        lambda block, kept: block[kept.ravel()],
        marks,
        chunks=(tuple(int(part.sum()) for part in parts), matrix.chunks[1]),
        dtype=matrix.dtype,
        meta=block_example(matrix),
    )


def columns_of(matrix: da.Array, kept: NDArray[np.bool_]) -> da.Array:
    """Drop the other columns of every block."""
    return matrix.map_blocks(
        lambda block: block[:, kept],
        chunks=(matrix.chunks[0], (int(kept.sum()),)),
        dtype=matrix.dtype,
        meta=block_example(matrix),
    )


def block_example(matrix: da.Array) -> Block:
    """Give an empty block of the kind and type that the matrix consists of."""
    return meta_from_array(matrix)


def float_type(matrix: da.Array, otherwise: DTypeLike) -> np.dtype:
    """Keep the precision of floating-point numbers; choose it for counts."""
    return matrix.dtype if np.issubdtype(matrix.dtype, np.floating) else np.dtype(otherwise)


def transformed(
    matrix: da.Array,
    function: Callable[[Block], Block],
    *,
    dtype: DTypeLike,
    dense: bool = False,
) -> da.Array:
    """Apply a function to every block once a computation asks for it."""
    example = block_example(matrix)
    if dense or not sparse.issparse(example):
        example = np.empty((0, 0))
    return matrix.map_blocks(function, dtype=dtype, meta=example.astype(dtype))
