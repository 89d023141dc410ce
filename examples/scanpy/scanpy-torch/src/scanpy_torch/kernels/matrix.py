"""A matrix on a device, dense or sparse, with the same verbs for both.

``values`` are the numbers that are stored: all of them, or the non-zero ones. Arithmetic is done
on ``values``; `by_row` and `by_column` lay a vector alongside them, and `row_sums`,
`column_sums` and `group_sums` add them up again, always in double precision.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from scanpy_torch.annotated import readable

from .device import choose_device, to_tensor


@dataclass(frozen=True)
class Dense:
    """A matrix that stores every number."""

    values: Tensor

    def by_row(self, per_row: Tensor) -> Tensor:
        return per_row[:, None]

    def by_column(self, per_column: Tensor) -> Tensor:
        return per_column[None, :]

    def by_group(self, table: Tensor, groups: Tensor) -> Tensor:
        return table[groups]

    def row_sums(self, values: Tensor) -> Tensor:
        return values.sum(1, dtype=torch.float64)

    def column_sums(self, values: Tensor) -> Tensor:
        return values.sum(0, dtype=torch.float64)

    def group_sums(self, values: Tensor, groups: Tensor, n_groups: int) -> Tensor:
        return _added(n_groups, groups, values)

    def zeros_left_out(self, counts: Tensor, groups: Tensor) -> Tensor:
        return torch.zeros_like(counts)[:, None]


@dataclass(frozen=True)
class Sparse:
    """A matrix that stores some numbers, and where they are."""

    values: Tensor
    rows: Tensor
    columns: Tensor
    shape: tuple[int, int]

    def by_row(self, per_row: Tensor) -> Tensor:
        return per_row[self.rows]

    def by_column(self, per_column: Tensor) -> Tensor:
        return per_column[self.columns]

    def by_group(self, table: Tensor, groups: Tensor) -> Tensor:
        return table[groups[self.rows], self.columns]

    def row_sums(self, values: Tensor) -> Tensor:
        return _added(self.shape[0], self.rows, values)

    def column_sums(self, values: Tensor) -> Tensor:
        return _added(self.shape[1], self.columns, values)

    def group_sums(self, values: Tensor, groups: Tensor, n_groups: int) -> Tensor:
        slots = groups[self.rows] * self.shape[1] + self.columns
        return _added(n_groups * self.shape[1], slots, values).view(n_groups, self.shape[1])

    def zeros_left_out(self, counts: Tensor, groups: Tensor) -> Tensor:
        stored = self.group_sums(torch.ones_like(self.values), groups, len(counts))
        return counts[:, None] - stored


def load(x, device: str | torch.device | None) -> Dense | Sparse:
    """Return a NumPy array or a SciPy matrix on a device.

    Parameters
    ----------
    x
        A NumPy array, CSR or CSC.
    device
        Where to; ``None`` chooses.

    Returns
    -------
    Dense or Sparse

    Raises
    ------
    TypeError
        If ``x`` is something else.
    ValueError
        If the device is not here.

    Examples
    --------
    >>> import numpy as np
    >>> matrix = load(np.array([[1.0, 2.0], [0.0, 4.0]]), "cpu")
    >>> matrix.row_sums(matrix.values)
    tensor([3., 4.], dtype=torch.float64)
    """
    device = choose_device(device)
    if isinstance(readable(x), np.ndarray):
        return Dense(to_tensor(x, device))
    lengths = to_tensor(np.diff(x.indptr), device).long()
    major = torch.repeat_interleave(torch.arange(len(lengths), device=device), lengths)
    minor = to_tensor(x.indices, device).long()
    rows, columns = (major, minor) if x.format == "csr" else (minor, major)
    return Sparse(to_tensor(x.data, device), rows, columns, x.shape)


def unload(values: Tensor, like):
    """Return values as an array, or as a matrix that is sparse where ``like`` is."""
    array = values.cpu().numpy()
    if not sparse.issparse(like):
        return array
    result = like.copy()
    result.data = array
    return result


def _added(length: int, slots: Tensor, values: Tensor) -> Tensor:
    totals = torch.zeros(length, *values.shape[1:], dtype=torch.float64, device=values.device)
    return totals.index_add_(0, slots, values.double())
