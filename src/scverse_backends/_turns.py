"""Turns: one thread at a time does a thing, and no threads wait for one another in a circle."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from threading import Condition, get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

_BOOTSTRAP = "<frozen importlib._bootstrap>"
_PATIENCE = 0.05
"""Seconds after which a thread in the midst of an import looks whom it waits for."""


class CircularWaitError(Exception):
    """Waiting for a thing would never end; the text says why."""


class Turns:
    """Whose turn it is, thing by thing."""

    def __init__(self) -> None:
        self._owners: dict[Hashable, int] = {}
        self._waiting: dict[int, Hashable] = {}
        self._changed = Condition()

    @contextmanager
    def turn(self, thing: Hashable) -> Iterator[None]:
        """Wait until nobody else does a thing, then have it to oneself.

        Raises
        ------
        CircularWaitError
            If whoever does it waits for this thread.
        """
        self._wait(thing, get_ident())
        try:
            yield
        finally:
            with self._changed:
                del self._owners[thing]
                self._changed.notify_all()

    def _wait(self, thing: Hashable, me: int) -> None:
        # Whoever is in the midst of an import holds import locks that the other may need.
        patience = _PATIENCE if _is_importing() else None
        with self._changed:
            while thing in self._owners:
                self._check(thing, me, importing=patience is not None)
                self._waiting[me] = thing
                try:
                    self._changed.wait(patience)
                finally:
                    del self._waiting[me]
            self._owners[thing] = me

    def _check(self, thing: Hashable, me: int, *, importing: bool) -> None:
        owner = self._owners[thing]
        if importing and owner != me and _waits_for_an_import(owner):
            msg = "another thread is loading it and waits for an import that this thread is in"
            raise CircularWaitError(msg)
        wanted: Hashable = thing
        while wanted in self._owners:
            if self._owners[wanted] == me:
                msg = "it asks for itself while it is loaded"
                raise CircularWaitError(msg)
            wanted = self._waiting.get(self._owners[wanted])


def _is_importing() -> bool:
    """Whether this thread is inside an import statement."""
    frame = sys._getframe(1)  # noqa: SLF001 - there is no other way to one's own stack
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code.co_filename == _BOOTSTRAP:
            return True
    return False


def _waits_for_an_import(thread: int) -> bool:
    """Whether a thread is waiting for a module that another thread imports."""
    frame = sys._current_frames().get(thread)  # noqa: SLF001 - nor to another's
    return frame is not None and (frame.f_code.co_filename, frame.f_code.co_name) == (
        _BOOTSTRAP,
        "acquire",
    )
