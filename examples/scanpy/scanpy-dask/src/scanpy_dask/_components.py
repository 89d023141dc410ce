"""Principal components, from the products of the genes.

Workers import this module, and so it leaves scanpy alone, which takes memory that data could use.
"""

from dataclasses import dataclass
from functools import partial

import dask.array as da
import numpy as np
from numpy.typing import DTypeLike
from scipy import linalg

from ._blocks import Block, column_sums
from ._passes import stacked, summed


@dataclass(frozen=True)
class Components:
    """Directions, one a row, and the point that they start from."""

    loadings: np.ndarray
    origin: np.ndarray
    variance: np.ndarray
    variance_ratio: np.ndarray

    def of_cells(
        self, matrix: da.Array, *, dtype: DTypeLike, show_progress_bar: bool
    ) -> np.ndarray:
        """Project every cell."""
        project = partial(_projected, components=self, dtype=np.dtype(dtype))
        return stacked(matrix, project, show_progress_bar=show_progress_bar)


def principal_components(
    matrix: da.Array, n_comps: int, *, zero_center: bool, show_progress_bar: bool
) -> Components:
    n_obs, n_vars = matrix.shape
    totals, products = summed(matrix, _products, show_progress_bar=show_progress_bar)
    mean = totals / n_obs
    centered = products - n_obs * np.outer(mean, mean)
    _, vectors = linalg.eigh(
        centered if zero_center else products, subset_by_index=[n_vars - n_comps, n_vars - 1]
    )
    loadings = _turned(vectors[:, ::-1].T)
    # Without centring, a component's variance is that of its cells and no longer an eigenvalue,
    # and scikit-learn, whose convention scanpy hands on, divides by all cells.
    free = n_obs - 1 if zero_center else n_obs
    variance = np.einsum("ij,jk,ik->i", loadings, centered, loadings, optimize=True) / free
    return Components(
        loadings=loadings,
        origin=mean if zero_center else np.zeros(n_vars),
        variance=variance,
        variance_ratio=variance * free / np.trace(centered),
    )


def _products(block: Block) -> tuple[np.ndarray, np.ndarray]:
    """Sum each gene, and the products of each pair of genes, in double precision."""
    exact = block.astype(np.float64, copy=False)
    products = exact.T @ exact
    return column_sums(exact), products if isinstance(block, np.ndarray) else products.toarray()


def _turned(loadings: np.ndarray) -> np.ndarray:
    """Make the largest loading of each component positive, which settles its sign."""
    largest = np.abs(loadings).argmax(axis=1)
    return loadings * np.sign(loadings[np.arange(len(loadings)), largest])[:, None]


def _projected(block: Block, *, components: Components, dtype: np.dtype) -> np.ndarray:
    directions = components.loadings.T
    return (block @ directions - components.origin @ directions).astype(dtype)
