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

    from scverse_backends._selection.state import Selection

    Key = str | Selection
    """A backend's name while it runs the function; a selection while the host does in its place."""


class _ThisThread(local):
    """What the thread that asks is inside of; threads share nothing here, and wait for nothing."""

    def __init__(self) -> None:
        self.inside: set[tuple[Running, Key]] = set()


this_thread = _ThisThread()


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

    def has(self, key: Key) -> bool:
        """Whether the caller is inside a backend's implementation, or a fallback."""
        return (self, key) in this_thread.inside or any(
            mark.is_open and mark.running is self and mark.key == key for mark in self._marks.get()
        )

    @contextmanager
    def fallback(self, selection: Selection) -> Generator[None]:
        """Keep the calls that the host makes of the function, under one selection, on the host."""
        inside, entry = this_thread.inside, (self, selection)
        try:
            inside.add(entry)
            yield
        finally:
            inside.discard(entry)
