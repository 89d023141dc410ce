"""Bound: what runs under a snapshot wherever it is called, and pickles with it."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from contextvars import ContextVar
from functools import update_wrapper
from operator import attrgetter
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, cast

from scverse_backends._backends.loading import import_reference
from scverse_backends._ground.callables import is_coroutine_function
from scverse_backends._ground.safe_repr import attempt

from .blocks import is_public, run_within

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

_open: ContextVar[tuple[ExitStack, Any] | None] = ContextVar("followed_snapshots", default=None)
"""What the calls of followed work have entered, the innermost first."""


class FollowedSnapshot:
    """A snapshot together with the traces that were on where it was bound; pickles.

    Many calls may be inside it at once, so what each has entered is kept in its context.
    """

    def __init__(self, snapshot: AbstractContextManager[None], traces: tuple[Any, ...]) -> None:
        self._snapshot = snapshot
        self._traces = traces

    def __enter__(self) -> None:
        with ExitStack() as entered:
            entered.enter_context(self._snapshot)
            for trace in self._traces:
                entered.enter_context(trace.around_call())
            _open.set((entered.pop_all(), _open.get()))

    def __exit__(self, *error: object) -> None:
        entered, outer = cast("tuple[Any, Any]", _open.get())
        _open.set(outer)
        entered.__exit__(*error)

    def __repr__(self) -> str:
        return f"{self._snapshot!r}, traced"

    def __reduce__(self) -> tuple[Any, ...]:
        return FollowedSnapshot, (self._snapshot, self._traces)


def bind(snapshot: AbstractContextManager[None], func: Any) -> Any:
    """Wrap something callable; a plain function becomes one, unless pickle needs more than that."""
    if not callable(func):
        msg = f"bind needs something that can be called, not {func!r}"
        raise TypeError(msg)
    inside = run_within(snapshot, func, "bind cannot run inside a block")
    if type(func) is FunctionType and not _is_importable(func):
        return inside
    return Bound(snapshot, func, inside)


def _is_importable(func: Any) -> bool:
    """Whether a function is what pickle finds under its name."""
    found = attrgetter(func.__qualname__)
    return attempt(lambda: found(sys.modules[func.__module__]) is func, lambda _: False)


class Bound:
    """Runs something inside a snapshot wherever it is called, and pickles with it.

    A plain function pickles by its name, and under that name pickle would find
    what is wrapped. So this is an object, with what `inspect` asks of functions.
    """

    __slots__ = ("__dict__", "__weakref__", "_inside", "_snapshot")

    def __init__(
        self,
        snapshot: AbstractContextManager[None],
        func: Callable[..., Any],
        inside: FunctionType,
    ) -> None:
        self._snapshot = snapshot
        self._inside = inside
        update_wrapper(self, inside)
        # Annotated here: Python 3.14 would take annotations of the class for the function's.
        self.__wrapped__: Callable[..., Any] = func

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inside, name)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self._inside(*args, **kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Be a method where a function would be one."""
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<{self.__wrapped__!r} under {self._snapshot!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        func: Any = self.__wrapped__
        if not is_public(func) or func.__module__ == "__main__" or not _is_importable(func):
            return bind, (self._snapshot, func)
        absent = AbsentCoroutineFunction if is_coroutine_function(func) else AbsentFunction
        return _restore, (self._snapshot, f"{func.__module__}:{func.__qualname__}", absent)


def _restore(
    snapshot: AbstractContextManager[None], reference: str, absent: type[AbsentFunction]
) -> Any:
    """Unpickle what was bound of a host.

    An error here would end a worker process, or keep its caller waiting. So
    the first call says that the host is missing.
    """
    func = attempt(lambda: import_reference(reference), lambda _: absent(reference))
    return bind(snapshot, func)


class AbsentFunction:
    """Stands for a function of a host that cannot be imported; calling it says so."""

    def __init__(self, reference: str) -> None:
        self._reference = reference

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return import_reference(self._reference)(*args, **kwargs)


class AbsentCoroutineFunction(AbsentFunction):
    """The same, of a coroutine function."""

    async def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return await import_reference(self._reference)(*args, **kwargs)
