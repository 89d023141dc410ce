"""Nearest neighbours by comparing every point with every other."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

#: How many distances are held at a time.
BLOCK_SIZE = 2**25


def nearest(points: Tensor, n_neighbors: int, metric: str, p: float) -> tuple[Tensor, Tensor]:
    """Return the neighbours of every point, nearest first, beginning with the point itself.

    Every metric is a Minkowski distance between points that were moved first and measured
    afterwards, in an order-preserving way: half the squared distance of unit vectors is their
    cosine distance.

    Parameters
    ----------
    points
        One point a row, in double precision.
    n_neighbors
        How many neighbours, the point itself included.
    metric
        The name of the distance.
    p
        The exponent of ``'minkowski'``.

    Returns
    -------
    tuple
        Indices and distances, both points by neighbours.

    Examples
    --------
    >>> indices, distances = nearest(torch.tensor([[0.0], [1.0], [3.0]]), 2, "euclidean", 2)
    >>> indices.tolist(), distances.tolist()
    ([[0, 1], [1, 0], [2, 1]], [[0.0, 1.0], [0.0, 1.0], [0.0, 2.0]])
    """
    prepare, exponent, finish = _recipe(metric, p)
    points = prepare(points)
    height = max(1, BLOCK_SIZE // max(len(points), n_neighbors * points.shape[1]))
    found = [
        _search(points, start, points[start : start + height], n_neighbors, exponent)
        for start in range(0, len(points), height)
    ]
    indices, distances = (torch.cat(parts) for parts in zip(*found, strict=True))
    return indices, finish(distances)


def _search(points: Tensor, start: int, block: Tensor, n_neighbors: int, p: float):
    rough = torch.cdist(block, points, p)
    rows = torch.arange(len(block), device=block.device)
    rough[rows, rows + start] = -1  # a point comes before its duplicates
    indices = rough.topk(n_neighbors, largest=False).indices
    # Distances by way of a matrix product lose digits between points that are close together.
    exact = torch.linalg.vector_norm(points[indices] - block[:, None], p, -1)
    exact, order = exact.sort(dim=1, stable=True)
    return indices.gather(1, order), exact


def _recipe(metric: str, p: float) -> tuple[Callable, float, Callable]:
    def centred(x: Tensor) -> Tensor:
        return x - x.mean(0)  # far from the origin, rough distances lose their digits

    def unchanged(x: Tensor) -> Tensor:
        return x

    def half_square(x: Tensor) -> Tensor:
        return x.square() / 2

    return {
        "minkowski": (centred, p, unchanged),
        "sqeuclidean": (centred, 2, torch.square),
        "cosine": (_unit, 2, half_square),
        "correlation": (_unit_deviations, 2, half_square),
        **dict.fromkeys(("manhattan", "cityblock", "l1"), (centred, 1, unchanged)),
        "chebyshev": (centred, torch.inf, unchanged),
    }.get(metric, (centred, 2, unchanged))


def _unit(points: Tensor) -> Tensor:
    """Scale points to length one; a zero becomes a direction of its own, far from all others."""
    lengths = torch.linalg.vector_norm(points, dim=1, keepdim=True)
    return torch.cat([points / lengths.where(lengths > 0, 1.0), (lengths == 0).double()], 1)


def _unit_deviations(points: Tensor) -> Tensor:
    return _unit(points - points.mean(1, keepdim=True))
