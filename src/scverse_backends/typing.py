"""Types of what the decorators give back, for annotations and type checkers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, Protocol, TypeVar, overload

__all__ = ["Dispatched", "DispatchedBy", "Labels"]

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)

Labels = str | Sequence[str]
"""One label, or several in order of preference."""


class Dispatched(Protocol[P, R_co]):
    """A decorated function: the host's own parameters, or any with ``backend=``."""

    __name__: str
    __qualname__: str
    __wrapped__: Callable[..., Any]

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
    @overload
    def __call__(self, *args: Any, backend: Labels | None, **kwargs: Any) -> R_co: ...


class DispatchedBy(Protocol[P, R_co]):
    """A decorated function whose selector has a name of its own, which no type can say.

    So any arguments are accepted.
    """

    __name__: str
    __qualname__: str
    __wrapped__: Callable[..., Any]

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
    @overload
    def __call__(self, *args: Any, **kwargs: Any) -> R_co: ...
