"""The load lock: one thread at a time does a thing, and no threads wait for one another in a circle."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from itertools import islice
from threading import Condition, Thread, get_ident
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable, Iterator
    from types import FrameType

_BOOTSTRAP = "<frozen importlib._bootstrap>"
_PATIENCE = 0.05
"""Seconds after which a thread in the midst of an import looks again whom it waits for."""
_MORE_PATIENCE = 0.25
"""The same for any other thread, which only a thread that waits for its end can wait for."""
_DEEPEST = 8  # frames between waiting for a thread, or its result, and the lock that does so


class CircularWaitError(Exception):
    """Waiting for a thing would never end, because the thread that does it waits for this one."""

    def __str__(self) -> str:
        return (
            "it asks for itself while it is loaded, or another thread's import waits for this one"
        )


class LoadLock:
    """A lock for each thing, which tells a thread that would wait for itself."""

    def __init__(self) -> None:
        self._owners: dict[Hashable, int] = {}
        self._waiting: dict[int, Hashable] = {}
        self._changed = Condition()

    @contextmanager
    def holding(self, thing: Hashable) -> Generator[None]:
        """Wait until no other thread does a thing, then do it alone.

        Raises
        ------
        CircularWaitError
            If the thread that does it waits for this one.
        """
        self._wait(thing, get_ident())
        try:
            yield
        finally:
            with self._changed:
                del self._owners[thing]
                self._changed.notify_all()

    def _wait(self, thing: Hashable, me: int) -> None:
        importing = _is_importing()
        with self._changed:
            while thing in self._owners:
                if self._waits_for(self._owners[thing], me, by_import=importing):
                    raise CircularWaitError
                self._waiting[me] = thing
                try:
                    self._changed.wait(_PATIENCE if importing else _MORE_PATIENCE)
                finally:
                    del self._waiting[me]
            self._owners[thing] = me

    def _waits_for(self, thread: int | None, me: int, *, by_import: bool) -> bool:
        """Whether a thread is this one, or waits for it by way of others.

        Only a thread that is importing can be waited for through an import.
        In a circle with an import in it, it is the one that gives way.
        """
        seen: set[int | None] = {None}
        while thread not in seen:
            if thread == me:
                return True
            seen.add(thread)
            wanted = self._waiting.get(cast("int", thread), self)
            importer = _importer_waited_for(cast("int", thread)) if by_import else None
            worker = importer or worker_waited_for(cast("int", thread))
            thread = self._owners.get(wanted, worker)
        return False


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_importing() -> bool:
    """Whether this thread is inside an import statement."""
    frames = _stack(sys._getframe(1))  # noqa: SLF001 - there is no other way to its stack
    return any(frame.f_code.co_filename == _BOOTSTRAP for frame in frames)


def _importer_waited_for(thread: int) -> int | None:
    """Tell which thread imports the module that a thread is waiting for, if it is."""
    frame = sys._current_frames().get(thread)  # noqa: SLF001 - there is no other way to its stack
    if frame is None or frame.f_code.co_filename != _BOOTSTRAP:
        return None
    return getattr(frame.f_locals.get("self"), "owner", None)


def worker_waited_for(thread: int) -> int | None:
    """Tell which thread's end, or whose result, a thread is waiting for, if it is."""
    futures: Any = sys.modules.get("concurrent.futures._base")
    result = futures and futures.Future.result.__code__
    top = sys._current_frames().get(thread)  # noqa: SLF001 - as above
    for frame in islice(_stack(top), _DEEPEST):
        if frame.f_code is Thread.join.__code__:
            return frame.f_locals["self"].ident  # type: ignore[no-any-return]
        if frame.f_code is result:
            return _runner(frame.f_locals["self"])
    return None


def _runner(future: object) -> int | None:
    """Tell which thread of a pool works on a result."""
    pools: Any = sys.modules.get("concurrent.futures.thread")
    run = pools and pools._WorkItem.run.__code__  # noqa: SLF001 - as above
    working = (
        thread
        for thread, top in sys._current_frames().items()  # noqa: SLF001 - as above
        for frame in _stack(top)
        if frame.f_code is run and frame.f_locals["self"].future is future
    )
    return next(working, None)
