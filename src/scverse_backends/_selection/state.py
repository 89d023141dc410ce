"""The selection: what is asked for now, kept in one context variable and one process-wide default.

A scope is what a context holds: a selection and the scope it replaced. The
chain of scopes lives in the context itself, so that threads, tasks and
interleaved generators each unwind their own.
"""

from __future__ import annotations

from contextvars import ContextVar
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeAlias

from scverse_backends._ground.callables import begin_locks

from .selection import HOST, Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import NoReturn

    from scverse_backends._backends.configuration import FallbackPolicy

    from .selection import Pick, Rule

PENDING = Selection((), None, None)
"""Stands for the environment's selection until it is first needed."""

TRACED = Selection((), None, None)
"""Stands above the selection of a context whose calls are traced, so that every call sees it."""

Scope: TypeAlias = "tuple[Selection, Scope | None, object]"
"""What holds in one context: a selection, the scope it replaced, and its owner, which ends it.

The owner of a call's scope is ``None``: it owns itself. A plain tuple, because
one is made for every block and for every call that names its backend. While a
context is traced, `TRACED` stands above its scopes, with the span that its
calls are made within.
"""


class SelectionState:
    """What is selected for one host: by this context, else for the whole process.

    Attributes
    ----------
    active
        This context's innermost scope, with `TRACED` above it where calls are traced.
    inside
        Marks of the coroutines and generators that this context is inside of.
    awake
        Empty until anything was ever selected or observed; while it is, no call looks any further.
    look
        Gives this context's innermost scope, as every call asks for it. While something observes
        the calls of every context, it puts `TRACED` above those that are not traced, with no span.
    observers
        What takes in the calls of every context, the newest first.
    selects
        Whether the process-wide selection may be anything but the host.
    default
        The process-wide selection; `PENDING` while the environment's is not read yet.
    fallback
        The process-wide fallback policy.
    """

    def __init__(self, host: str, fallback: FallbackPolicy) -> None:
        self.active: ContextVar[Scope | None] = ContextVar(f"{host}_backend", default=None)
        self.inside: ContextVar[tuple[Any, ...]] = ContextVar(f"{host}_inside", default=())
        self.awake: list[bool] = []
        self.look: Callable[[], Scope | None] = self.active.get
        self.observers: tuple[Any, ...] = ()
        self.selects = False
        self.default: Selection = HOST
        self.fallback: FallbackPolicy = fallback
        self._made: dict[Hashable, Selection] = {}
        self._host = host
        begin_locks(self)

    def begin_locks(self) -> None:
        """Make the lock, anew in a forked child; a signal handler may select while it is held."""
        self._lock = RLock()

    def __reduce__(self) -> NoReturn:
        """Say what would make sense: code that is sent by value brings the host's dispatcher along."""
        msg = (
            f"The dispatcher of {self._host} cannot be copied or sent to another process. Put what "
            "makes it in a module that can be imported there."
        )
        raise TypeError(msg)

    def make(
        self,
        picks: tuple[Pick, ...],
        fallback: FallbackPolicy | None,
        origin: str | None,
        rules: tuple[Rule, ...] = (),
    ) -> Selection:
        """Give the one selection of these choices, policy, origin and rules."""
        wanted = (picks, fallback, origin, rules)
        made = Selection(*wanted)
        if not made.is_kept:
            return made
        # In one step, without a lock: all of it is hashed and compared by Python itself.
        return self._made.setdefault(wanted, made)

    def under(self, fallback: FallbackPolicy | None, selection: Selection) -> Selection:
        """Give the same choice under another policy."""
        return self.make(selection.picks, fallback, selection.origin, selection.rules)

    def forget(self) -> None:
        """Make every selection anew; those in force stay what they are."""
        self._made.clear()

    def default_to(self, selection: Selection) -> Selection:
        """Put a process-wide selection in force unless there is one by now."""
        with self._lock:
            if self.default is PENDING:
                self._set_default(selection)
            return self.default

    def wait_for_environment(self) -> None:
        """Leave the process-wide selection open until it is first needed."""
        self._set_default(PENDING)

    def scope(self) -> Scope | None:
        """Give this context's innermost scope."""
        top = self.active.get()
        return top[1] if top is not None and top[0] is TRACED else top

    def selected(self) -> Selection:
        """Give what is selected here and now; `PENDING` while that is the environment's, and unread."""
        scope = self.scope()
        return self.default if scope is None else scope[0]

    def span(self) -> Any:
        """Give the traced call, or trace, that this context is inside of, if any."""
        top = self.active.get()
        return top[2] if top is not None and top[0] is TRACED else None

    def sinks(self) -> tuple[Any, ...]:
        """Give what takes in the calls that are made here and now."""
        span = self.span()
        return (*(() if span is None else span.sinks), *self.observers)

    def observe(self, observer: object) -> None:
        """Have an observer take in the calls of every context."""
        with self._lock:
            self.observers = (observer, *self.observers)
            self.look = self._observed
        self.wake()

    def end_observing(self, observer: object) -> None:
        """Let an observer go; doing so twice does no harm."""
        with self._lock:
            self.observers = tuple(one for one in self.observers if one is not observer)
            if not self.observers:
                self.look = self.active.get

    def _observed(self) -> Scope:
        top = self.active.get()
        return top if top is not None and top[0] is TRACED else (TRACED, top, None)

    def enter_span(self, span: Any) -> None:
        """Have the calls of this context traced as made within a span; ``None`` for no longer."""
        self.put(self.scope(), span)
        self.wake()

    def push(self, selection: Selection, owner: object) -> None:
        """Put a selection in force in this context."""
        self.put((selection, self.scope(), owner), self.span())
        self.wake()

    def pop(self, owner: object) -> None:
        """Take out this context's innermost scope of an owner, wherever it stands in the chain."""
        self.put(_without(self.scope(), owner), self.span())

    def leave(self, owner: Scope | None, span: Any) -> None:
        """End a traced call that left this context in another state than it made."""
        if owner is not None:
            self.pop(owner)
        if self.span() is not None:
            self.enter_span(span)

    def swap(self, selection: Selection) -> None:
        """Change the choice of this context's innermost scope, or of the whole process."""
        scope = self.scope()
        if scope is None:
            with self._lock:
                self._set_default(selection)
        else:
            _, outer, owner = scope
            self.put((selection, outer, owner or scope), self.span())

    def put(self, scope: Scope | None, span: Any) -> None:
        """Replace what holds in this context: its scopes, and the span that its calls are in."""
        self.active.set(scope if span is None else (TRACED, scope, span))

    def apart(self, work: Callable[[], Any]) -> Any:
        """Run a backend's own code that is no implementation, such as its import.

        While it runs, the host is selected. What it selects then is undone.
        Whatever else it sets in context variables stays, as with a plain import.
        """
        active, inside = self.active.get(), self.inside.get()
        self.push(HOST, work)
        try:
            return work()
        finally:
            self.active.set(active)
            self.inside.set(inside)

    def wake(self) -> None:
        """Make calls look at what is selected, from now on."""
        if not self.awake:
            self.awake.append(True)

    def _set_default(self, selection: Selection) -> None:
        self.default = selection
        self.selects = not selection.is_host
        self.wake()


def _without(scope: Scope | None, owner: object) -> Scope | None:
    """Copy a chain of scopes without the innermost one of an owner."""
    if scope is None:
        return None
    selection, outer, own = scope
    if (own or scope) is owner:
        return outer
    rest = _without(outer, owner)
    return scope if rest is outer else (selection, rest, own or scope)
