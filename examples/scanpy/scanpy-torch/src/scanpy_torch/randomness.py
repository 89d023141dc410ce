"""Drawing the random numbers that scanpy would draw."""

from __future__ import annotations

import numpy as np


def generator(random_state: int | np.random.RandomState | None):
    """Return a source of random numbers with the methods of a ``RandomState``.

    Parameters
    ----------
    random_state
        A seed, a generator, or ``None`` for NumPy's global one.

    Returns
    -------
    RandomState or module
        For ``None`` the module ``numpy.random``, whose functions are the global generator's.

    Examples
    --------
    >>> generator(0).randint(10)
    5
    """
    if random_state is None:
        return np.random
    if isinstance(random_state, np.random.RandomState):
        return random_state
    return np.random.RandomState(random_state)
