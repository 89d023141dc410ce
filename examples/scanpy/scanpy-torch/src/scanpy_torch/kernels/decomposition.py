"""The leading singular vectors of a matrix, centred or not."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, svds
from torch import Tensor

from scanpy_torch.randomness import generator

from .device import to_dense, to_tensor

#: Up to this many columns, their covariance is decomposed instead of the matrix itself.
COVARIANCE_LIMIT = 4096

#: How many numbers of the matrix are on the device at a time, in double precision.
BLOCK_SIZE = 2**25


@dataclass(frozen=True)
class Decomposition:
    """Coordinates (cells by components), loadings (components by genes) and their variances."""

    coordinates: np.ndarray
    loadings: np.ndarray
    variance: np.ndarray
    variance_ratio: np.ndarray


def decompose(
    x, n_comps: int, solver: str | None, center: bool, random_state, device: torch.device
) -> Decomposition:
    """Return the leading components of ``x``.

    Parameters
    ----------
    x
        Cells by genes: a NumPy array, CSR or CSC.
    n_comps
        How many components.
    solver
        ``'covariance_eigh'``, ``'arpack'`` or ``'full'``; anything else chooses by size.
    center
        Whether to take away the mean of every column.
    random_state
        The seed of ARPACK's start vector.
    device
        Where to compute.

    Returns
    -------
    Decomposition
        In double precision, but for ``x`` in single precision with all parts except the
        coordinates rounded to it.

    Examples
    --------
    >>> x = np.array([[0.0, 0.0], [3.0, 4.0]])
    >>> decompose(x, 1, "full", True, 0, torch.device("cpu")).loadings
    array([[0.6, 0.8]])
    """
    x = x if isinstance(x, np.ndarray) else x.tocsr()
    mean = sum(block.sum(0) for block in _blocks(x, device)) / x.shape[0]
    offset = mean if center else torch.zeros_like(mean)
    loadings = _upright(_solver(solver, x, random_state)(x, n_comps, offset))
    coordinates = torch.cat([(block - offset) @ loadings.T for block in _blocks(x, device)])
    lost = 1 if center else 0  # one degree of freedom, as scikit-learn counts in either case
    variance = coordinates.var(0, correction=lost)
    total = sum((block - mean).square().sum() for block in _blocks(x, device)) / (x.shape[0] - lost)
    parts = (loadings, variance, variance / total)
    kind = x.dtype if np.issubdtype(x.dtype, np.floating) else np.float64
    return Decomposition(coordinates.cpu().numpy(), *(p.cpu().numpy().astype(kind) for p in parts))


def covariance_eigh(x, n_comps: int, offset: Tensor) -> Tensor:
    """Decompose the covariance of the columns."""
    blocks = (block - offset for block in _blocks(x, offset.device))
    _, vectors = torch.linalg.eigh(sum(block.T @ block for block in blocks))
    return vectors.T.flip(0)[:n_comps]


def full(x, n_comps: int, offset: Tensor) -> Tensor:
    """Decompose the whole matrix, made dense."""
    _, _, vectors = torch.linalg.svd(to_dense(x, offset.device) - offset, full_matrices=False)
    return vectors[:n_comps]


def arpack(x, n_comps: int, offset: Tensor, *, random_state) -> Tensor:
    """Let ARPACK search for the vectors, and multiply for it on the device."""
    device = offset.device
    forward, backward = _factors(x, device)

    def multiply(vector):
        vector = to_tensor(vector.ravel(), device)
        return (forward @ vector - offset @ vector).cpu().numpy()

    def multiply_transposed(vector):
        vector = to_tensor(vector.ravel(), device)
        return (backward @ vector - offset * vector.sum()).cpu().numpy()

    operator = LinearOperator(x.shape, multiply, multiply_transposed, dtype=np.float64)
    start = generator(random_state).uniform(-1, 1, min(x.shape))
    _, _, vectors = svds(operator, k=n_comps, v0=start)
    return to_tensor(vectors[::-1].copy(), device)


def _solver(name: str | None, x, random_state) -> Callable[..., Tensor]:
    seeded = partial(arpack, random_state=random_state)
    solvers = {"covariance_eigh": covariance_eigh, "arpack": seeded, "full": full}
    by_size = covariance_eigh if x.shape[1] <= COVARIANCE_LIMIT else seeded
    return solvers.get(name, by_size)


def _blocks(x, device: torch.device) -> Iterator[Tensor]:
    """Cut the rows into pieces that fit on the device."""
    height = max(1, BLOCK_SIZE // x.shape[1])
    for top in range(0, x.shape[0], height):
        yield to_dense(x[top : top + height], device)


def _factors(x, device: torch.device) -> tuple[Tensor, Tensor]:
    if isinstance(x, np.ndarray):
        dense = to_dense(x, device)
        return dense, dense.T
    return _compressed(x, device), _compressed(x.T.tocsr(), device)


def _compressed(x: sparse.csr_matrix, device: torch.device) -> Tensor:
    parts = (to_tensor(part, device) for part in (x.indptr, x.indices, x.data.astype(np.float64)))
    with warnings.catch_warnings():
        # Products with vectors, all that is asked of it here, are the settled part of the format.
        warnings.filterwarnings("ignore", "Sparse CSR tensor support", UserWarning)
        return torch.sparse_csr_tensor(*parts, size=x.shape, check_invariants=False)


def _upright(vectors: Tensor) -> Tensor:
    """Turn every vector so that its largest entry is positive."""
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    return vectors * largest.sign()
