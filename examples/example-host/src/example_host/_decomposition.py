"""Describe many columns by a few."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import table
from ._backends import backend_dispatch

FloatArray = NDArray[np.float64]


@backend_dispatch
def pca(
    data: ArrayLike,
    n_components: int = 20,
    *,
    solver: Literal["exact", "randomized"] = "exact",
    random_state: int | None = 0,
) -> FloatArray:
    """Project the rows on the directions along which they vary most.

    A direction and its opposite explain the data equally well. Here each points to where its
    largest coefficient is positive, so that the signs mean something and can be compared.

    Parameters
    ----------
    data
        One row per sample.
    n_components
        How many directions to keep.
    solver
        ``"exact"`` decomposes the whole table, ``"randomized"`` a random sketch of it.
    random_state
        Seed of the sketch. The exact solver has no use for it.

    Returns
    -------
    numpy.ndarray
        Coordinates of each row, the most telling direction first.

    Raises
    ------
    ValueError
        If the table has no `n_components` directions, or `solver` is unknown.

    Examples
    --------
    >>> import example_host as eh
    >>> eh.pca([[0, 0], [1, 2], [2, 4]], n_components=1).round(3)
    array([[-2.236],
           [ 0.   ],
           [ 2.236]])
    """
    values = table(data)
    if not 1 <= n_components <= min(values.shape):
        raise ValueError(
            f"n_components={n_components} must lie between 1 and {min(values.shape)}, "
            "the smaller side of the table"
        )
    centered = values - values.mean(axis=0)
    directions = _directions(centered, n_components, solver, random_state)
    return centered @ _with_fixed_signs(directions).T


def _directions(
    centered: FloatArray, n_components: int, solver: str, random_state: int | None
) -> FloatArray:
    if solver == "exact":
        return np.linalg.svd(centered, full_matrices=False)[2][:n_components]
    if solver == "randomized":
        basis = _sketch(centered, n_components, np.random.default_rng(random_state))
        return np.linalg.svd(basis.T @ centered, full_matrices=False)[2][:n_components]
    raise ValueError(f"solver={solver!r} is unknown; choose 'exact' or 'randomized'")


def _sketch(centered: FloatArray, n_components: int, rng: np.random.Generator) -> FloatArray:
    # Ten directions to spare and four power iterations separate close singular values.
    width = min(n_components + 10, *centered.shape)
    basis = np.linalg.qr(centered @ rng.standard_normal((centered.shape[1], width)))[0]
    for _ in range(4):
        basis = np.linalg.qr(centered @ np.linalg.qr(centered.T @ basis)[0])[0]
    return basis


def _with_fixed_signs(directions: FloatArray) -> FloatArray:
    largest = np.abs(directions).argmax(axis=1)
    return directions * np.sign(directions[np.arange(len(directions)), largest])[:, np.newaxis]
