"""Observation: somebody else's code is told of each call, when it is decided and when it has ended."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

from scverse_backends._ground import messages
from scverse_backends._ground.records import Decision
from scverse_backends._ground.safe_repr import attempt, describe_error, safe_repr
from scverse_backends._routing.arrival import telling
from scverse_backends._routing.spans import Span  # noqa: TC001 - typing.get_type_hints finds it here
from scverse_backends._selection.state import SelectionState  # noqa: TC001 - typing.get_type_hints finds it here

from .trace_records import TraceRecord, record_of

if TYPE_CHECKING:
    from typing import Self

Sink: TypeAlias = Callable[[Decision], Callable[[TraceRecord], object] | None]
"""Is given each decision when it is made; may give back what wants the record when the call has ended."""


class Observation:
    """Calls are told to a sink, until `remove`; made by `Settings.observe`.

    As a context manager it removes itself at the end of the block.
    """

    def __init__(self, sink: Sink, state: SelectionState) -> None:
        self._sink = sink
        self._state = state
        self._since = perf_counter()
        state.observe(self)

    def __repr__(self) -> str:
        is_on = any(one is self for one in self._state.observers)
        return f"<{safe_repr(self._sink)} {'observes' if is_on else 'observed'} calls>"

    def remove(self) -> None:
        """Tell the sink of no more calls. It is still told the end of those that run now."""
        self._state.end_observing(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()

    def follow(self) -> None:
        """Follow no work to where it runs: a sink is told of this process only."""

    def add(self, span: Span) -> None:
        """Tell of a call that begins; not of one that the sink itself makes."""
        if self in telling.get():
            return
        finish = self._tell(self._sink, span.decision)
        if finish is not None:
            span.on_end = (*span.on_end, partial(self._tell_end, finish))

    def _tell_end(self, finish: Callable[[TraceRecord], object], span: Span) -> None:
        self._tell(finish, record_of(span, None, self._since))

    def _tell(self, told: Callable[[Any], Any], what: object) -> Any:
        """Call a sink. What it raises is a warning: the call that it is told of goes on."""
        token = telling.set((*telling.get(), self))
        try:
            return attempt(partial(told, what), self._failed)
        finally:
            telling.reset(token)

    def _failed(self, error: BaseException) -> None:
        from scverse_backends.exceptions import BackendWarning

        msg = f"The sink {safe_repr(self._sink)} failed: {describe_error(error)}. The call goes on."
        messages.warn(BackendWarning(msg))
