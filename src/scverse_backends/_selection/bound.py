"""Bound functions: what applies a block around each call, and can be pickled."""

from __future__ import annotations

from functools import update_wrapper
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from scverse_backends._backends.loading import import_reference
from scverse_backends._ground.callables import is_coroutine_function

from .blocks import DISPATCH, Within, is_public, refuse_generator_function

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


def bind(block: AbstractContextManager[None], func: Any) -> Bound:
    """Make a callable that runs a function inside a block.

    Raises
    ------
    TypeError
        If it is a generator function, or cannot be called at all.
    """
    if not callable(func):
        msg = f"bind needs something that can be called, not {func!r}"
        raise TypeError(msg)
    refuse_generator_function(func, "bind cannot run inside a block")
    return (AsyncBound if is_coroutine_function(func) else Bound)(block, func)


class Bound:
    """A function that runs inside a block, wherever it is called; made by `Snapshot.bind`."""

    __wrapped__: Callable[..., Any]

    def __init__(self, block: AbstractContextManager[None], func: Callable[..., Any]) -> None:
        # The namespace of a class or an object is its own, not metadata.
        update_wrapper(self, func, updated=("__dict__",) if type(func) is FunctionType else ())
        self._block = block
        considered = getattr(func, DISPATCH, None)
        if considered is not None:
            setattr(self, DISPATCH, Within(block, considered))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with self._block:
            return self.__wrapped__(*args, **kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Be a method where a function would be one."""
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<{self.__wrapped__!r} under {self._block!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self._block, _reference(self.__wrapped__) or self.__wrapped__)


class AsyncBound(Bound):
    """A bound coroutine function."""

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with self._block:
            return await self.__wrapped__(*args, **kwargs)

    # By these `inspect` takes it for the coroutine function that it is.
    __name__, __code__ = __call__.__name__, __call__.__code__
    __defaults__ = __kwdefaults__ = None


class Missing:
    """Stands for a host's function where the host is missing: whoever calls it is told."""

    def __init__(self, reference: str) -> None:
        self._reference = reference

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return import_reference(self._reference)(*args, **kwargs)


def _restore(
    kind: type[Bound], block: AbstractContextManager[None], func: Callable[..., Any] | str
) -> Bound:
    """Unpickle a bound function.

    An error here would end a worker process, or keep its caller waiting. So a
    host that is missing is told of by the first call.
    """
    if not isinstance(func, str):
        return kind(block, func)
    try:
        return kind(block, import_reference(func))
    except Exception:  # noqa: BLE001 - whatever a host raises
        return kind(block, Missing(func))


def _reference(func: Any) -> str | None:
    """Name a host's function for another process, as pickle would; ``None`` for any other."""
    if not is_public(func) or func.__module__ == "__main__" or "<locals>" in func.__qualname__:
        return None
    return f"{func.__module__}:{func.__qualname__}"
