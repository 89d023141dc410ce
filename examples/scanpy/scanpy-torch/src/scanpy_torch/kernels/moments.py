"""Means and variances of the columns of a matrix, group of rows by group of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from .device import to_tensor
from .matrix import Dense, Sparse


@dataclass(frozen=True)
class Moments:
    """Counts, means and sums of squared deviations: one row a group, one column a gene."""

    counts: np.ndarray
    means: np.ndarray
    squares: np.ndarray

    @property
    def variances(self) -> np.ndarray:
        """Unbiased variances; those of a single row are zero."""
        return self.squares / np.maximum(self.counts - 1, 1)[:, None]

    def pool(self, chosen: np.ndarray) -> Moments:
        """Return the moments of the union of some groups, as a single group.

        They are added up from the groups' own, never by taking the others away from a total,
        so that what is zero in every group is exactly zero in the union.
        """
        weights = self.counts[chosen][:, None]
        count = weights.sum()
        means = (weights * self.means[chosen]).sum(0) / max(count, 1)
        between = (weights * (self.means[chosen] - means) ** 2).sum(0)
        squares = self.squares[chosen].sum(0) + between
        return Moments(np.array([count]), means[None], squares[None])


def group_moments(matrix: Dense | Sparse, groups: np.ndarray, n_groups: int) -> Moments:
    """Return the moments of every group.

    Deviations are taken from the mean in a second pass, which loses no digits where a mean is
    large beside its spread.

    Parameters
    ----------
    matrix
        Cells by genes.
    groups
        The group of every row, from 0.
    n_groups
        How many groups there are.

    Returns
    -------
    Moments
        In double precision.

    Examples
    --------
    >>> from scanpy_torch.kernels.matrix import load
    >>> matrix = load(np.array([[1.0], [3.0], [5.0]]), "cpu")
    >>> moments = group_moments(matrix, np.array([0, 0, 1]), 2)
    >>> moments.means.ravel()
    array([2., 5.])
    >>> moments.variances.ravel()
    array([2., 0.])
    """
    values = matrix.values.double()
    groups = to_tensor(groups, values.device).long()
    counts = torch.bincount(groups, minlength=n_groups).double()
    means = matrix.group_sums(values, groups, n_groups) / counts.clamp(min=1)[:, None]
    deviations = values - matrix.by_group(means, groups)
    squares = matrix.group_sums(deviations.square_(), groups, n_groups)
    squares += matrix.zeros_left_out(counts, groups) * means**2
    return Moments(*(part.cpu().numpy() for part in (counts, means, squares)))


def group_nonzeros(matrix: Dense | Sparse, groups: np.ndarray, n_groups: int) -> np.ndarray:
    """Count the values that are not zero, in every group and column."""
    groups = to_tensor(groups, matrix.values.device).long()
    return matrix.group_sums(matrix.values != 0, groups, n_groups).cpu().numpy()
