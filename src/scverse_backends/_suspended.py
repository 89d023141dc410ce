"""Suspended work: coroutines and generators, which run between their caller's lines.

What was decided when they were called holds whenever they run, and at no
other time.
"""

from __future__ import annotations

import inspect
from contextlib import contextmanager, suppress
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ._routing import Route
    from ._selection import Selection, SelectionState


class Hold:
    """What was decided for one call: the selection it names itself, and the route it takes."""

    def __init__(self, state: SelectionState, own: Selection | None, route: Route | None) -> None:
        self._state = state
        self._own = own
        self._entered = () if route is None else (route,)

    @contextmanager
    def _inside(self) -> Generator[None]:
        inside, owner = self._state.inside, object()
        token = inside.set((*inside.get(), *self._entered))
        if self._own is not None:
            self._state.push(self._own, owner)
        try:
            yield
        finally:
            self._state.pop(owner)
            # Suspended work that is thrown away may be closed in another context than it ran in.
            with suppress(ValueError):
                inside.reset(token)

    async def awaited(self, work: Callable[[], Any]) -> Any:
        """Run a coroutine function's work; a plain implementation's result is given as it is."""
        with self._inside():
            result = work()
            return await result if inspect.isawaitable(result) else result

    def iterated(self, work: Callable[[], Any]) -> Generator[Any, Any, Any]:
        """Run a generator function's work, each step of it held."""
        with self._inside():
            steps = iter(work())
        step: Callable[[], Any] = partial(next, steps)
        while True:
            try:
                with self._inside():
                    item = step()
            except StopIteration as end:
                return end.value
            try:
                sent = yield item
                step = partial(next, steps) if sent is None else partial(steps.send, sent)
            except GeneratorExit:
                with self._inside():
                    steps.close()
                raise
            except BaseException as error:  # noqa: BLE001 - what is thrown in is passed on in
                step = partial(steps.throw, error)


def named(work: Any, func: Any) -> Any:
    """Show a coroutine or generator as a function's own, as in "was never awaited"."""
    work.__name__, work.__qualname__ = func.__name__, func.__qualname__
    return work


def is_written_async(func: Any) -> bool:
    """Whether calling a function runs none of its code, and gives a coroutine that does."""
    return type(func) is FunctionType and bool(func.__code__.co_flags & inspect.CO_COROUTINE)


def _flag_as_coroutine_function(func: Any) -> None:
    """Set the flag that `inspect` reads, and that nothing reads which runs code."""
    flags = func.__code__.co_flags | inspect.CO_COROUTINE
    func.__code__ = func.__code__.replace(co_flags=flags)


# Python 3.11 has no mark for a plain function that returns a coroutine.
mark_as_coroutine_function: Callable[[Any], object] = getattr(
    inspect, "markcoroutinefunction", _flag_as_coroutine_function
)
