"""Groups of cells, and what each is compared with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Grouping:
    """The group of every cell as a number, and the numbers of the groups to rank."""

    codes: np.ndarray
    n_groups: int
    names: tuple[str, ...]
    numbers: tuple[int, ...]
    reference: int | None

    def others(self, number: int) -> np.ndarray:
        """Return, as a mask of groups, what a group is compared with."""
        groups = np.arange(self.n_groups)
        return groups != number if self.reference is None else groups == self.reference


def group(labels: pd.Series, groups: str | Iterable[str], reference: str) -> Grouping:
    """Return the groups of cells by their labels.

    Parameters
    ----------
    labels
        The label of every cell, as categories.
    groups
        The groups to rank, or ``'all'``.
    reference
        The group to compare with, or ``'rest'``.

    Returns
    -------
    Grouping

    Raises
    ------
    ValueError
        If a group is unknown, or too small to have a variance.

    Examples
    --------
    >>> labels = pd.Series(["a", "b", "a", "b"], dtype="category")
    >>> group(labels, "all", "rest").names
    ('a', 'b')
    """
    categories = labels.cat.categories
    chosen = _chosen(categories, groups, reference)
    numbers = categories.get_indexer(chosen)
    # Cells without a group are one more group: nobody's own, and part of every rest.
    codes = labels.cat.codes.to_numpy().astype(np.int64)
    codes[codes < 0] = len(categories)
    sizes = np.bincount(codes, minlength=len(categories) + 1)
    if small := [name for name, size in zip(chosen, sizes[numbers], strict=True) if size <= 1]:
        msg = f"Groups {small} have fewer than two cells, so they have no variance. Leave them out."
        raise ValueError(msg)
    against = None if reference == "rest" else categories.get_loc(reference)
    names = tuple(map(str, chosen))
    return Grouping(codes, len(sizes), names, tuple(numbers.tolist()), against)


def _chosen(categories: pd.Index, groups, reference: str) -> list:
    if isinstance(groups, str) and groups == "all":
        chosen = list(categories)
    elif isinstance(groups, str | int):
        msg = f"groups={groups!r} is a single value. Pass a list of groups."
        raise ValueError(msg)
    else:
        chosen = [str(group) if isinstance(group, int) else group for group in groups]
    if reference != "rest" and reference not in chosen:
        chosen.append(reference)
    if unknown := [group for group in chosen if group not in categories]:
        msg = f"There are no groups {unknown}. There are {list(categories)}."
        raise ValueError(msg)
    return chosen
