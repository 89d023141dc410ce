"""Followed: work that is bound while calls are traced is traced wherever it runs."""

from __future__ import annotations

from contextlib import ExitStack
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
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
