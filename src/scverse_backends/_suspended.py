"""Suspended work: coroutines and generators, which run between their caller's lines.

What was decided when they were called holds whenever they run, and at no
other time.
"""

from __future__ import annotations

import inspect
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextvars import Token

    from ._routing import Route
    from ._selection import Selection, SelectionState


class Hold:
    """What was decided for one call: the selection it names itself, and the route it takes."""

    def __init__(self, state: SelectionState, own: Selection | None, route: Route | None) -> None:
        self._state = state
        self._own = own
        self._entered = () if route is None else (route,)

    async def awaited(self, work: Callable[[], Any]) -> Any:
        """Run a coroutine function's work; a plain implementation's result is given as it is."""
        token = self._enter()
        try:
            result = work()
            return await result if inspect.isawaitable(result) else result
        finally:
            self._state.pop(self)
            # A coroutine that is thrown away may be closed in another context than it ran in.
            with suppress(ValueError):
                self._state.inside.reset(token)

    def iterated(self, work: Callable[[], Any]) -> Generator[Any, Any, Any]:
        """Run a generator function's work, each step of it in a context of its own."""
        context = copy_context()
        context.run(self._enter)
        steps = context.run(lambda: iter(work()))
        step: Callable[[], Any] = partial(next, steps)
        while True:
            try:
                item = context.run(step)
            except StopIteration as end:
                return end.value
            try:
                sent = yield item
                step = partial(next, steps) if sent is None else partial(steps.send, sent)
            except GeneratorExit:
                context.run(getattr(steps, "close", bool))
                raise
            except BaseException as error:
                if not hasattr(steps, "throw"):
                    raise
                step = partial(steps.throw, error)

    def _enter(self) -> Token[tuple[object, ...]]:
        """Put what was decided in force in this context."""
        inside = self._state.inside
        token = inside.set((*inside.get(), *self._entered))
        if self._own is not None:
            self._state.push(self._own, self)
        return token


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
