"""Suspended work: coroutines and generators, which run between their caller's lines.

What was decided when they were called holds whenever they run, and at no
other time.
"""

from __future__ import annotations

import inspect
from contextlib import nullcontext, suppress
from types import FunctionType
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.safe_repr import add_note
from scverse_backends._selection.blocks import DISPATCH

from .nesting import Mark

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextvars import Token

    from scverse_backends._selection.selection import Selection
    from scverse_backends._selection.state import Scope, SelectionState


class Hold:
    """What was decided for one call, put in force whenever its work runs.

    Parameters
    ----------
    state
        What is selected.
    own
        The selection that the call itself names.
    entry
        What nested calls know it by, until its work has ended; ``None`` if they need not.
    span
        The traced call, or ``None``; the state holds it too.
    note
        Why the host runs it, for an error that it raises.

    A generator that a backend runs, or whose call names its backend, keeps what was
    selected at its call. Any other follows who iterates it, as if it was not traced.
    """

    def __init__(
        self,
        state: SelectionState,
        own: Selection | None,
        entry: object | None,
        span: Any = None,
        note: str = "",
    ) -> None:
        self._state = state
        self._own = own
        self._mark = None if entry is None else Mark(entry)
        self._span = span
        self._note = note
        self._is_bound = not (own is None and entry is None)
        scope = state.scope()
        self._scope = scope if own is None else (own, scope, None)
        self._innermost = span or state.span()

    async def awaited(self, work: Callable[[], Any]) -> Any:
        """Run a coroutine function's work; a plain implementation's result is given as it is."""
        __tracebackhide__ = True
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
            self._close()  # last: a sink that is told of it may raise

    def iterated(self, work: Callable[[], Any]) -> Generator[Any, Any, Any]:
        """Run a generator function's work, each step in the context of who asks for it.

        Only what is selected and traced is the generator's own between its steps.
        """
        __tracebackhide__ = True
        given = error = None
        timed = self._span or nullcontext()
        try:
            steps = self._in_force(lambda: iter(work()))
            while True:
                before = self._what_holds()
                try:
                    self._resume(*before)
                    # Not by `_in_force`: a generator may call itself to any depth.
                    with timed:
                        try:
                            if error is not None:
                                item = steps.throw(error)
                            else:
                                item = next(steps) if given is None else steps.send(given)
                        except StopIteration as end:
                            return end.value
                finally:
                    self._suspend(*before)
                try:
                    given, error = (yield item), None
                except GeneratorExit:
                    self._in_force(getattr(steps, "close", bool))
                    raise
                except BaseException as thrown:
                    if not hasattr(steps, "throw"):
                        raise
                    error = thrown
        except Exception as failure:
            self._explain(failure)
            raise
        finally:
            error = None  # it refers to this frame
            self._close()

    def _in_force(self, work: Callable[[], Any]) -> Any:
        """Do one thing as a step of a generator."""
        before = self._what_holds()
        try:
            self._resume(*before)
            with self._span or nullcontext():
                return work()
        finally:
            self._suspend(*before)

    def _what_holds(self) -> tuple[Scope | None, Any, tuple[Mark, ...]]:
        state = self._state
        return state.scope(), state.span(), state.inside.get()

    def _resume(self, scope: Scope | None, span: Any, inside: tuple[Mark, ...]) -> None:
        """Put what was decided in force for one step."""
        state = self._state
        state.put(self._scope if self._is_bound else scope, self._innermost or span)
        if self._mark is not None:
            state.inside.set((*inside, self._mark))

    def _suspend(self, scope: Scope | None, span: Any, inside: tuple[Mark, ...]) -> None:
        """Put back what held before the step; what the body has changed of it is kept."""
        state = self._state
        now, innermost, _ = self._what_holds()
        if innermost is not (self._innermost or span):
            self._innermost = innermost
        if self._is_bound:
            self._scope, now = now, scope
        state.put(now, span)
        state.inside.set(inside)

    def _enter(self) -> tuple[Any, Token[tuple[Mark, ...]]]:
        """Put what was decided in force in this context; give the span that it was in."""
        state, outer = self._state, self._state.span()
        marks = () if self._mark is None else (self._mark,)
        token = state.inside.set((*state.inside.get(), *marks))
        if self._own is not None:
            state.push(self._own, self)
        if self._span is not None:
            state.enter_span(self._span)
        return outer, token

    def _leave(self, outer: Any) -> None:
        """Take it out again."""
        if self._own is not None:
            self._state.pop(self)
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
            add_note(error, self._note)


def named_after(work: Any, func: Any) -> Any:
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
