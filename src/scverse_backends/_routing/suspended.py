"""Suspended work: coroutines and generators, which run between their caller's lines.

What was decided when they were called holds whenever they run, and at no
other time.
"""

from __future__ import annotations

import inspect
from contextlib import nullcontext, suppress
from contextvars import copy_context
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any

from scverse_backends._selection.blocks import DISPATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextvars import Context, Token

    from scverse_backends._selection.state import Selection, SelectionState

    from .running import Mark
    from .spans import Span


class Hold:
    """What was decided for one call, put in force whenever its work runs.

    Parameters
    ----------
    state
        What is selected.
    own
        The selection that the call itself names.
    mark
        What nested calls know it by, until its work has ended.
    span
        The call, if it is traced.
    note
        Why the host runs it, for an error that it raises.
    """

    def __init__(
        self,
        state: SelectionState,
        own: Selection | None,
        mark: Mark | None,
        span: Span | None,
        note: str,
    ) -> None:
        self._state = state
        self._own = own
        self._mark = mark
        self._span = span
        self._note = note

    async def awaited(self, work: Callable[[], Any]) -> Any:
        """Run a coroutine function's work; a plain implementation's result is given as it is."""
        outer, token = self._enter()
        try:
            with self._span or nullcontext():
                result = work()
                return await result if inspect.isawaitable(result) else result
        except Exception as error:
            self._explain(error)
            raise
        finally:
            self._leave(outer)
            # A coroutine that is thrown away may be closed in another context than it ran in.
            with suppress(ValueError):
                self._state.inside.reset(token)

    def iterated(
        self, work: Callable[[], Any], context: Context | None = None
    ) -> Generator[Any, Any, Any]:
        """Run a generator function's work, each step of it in a context of its own.

        That is a copy of the first step's, unless one is given.
        """
        context = copy_context() if context is None else context
        context.run(self._enter)
        try:
            return (yield from self._steps(context, work))
        except Exception as error:
            self._explain(error)
            raise
        finally:
            self._close()

    def _steps(self, context: Context, work: Callable[[], Any]) -> Generator[Any, Any, Any]:
        timed = self._span or nullcontext()
        with timed:
            steps = context.run(lambda: iter(work()))
        step: Callable[[], Any] = partial(next, steps)
        while True:
            try:
                with timed:
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

    def _enter(self) -> tuple[Span | None, Token[tuple[Mark, ...]]]:
        """Put what was decided in force in this context; give the span that it was in."""
        state, outer = self._state, self._state.span()
        marks = () if self._mark is None else (self._mark,)
        token = state.inside.set((*state.inside.get(), *marks))
        if self._own is not None:
            state.push(self._own, self)
        if self._span is not None:
            state.enter_span(self._span)
        return outer, token

    def _leave(self, outer: Span | None) -> None:
        """Take it out again."""
        if self._own is not None:
            self._state.pop(self)
        self._close()
        if self._span is not None and self._state.span() is self._span:
            self._state.enter_span(outer)

    def _close(self) -> None:
        """Say that the work has ended, to what was begun in it and lives longer too."""
        if self._mark is not None:
            self._mark.is_open = False
        if self._span is not None:
            self._span.end()

    def _explain(self, error: Exception) -> None:
        """Say with an error of the host why the host ran the call at all."""
        if self._note:
            error.add_note(self._note)


def named(work: Any, func: Any) -> Any:
    """Show a coroutine or generator as a function's own, as in "was never awaited"."""
    for name in ("__name__", "__qualname__"):
        setattr(work, name, getattr(func, name, repr(func)))
    return work


def is_written_suspended(func: Any) -> bool:
    """Whether calling a function runs none of its code, and gives what does.

    What another host dispatches is only marked so.
    """
    flags = inspect.CO_COROUTINE | inspect.CO_GENERATOR
    is_written = type(func) is FunctionType and DISPATCH not in func.__dict__
    return is_written and bool(func.__code__.co_flags & flags)


def _flag_as_coroutine_function(func: Any) -> None:
    """Set the flag that `inspect` reads, and that nothing reads which runs code."""
    flags = func.__code__.co_flags | inspect.CO_COROUTINE
    func.__code__ = func.__code__.replace(co_flags=flags)


# Python 3.11 has no mark for a plain function that returns a coroutine.
mark_as_coroutine_function: Callable[[Any], object] = getattr(
    inspect, "markcoroutinefunction", _flag_as_coroutine_function
)
