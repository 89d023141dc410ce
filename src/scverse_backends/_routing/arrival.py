"""Arrival: how a call that is only explained arrives through decorators outside of ours."""

from __future__ import annotations

from contextlib import closing, suppress
from contextvars import ContextVar
from threading import get_ident
from time import sleep
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from scverse_backends._backends.load_lock import worker_waited_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from scverse_backends._ground.records import Decision
    from scverse_backends._selection.state import SelectionState

    from .spans import Span

telling: ContextVar[tuple[object, ...]] = ContextVar("telling", default=())
"""What is being told of a call in this context; the calls that it makes meanwhile are its own."""


def arrive(function: str, state: SelectionState, call: Callable[[], Any]) -> Decision | None:
    """Call through decorators outside of ours, until the call is seen; it does not run."""
    awaited = CallAwaited(function)
    state.enter_span(None)
    state.observe(awaited)
    try:
        result = call()
        if isinstance(result, CoroutineType):
            # As far as it goes by itself; nobody is to wait for it.
            with suppress(StopIteration, Exception), closing(result):
                result.send(None)
    except (Exception, Arrived, SystemExit):
        # What decorators raise for want of a result is not what the call would meet.
        if awaited.decision is None:
            raise
    finally:
        awaited.is_over = True
        state.end_observing(awaited)
    return awaited.decision


class Arrived(BaseException):
    """Ends a call that was only made to see how it arrives; no ``except Exception`` stops it."""


_LOOKS, _PAUSE = 20, 0.005
"""How often, and after how many seconds, a thread looks again who waits for it."""


class CallAwaited:
    """Observes the calls of every context, until one that is only explained arrives."""

    def __init__(self, function: str) -> None:
        self.decision: Decision | None = None
        self.is_over = False
        self._function = function
        self._thread = get_ident()
        self._telling = telling.get()

    def add(self, span: Span) -> None:
        """Take the decision of the call that is awaited, and end the call; all others run.

        Raises
        ------
        Arrived, SystemExit
            In place of the call.
        """
        decision = span.decision
        if decision is None or decision.function != self._function:
            return
        # What another dispatched function calls, or who is told of a call, is not awaited.
        if span.parent is not None or any(one not in self._telling for one in telling.get()):
            return
        if not self._is_made_for_us():
            return
        self.decision = decision
        # By the other one a thread ends without a word.
        raise Arrived if get_ident() == self._thread else SystemExit

    def follow(self) -> None:
        """Give nothing: work that is bound is not what is awaited."""

    def _is_made_for_us(self) -> bool:
        """Whether this thread's call is the one: made by who explains it, or waited for there."""
        me = get_ident()
        if self._thread == me:
            return True
        for _ in range(_LOOKS):
            if self.is_over or worker_waited_for(self._thread) == me:
                return not self.is_over
            sleep(_PAUSE)
        return False
