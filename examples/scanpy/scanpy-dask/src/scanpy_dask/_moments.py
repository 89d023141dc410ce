"""Mean and variance of every gene."""

from collections.abc import Callable
from functools import partial

import dask.array as da
import numpy as np

from ._blocks import Block, column_square_sums, column_sums, on_values
from ._passes import summed

# How much of a squared mean a difference of sums in double precision may be wrong by.
_ROUNDING = 1e-13


def mean_and_variance(
    matrix: da.Array,
    of: Callable[[np.ndarray], np.ndarray] | None = None,
    *,
    show_progress_bar: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Give mean and unbiased variance in one pass, of `of` each value where that is given."""
    n_obs = matrix.shape[0]
    totals, squares = summed(
        matrix, partial(_block_moments, of=of), show_progress_bar=show_progress_bar
    )
    mean = totals / n_obs
    variance = squares / n_obs - mean**2
    # Rounding leaves a gene that does not vary with slightly more or less than nothing.
    variance[variance < _ROUNDING * mean**2] = 0
    return mean, variance * n_obs / max(n_obs - 1, 1)


def _block_moments(
    block: Block, *, of: Callable[[np.ndarray], np.ndarray] | None
) -> tuple[np.ndarray, np.ndarray]:
    block = block if of is None else on_values(block, of)
    return column_sums(block), column_square_sums(block)
