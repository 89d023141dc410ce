"""Changes: when what labels mean becomes something else, and who must then forget."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Changes:
    """The generations of one host's labels.

    Attributes
    ----------
    generation
        Another object after every change; what was made under another one is stale.
    """

    def __init__(self) -> None:
        self.generation = object()
        self._watchers: list[Callable[[], None]] = []
        self._lock = Lock()

    def watch(self, forget: Callable[[], None]) -> None:
        """Call something after every change."""
        with self._lock:
            self._watchers.append(forget)

    def happen(self) -> None:
        """Begin another generation."""
        self.generation = object()
        # Last, so that what is derived from the old generation cannot outlive it.
        for forget in (*self._watchers,):
            forget()
