"""The function that backends may run."""

from __future__ import annotations

from collections.abc import Iterable

from ._backends import dispatcher


@dispatcher.backend_dispatch
def scale(values: Iterable[float], factor: float = 1.0) -> list[float]:
    """Multiply every value by a factor.

    Parameters
    ----------
    values
        Numbers.
    factor
        What to multiply them by.

    Returns
    -------
    list of float
        The products.

    Examples
    --------
    >>> import cellhost
    >>> cellhost.scale([1, 2], 10)
    [10, 20]
    """
    return [value * factor for value in values]
