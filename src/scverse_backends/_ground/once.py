"""Once: parts that are made when they are first needed, so that importing a host stays cheap.

Unlike `functools.cached_property`, whatever number of threads ask first get
one and the same part: what is counted in one part must not be asked of another.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_making = RLock()


class once(Generic[T]):  # noqa: N801 - a decorator, like property
    """Turn a method into an attribute that is made when it is first asked for."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> T:
        with _making:
            # The instance's own attribute comes before this one, from the next look on.
            if self._name not in instance.__dict__:
                instance.__dict__[self._name] = self._make(instance)
        return instance.__dict__[self._name]  # type: ignore[no-any-return]
