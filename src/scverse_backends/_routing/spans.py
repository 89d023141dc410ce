"""Spans: traced calls while they run."""

from __future__ import annotations

from threading import get_ident
from time import perf_counter, sleep
from traceback import format_exception_only
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Protocol

from scverse_backends._backends.load_lock import worker_waited_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from scverse_backends._ground.records import Decision

Outcome = Literal["returned", "raised", "running"]


class Sink(Protocol):
    """What takes in the calls that are traced."""

    def add(self, span: Span) -> None:
        """Take in a call that begins."""

    def follow(self) -> Any:
        """Give what leads the calls of bound work here, if anything does; it is picklable."""


class Recorder(Protocol):
    """What a call is recorded within: a span, or what stands for one."""

    def child(
        self, decision: Decision, site: tuple[CodeType, int], everywhere: tuple[Sink, ...]
    ) -> Span:
        """Record a call."""
        ...


class Span:
    """A traced call while it runs; or, without a decision, a trace that was entered."""

    __slots__ = (
        "_since",
        "_spent",
        "begun",
        "code",
        "decision",
        "error",
        "has_ended",
        "instruction",
        "on_end",
        "parent",
        "sinks",
    )

    def __init__(
        self,
        decision: Decision | None,
        parent: Span | None,
        sinks: tuple[Sink, ...],
        site: tuple[CodeType | None, int] = (None, -1),
    ) -> None:
        self.decision = decision
        self.parent = parent
        self.sinks = sinks
        # The line is looked up when it is asked for: Python searches a table for it.
        self.code, self.instruction = site
        self.on_end: tuple[Callable[[Span], None], ...] = ()
        self.begun = perf_counter()
        self.error: str | None = None
        self.has_ended = False
        self._spent = 0.0
        self._since: float | None = None

    @property
    def call(self) -> Span | None:
        """The innermost call that this is, or is within."""
        return self.parent if self.decision is None else self

    def child(
        self, decision: Decision, site: tuple[CodeType, int], everywhere: tuple[Sink, ...] = ()
    ) -> Span:
        """Record a call that is made within this one, for its sinks and those of every context."""
        span = Span(decision, self.call, self.sinks, site)
        for sink in self.sinks:
            sink.add(span)
        for sink in everywhere:
            sink.add(span)
        return span

    def start(self) -> None:
        """Spend time in it from now on."""
        self._since = perf_counter()

    def stop(self) -> None:
        """Spend no more time in it."""
        if self._since is not None:
            self._spent += perf_counter() - self._since
            self._since = None

    def end(self, error: BaseException | None = None) -> None:
        """Close it, with what it raised; doing so twice does no harm."""
        self.stop()
        if error is not None:
            self.error = "".join(format_exception_only(error)).strip()
        self.has_ended = True
        if self.on_end:
            told, self.on_end = self.on_end, ()
            for tell in told:
                tell(self)

    @property
    def duration(self) -> float:
        """Time spent in it, in seconds."""
        return self._spent if self._since is None else self._spent + perf_counter() - self._since

    @property
    def outcome(self) -> Outcome:
        """What became of it."""
        if self.error is not None:
            return "raised"
        return "returned" if self.has_ended else "running"

    __enter__ = start

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None or isinstance(error, (StopIteration, GeneratorExit)):
            self.stop()
        else:
            self.end(error)


OUTSIDE = Span(None, None, ())
"""What a call is made within that only the sinks of every context take in."""


class Arrived(BaseException):
    """Ends a call that was only made to see how it arrives; no ``except Exception`` stops it."""


_LOOKS, _PAUSE = 20, 0.005
"""How often, and after how many seconds, a thread looks again who waits for it."""


class Arrival:
    """Stands for a span where one call of a function is to be decided and not run."""

    call = None
    sinks = ()

    def __init__(self, function: str) -> None:
        self.decision: Decision | None = None
        self.is_over = False
        self._function = function
        self._thread = get_ident()

    def is_awaited_here(self) -> bool:
        """Whether a call of this thread is the one: made by who explains it, or waited for there."""
        me = get_ident()
        if self._thread == me:
            return True
        for _ in range(_LOOKS):
            if worker_waited_for(self._thread) == me:
                return True
            if self.is_over:
                break
            sleep(_PAUSE)
        return False

    def child(
        self, decision: Decision, site: tuple[CodeType, int], everywhere: tuple[Sink, ...] = ()
    ) -> Span:
        """Take the decision of the call that arrives; calls of other functions run."""
        if decision.function == self._function:
            self.take(decision)
        return OUTSIDE.child(decision, site, everywhere)

    def take(self, decision: Decision) -> NoReturn:
        """Take the decision of the call that arrives.

        Raises
        ------
        Arrived, SystemExit
            In place of the call.
        """
        self.decision = decision
        # By the other one a thread ends without a word.
        raise Arrived if get_ident() == self._thread else SystemExit
