"""Types of what the decorators give back, for annotations and type checkers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

__all__ = ["Dispatched", "DispatchedBy", "Labels"]

P = ParamSpec("P")
Q = ParamSpec("Q")
T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)

Labels = str | Sequence[str]
"""One label, or several in order of preference."""


class Dispatched(Protocol[P, R_co]):
    """A decorated function: the host's own parameters, or any with ``backend=``.

    In the body of a class, it is a method: it binds to the first of its parameters. Of the class
    itself it takes any arguments, as nothing tells here whether it is a class method.
    """

    __name__: str
    __qualname__: str
    __wrapped__: Callable[..., Any]

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
    @overload
    def __call__(self, *args: Any, backend: Labels | None, **kwargs: Any) -> R_co: ...
    @overload
    def __get__(self, instance: None, owner: type[Any]) -> DispatchedBy[P, R_co]: ...
    @overload
    def __get__(
        self: Dispatched[Concatenate[Any, Q], T], instance: object, owner: type[Any] | None = None
    ) -> Dispatched[Q, T]: ...


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
    @overload
    def __get__(self, instance: None, owner: type[Any]) -> DispatchedBy[P, R_co]: ...
    @overload
    def __get__(
        self: DispatchedBy[Concatenate[Any, Q], T], instance: object, owner: type[Any] | None = None
    ) -> DispatchedBy[Q, T]: ...
