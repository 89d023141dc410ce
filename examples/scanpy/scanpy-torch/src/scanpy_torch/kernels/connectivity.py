"""Weights for the edges between neighbours.

Both take the indices and distances of neighbours, points by neighbours, with the point itself
in the first column, and return a symmetric sparse matrix.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

#: How close the widths of UMAP's kernels come to their target, and how long they may take.
TOLERANCE = 1e-5
N_STEPS = 64

#: The smallest width, as a part of the mean distance.
SMALLEST_WIDTH = 1e-3


def umap(indices: Tensor, distances: Tensor) -> sparse.csr_matrix:
    """Weigh edges by the fuzzy union of what both ends see, as UMAP does.

    Every point sees its nearest neighbour at distance zero, and through a kernel so wide that
    the weights of its neighbours add up to ``log2(n_neighbors)``.
    """
    distances = distances.float().double()  # UMAP measures in single precision
    nearest = _nearest_apart(distances)
    beyond = (distances[:, 1:] - nearest[:, None]).float().double().clamp(min=0)
    widths = _widths(beyond, math.log2(distances.shape[1]))
    widths = torch.maximum(widths, SMALLEST_WIDTH * distances.mean(1))
    one_way = edges(indices[:, 1:], torch.exp(-beyond / widths[:, None]).float())
    both_ways = one_way.multiply(one_way.T)
    return _clean(one_way + one_way.T - both_ways)


def gauss(indices: Tensor, distances: Tensor) -> sparse.csr_matrix:
    """Weigh edges by a Gaussian as wide as the neighbourhoods of both its ends."""
    squares = distances[:, 1:].square()
    widths = _median(squares)
    others = widths[indices[:, 1:]]
    sums = widths[:, None] + others
    scale = torch.sqrt(2 * torch.sqrt(widths[:, None] * others) / sums)
    weights = edges(indices[:, 1:], scale * torch.exp(-squares / sums))
    return _clean(weights.maximum(weights.T))


def _nearest_apart(distances: Tensor) -> Tensor:
    """Return the smallest distance above zero, or zero where there is none."""
    apart = distances.where(distances > 0, torch.inf).amin(1)
    return apart.where(apart.isfinite(), 0.0)


def _widths(beyond: Tensor, target: float) -> Tensor:
    """Find by bisection the widths at which the weights of every row add up to the target."""
    low = torch.zeros_like(beyond[:, 0])
    high = torch.full_like(low, torch.inf)
    width = torch.ones_like(low)
    for _ in range(N_STEPS):
        excess = torch.exp(-beyond / width[:, None]).sum(1) - target
        if (open_ := excess.abs() >= TOLERANCE).logical_not().all():
            break
        high = width.where(open_ & (excess > 0), high)
        low = width.where(open_ & (excess <= 0), low)
        middle = torch.where(high.isinf(), 2 * width, (low + high) / 2)
        width = middle.where(open_, width)
    return width


def _median(ordered: Tensor) -> Tensor:
    """Return the median of every row of numbers in ascending order."""
    length = ordered.shape[1]
    return (ordered[:, (length - 1) // 2] + ordered[:, length // 2]) / 2


def edges(indices: Tensor, values: Tensor) -> sparse.csr_matrix:
    """Return a graph with an edge from every point to each of its neighbours, in their order."""
    starts = np.arange(0, indices.numel() + 1, indices.shape[1])
    parts = (part.cpu().numpy().ravel() for part in (values, indices))
    return sparse.csr_matrix((*parts, starts), (len(indices),) * 2)


def _clean(weights) -> sparse.csr_matrix:
    weights = weights.tocsr()
    weights.eliminate_zeros()
    return weights
