"""The selection: what is asked for now, kept in one context variable and one process-wide default.

A scope is what a context holds: a selection and the scope it replaced. The
chain of scopes lives in the context itself, so that threads, tasks and
interleaved generators each unwind their own.
"""

from __future__ import annotations

from contextvars import ContextVar
from threading import Lock
from typing import TYPE_CHECKING

from ._labels import CPU

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ._model import FallbackPolicy


class Selection:
    """An ordered choice of backends and a fallback policy; compared by identity, so made once.

    Attributes
    ----------
    names
        Canonical names in order of preference; ``"cpu"`` is the host.
    is_host
        Whether the host is the first choice.
    fallback
        The policy of this selection; ``None`` for the process-wide one.
    origin
        Where the choice was made, in words; ``None`` where none was made.
    """

    __slots__ = ("fallback", "is_host", "names", "origin")

    def __init__(
        self, names: tuple[str, ...], fallback: FallbackPolicy | None, origin: str | None
    ) -> None:
        self.names = names
        self.is_host = names[0] == CPU
        self.fallback = fallback
        self.origin = origin

    def __repr__(self) -> str:
        return f"Selection({self.names!r}, fallback={self.fallback!r}, origin={self.origin!r})"


HOST = Selection((CPU,), None, None)
"""What holds until anything is selected."""

PENDING = Selection(("",), None, None)
"""Stands for the environment's selection until it is first needed."""


class Scope:
    """A selection in force in one context, what it replaced, and what is running under it.

    Attributes
    ----------
    owner
        Who entered the scope and will leave it.
    running
        Routes whose coroutines this context is inside of.
    """

    __slots__ = ("outer", "owner", "running", "selection")

    def __init__(
        self,
        selection: Selection,
        outer: Scope | None,
        owner: object,
        running: tuple[object, ...] = (),
    ) -> None:
        self.selection = selection
        self.outer = outer
        self.owner = owner
        self.running = running


class SelectionState:
    """What is selected for one host: by this context, else for the whole process.

    Attributes
    ----------
    quiet
        True until anything was ever selected: the host path then looks no further.
    default
        The process-wide selection; `PENDING` while the environment's is not read yet.
    fallback
        The process-wide fallback policy.
    """

    def __init__(self, host: str, fallback: FallbackPolicy) -> None:
        self.active: ContextVar[Scope | None] = ContextVar(f"{host}_backend", default=None)
        self.quiet = True
        self.default: Selection = HOST
        self.fallback: FallbackPolicy = fallback
        self._made: dict[Hashable, Selection] = {}
        self._lock = Lock()

    def make(
        self, names: tuple[str, ...], fallback: FallbackPolicy | None, origin: str | None
    ) -> Selection:
        """Give the one selection of these names, policy and origin."""
        wanted = (names, fallback, origin)
        with self._lock:
            return self._made.setdefault(wanted, Selection(names, fallback, origin))

    def policy(self, selection: Selection) -> FallbackPolicy:
        """Tell what to do when no backend of a selection can take a call."""
        return selection.fallback or self.fallback

    def settle(self, selection: Selection) -> Selection:
        """Put a process-wide selection in force unless there is one by now."""
        with self._lock:
            if self.default is PENDING:
                self.default = selection
            return self.default

    def push(self, selection: Selection, owner: object, *entered: object) -> None:
        """Put a selection in force in this context, which enters the given routes."""
        self.quiet = False
        outer = self.active.get()
        running = outer.running if outer else ()
        self.active.set(Scope(selection, outer, owner, (*running, *entered)))

    def pop(self, owner: object) -> None:
        """Take out this context's innermost scope of an owner, wherever it stands in the chain."""
        self.active.set(_without(self.active.get(), owner))

    def swap(self, selection: Selection) -> None:
        """Change the choice of this context's innermost scope, or of the whole process."""
        self.quiet = False
        scope = self.active.get()
        if scope is None:
            with self._lock:
                self.default = selection
        else:
            self.active.set(Scope(selection, scope.outer, scope.owner, scope.running))


def _without(scope: Scope | None, owner: object) -> Scope | None:
    """Copy a chain of scopes, leaving out the innermost one of an owner."""
    above = []
    found = scope
    while found is not None and found.owner is not owner:
        above.append(found)
        found = found.outer
    if found is None:
        return scope
    rest = found.outer
    for kept in reversed(above):
        rest = Scope(kept.selection, rest, kept.owner, kept.running)
    return rest
