"""Nesting: whether a call of a function is made by what runs for that function already.

The calls that a function makes of itself stay on the host. A plain call is
known by its thread; a coroutine or generator by a mark in its context. Neither
holds an argument.
"""

from __future__ import annotations

from threading import local
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scverse_backends._selection.selection import Selection
    from scverse_backends._selection.state import SelectionState

    Runner = str | Selection
    """A backend's name while it runs the function; a selection while the host does in its place."""


this_thread = local()
"""Keeps what each thread is inside of; threads share nothing here, and wait for nothing.

Not of a class of ours, which would make it for each thread and cost every call: see `inside`.
"""


def inside() -> set[object]:
    """Give what the thread that asks is inside of."""
    try:
        return this_thread.inside  # type: ignore[no-any-return]
    except AttributeError:
        made: set[object] = set()
        this_thread.inside = made
        return made


class Mark:
    """Stands in the context of a coroutine or generator for as long as that runs.

    The call closes it when it ends: a task that was begun in it and lives
    longer is not inside it any more.
    """

    __slots__ = ("entry", "is_open")

    def __init__(self, entry: object) -> None:
        self.entry = entry
        self.is_open = True


class Nesting:
    """Knows which backend, or fallback, of one function a caller is inside of."""

    __slots__ = ("_entries", "_state")

    def __init__(self, state: SelectionState) -> None:
        self._state = state
        self._entries: dict[str, object] = {}

    def entry(self, runner: Runner) -> object:
        """Give what stands for a runner among what a thread is inside of.

        For a backend it is a plain object: calls put it in and out, and its hash costs nothing.
        """
        if isinstance(runner, str):
            return self._entries.setdefault(runner, object())
        return (self, runner)

    def is_inside(self, runner: Runner) -> bool:
        """Whether the caller is inside a backend's implementation, or a fallback."""
        marks, entry = self._state.inside.get(), self.entry(runner)
        return entry in inside() or (
            bool(marks)  # mostly there is none, and a traced call asks twice
            and any(mark.is_open and mark.entry == entry for mark in marks)
        )
