"""Running: what of one function runs now, so that the calls it makes of itself stay on the host.

A plain call is known by its thread. A coroutine or generator is known by a mark
in its context, which the call closes when it ends: a task that was begun in it
and lives longer is not inside it any more. Neither holds an argument.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import local
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextvars import ContextVar

    from scverse_backends._selection.selection import Selection

    Key = str | Selection
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
    """Stands in the context of a coroutine or generator for as long as that runs."""

    __slots__ = ("is_open", "key", "running")

    def __init__(self, running: Running, key: Key) -> None:
        self.running = running
        self.key = key
        self.is_open = True


class Running:
    """The calls of one function that run now."""

    def __init__(self, marks: ContextVar[tuple[Mark, ...]]) -> None:
        self._marks = marks
        self._entries: dict[str, object] = {}

    def entry(self, key: Key) -> object:
        """Give what stands for a key among what a thread is inside of.

        For a backend it is a plain object: calls put it in and out, and its hash costs nothing.
        """
        return self._entries.setdefault(key, object()) if isinstance(key, str) else (self, key)

    def has(self, key: Key) -> bool:
        """Whether the caller is inside a backend's implementation, or a fallback."""
        marks = self._marks.get()
        return self.entry(key) in inside() or (
            bool(marks)  # mostly there is none, and a traced call asks twice
            and any(one.is_open and one.running is self and one.key == key for one in marks)
        )

    @contextmanager
    def fallback(self, selection: Selection) -> Generator[None]:
        """Keep the calls that the host makes of the function, under one selection, on the host."""
        here, entry = inside(), self.entry(selection)
        try:
            here.add(entry)
            yield
        finally:
            here.discard(entry)
