"""Arithmetic on one block of rows: an array, or a sparse matrix in CSR format."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import DTypeLike
from scipy import sparse

Block: TypeAlias = np.ndarray | sparse.csr_matrix | sparse.csr_array


def as_csr(block: Block) -> sparse.csr_matrix | sparse.csr_array:
    """Leave out the zeros."""
    if not sparse.issparse(block):
        return sparse.csr_matrix(block)
    if np.all(block.data):
        return block
    compact = block.copy()
    compact.eliminate_zeros()
    return compact


def as_dense(block: Block, dtype: DTypeLike) -> np.ndarray:
    """Write out the zeros, into an array of its own."""
    values = block.toarray() if sparse.issparse(block) else block
    return values.astype(dtype, copy=values is block)


def row_sums(block: Block) -> np.ndarray:
    """Sum the genes of each cell, in double precision."""
    return np.asarray(block.sum(axis=1, dtype=np.float64)).ravel()


def column_sums(block: Block) -> np.ndarray:
    """Sum the cells of each gene, in double precision."""
    return np.asarray(block.sum(axis=0, dtype=np.float64)).ravel()


def column_square_sums(block: Block) -> np.ndarray:
    """Sum the squares of each gene, in double precision."""
    if not sparse.issparse(block):
        return np.einsum("ij,ij->j", block, block, dtype=np.float64)
    squares = np.square(block.data, dtype=np.float64)
    return np.bincount(block.indices, weights=squares, minlength=block.shape[1])


def on_values(block: Block, function: Callable[[np.ndarray], np.ndarray]) -> Block:
    """Apply a function that maps zero to zero."""
    return _with_data(block, function(block.data)) if sparse.issparse(block) else function(block)


def divide_rows(block: Block, divisors: np.ndarray) -> Block:
    """Divide each cell by a number of its own."""
    if not sparse.issparse(block):
        return block / divisors[:, None]
    return _with_data(block, block.data / np.repeat(divisors, np.diff(block.indptr)))


def divide_columns(block: Block, divisors: np.ndarray) -> Block:
    """Divide each gene by a number of its own."""
    if not sparse.issparse(block):
        return block / divisors
    return _with_data(block, block.data / divisors[block.indices])


def row_ids(block: sparse.csr_matrix | sparse.csr_array) -> np.ndarray:
    """Say for every stored value which row it is in."""
    return np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))


def _with_data(block: Block, data: np.ndarray) -> Block:
    return type(block)((data, block.indices, block.indptr), shape=block.shape)
