"""Running: what of one function runs now, so that the calls it makes of itself stay on the host.

A plain call is known by its thread. A coroutine or generator is known by a mark
in its context, which the call closes when it ends: a task that was begun in it
and lives longer is not inside it any more. Neither holds an argument.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cache
from threading import get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextvars import ContextVar
    from weakref import WeakSet

    from scverse_backends._selection.state import Selection

    Key = str | Selection
    """A backend's name while it runs the function; a selection while the host does in its place."""


class Mark:
    """Stands in the context of a coroutine or generator for as long as that runs."""

    __slots__ = ("is_open", "key", "running")

    def __init__(self, running: Running, key: Key) -> None:
        self.running = running
        self.key = key
        self.is_open = True


class Running:
    """The calls of one function that run now.

    Attributes
    ----------
    fallbacks
        By thread, the selections in whose place the host is running the function.
    """

    def __init__(self, marks: ContextVar[tuple[Mark, ...]]) -> None:
        self.fallbacks: dict[int, tuple[Selection, ...]] = {}
        self._threads: dict[str, set[int]] = {}
        self._marks = marks

    def threads(self, backend: str) -> set[int]:
        """Give the threads that are inside a backend's implementation."""
        _used().add(self)
        return self._threads.setdefault(backend, set())

    def has(self, key: Key) -> bool:
        """Whether the caller is inside a backend's implementation, or a fallback."""
        me = get_ident()
        if (
            me in self._threads.get(key, ())
            if type(key) is str
            else key in self.fallbacks.get(me, ())
        ):
            return True
        return any(
            mark.is_open and mark.running is self and mark.key == key for mark in self._marks.get()
        )

    @contextmanager
    def fallback(self, selection: Selection) -> Generator[None]:
        """Keep the calls that the host makes of the function, under one selection, on the host."""
        _used().add(self)
        me = get_ident()
        outer = self.fallbacks.get(me, ())
        try:
            self.fallbacks[me] = (*outer, selection)
            yield
        finally:
            if outer:
                self.fallbacks[me] = outer
            else:
                self.fallbacks.pop(me, None)

    def keep_thread(self, thread: int) -> None:
        """Forget the threads that a fork did not take along."""
        for threads in self._threads.values():
            threads.intersection_update((thread,))
        for other in self.fallbacks.keys() - {thread}:
            del self.fallbacks[other]


@cache
def _used() -> WeakSet[Running]:
    """Keep those of which anything ever ran, for forks."""
    from weakref import WeakSet  # here, because a host that only decorates does not need it

    used: WeakSet[Running] = WeakSet()

    def forget_other_threads() -> None:
        for running in used:
            running.keep_thread(get_ident())

    # There are no forks on Windows.
    getattr(os, "register_at_fork", dict)(after_in_child=forget_other_threads)
    return used
