"""The selection: what is asked for now, kept in one context variable and one process-wide default.

A scope is what a context holds: a selection and the scope it replaced. The
chain of scopes lives in the context itself, so that threads, tasks and
interleaved generators each unwind their own.
"""

from __future__ import annotations

from contextvars import ContextVar
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from scverse_backends._ground.labels import CPU
from scverse_backends._ground.records import Omission

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from scverse_backends._ground.labels import FallbackPolicy
    from scverse_backends._ground.records import LoadedBackend

CALL = "the call's own argument"
"""The origin of what one call selects."""

BLOCK = "use_backend"
"""The origin of what a block selects."""

PROCESS = "settings.backend"
"""The origin of what is set for the whole process."""

SNAPSHOT = "a snapshot"
"""The origin of what a snapshot selects."""


class Pick(NamedTuple):
    """One choice of a selection.

    Parameters
    ----------
    name
        Canonical name of the backend; the label as it was written where that is left out.
    backend
        What runs; ``None`` for the host.
    is_optional
        Whether it is left out where it cannot be had.
    left_out
        Why it is left out here; completes "backend ...".
    failed
        Whether it is left out because it did not load, which may go well the next time.
    """

    name: str
    backend: LoadedBackend | None
    is_optional: bool = False
    left_out: str | None = None
    failed: bool = False


class Rule(NamedTuple):
    """What is selected for the functions that a key fits.

    Parameters
    ----------
    key
        A dispatch name, or a pattern over dispatch names.
    picks
        In order of preference. Where all of them are left out, the next rule holds.
    origin
        Where it was written, in words.
    options
        Options of backends that the calls are given, by name.
    """

    key: str
    picks: tuple[Pick, ...]
    origin: str | None
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Canonical names of what is not left out."""
        return tuple(pick.name for pick in self.picks if pick.left_out is None)


class Selection:
    """An ordered choice of backends and a fallback policy; compared by identity, so made once.

    Attributes
    ----------
    picks
        Every choice, also those that are left out.
    backends
        In order of preference; ``None`` is the host.
    names
        Their canonical names; ``"cpu"`` is the host's.
    is_host
        Whether the host is the first choice, for every function.
    fallback
        The policy of this selection; ``None`` for the process-wide one.
    origin
        Where the choice was made, in words; ``None`` where none was made.
    rules
        What is selected for some functions only; the first that fits holds.
    options
        Options of backends that the calls of one function are given.
    """

    __slots__ = (
        "_of", "backends", "fallback", "is_host", "names", "options", "origin", "picks", "rules",
    )  # fmt: skip

    def __init__(
        self,
        picks: tuple[Pick, ...],
        fallback: FallbackPolicy | None,
        origin: str | None,
        rules: tuple[Rule, ...] = (),
        options: tuple[tuple[str, Any], ...] = (),
    ) -> None:
        self.picks = picks
        there = [pick for pick in picks if pick.left_out is None]
        self.backends = tuple(pick.backend for pick in there)
        self.names = tuple(pick.name for pick in there)
        self.is_host = self.backends[:1] == (None,) and not rules
        self.fallback: FallbackPolicy | None = fallback
        self.origin = origin
        self.rules = rules
        self.options = options
        self._of: dict[str, Selection] = {}

    @property
    def omitted(self) -> tuple[Omission, ...]:
        """What is left out, with the reason."""
        return tuple(Omission(pick.name, pick.left_out) for pick in self.picks if pick.left_out)

    @property
    def is_kept(self) -> bool:
        """Whether the same choice gives the same object; options need not be comparable."""
        return not any(rule.options for rule in self.rules)

    @property
    def has_failed(self) -> bool:
        """Whether a backend of it did not load; it is tried again when it is named again."""
        return any(pick.failed for pick in self.every_pick)

    @property
    def every_pick(self) -> tuple[Pick, ...]:
        """The choices, those of functions too."""
        return (*self.picks, *(pick for rule in self.rules for pick in rule.picks))

    @property
    def rules_by_key(self) -> dict[str, Rule]:
        """The rule of each key that holds: the first of which something is not left out."""
        found: dict[str, Rule] = {}
        for rule in self.rules:
            if rule.names:
                found.setdefault(rule.key, rule)
        return found

    def of(self, function: str) -> Selection:
        """Give what is selected for one function."""
        if not self.rules:
            return self
        found = self._of.get(function)
        return found or self._of.setdefault(function, self._find(function))

    def _find(self, function: str) -> Selection:
        from fnmatch import fnmatchcase

        lost: tuple[Pick, ...] = ()
        for rule in self.rules:
            if fnmatchcase(function, rule.key):
                picks = lost + rule.picks
                if rule.names:
                    return Selection(picks, self.fallback, rule.origin, options=rule.options)
                lost = picks
        return Selection(lost + self.picks, self.fallback, self.origin)


CPU_PICK = Pick(CPU, None)
"""The choice of the host."""

HOST = Selection((CPU_PICK,), None, None)
"""What holds until anything is selected."""

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
        the calls of every context, it puts `TRACED` above those that are not traced.
    observers
        What takes in the calls of every context, the newest first.
    selects
        Whether the process-wide selection may be anything but the host.
    default
        The process-wide selection; `PENDING` while the environment's is not read yet.
    fallback
        The process-wide fallback policy.
    """

    __slots__ = (
        "_lock",
        "_made",
        "_outside",
        "active",
        "awake",
        "default",
        "fallback",
        "inside",
        "look",
        "observers",
        "selects",
    )

    def __init__(self, host: str, fallback: FallbackPolicy) -> None:
        self.active: ContextVar[Scope | None] = ContextVar(f"{host}_backend", default=None)
        self.inside: ContextVar[tuple[Any, ...]] = ContextVar(f"{host}_inside", default=())
        self.awake: list[bool] = []
        self.look: Callable[[], Scope | None] = self.active.get
        self.observers: tuple[Any, ...] = ()
        self._outside: object = None
        self.selects = False
        self.default: Selection = HOST
        self.fallback: FallbackPolicy = fallback
        self._made: dict[Hashable, Selection] = {}
        self._lock = Lock()

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
        with self._lock:
            return self._made.setdefault(wanted, made)

    def under(self, fallback: FallbackPolicy | None, selection: Selection) -> Selection:
        """Give the same choice under another policy."""
        return self.make(selection.picks, fallback, selection.origin, selection.rules)

    def forget(self) -> None:
        """Make every selection anew; those in force stay what they are."""
        with self._lock:
            self._made.clear()

    def settle(self, selection: Selection) -> Selection:
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

    def span(self) -> Any:
        """Give the traced call, or trace, that this context is inside of, if any."""
        top = self.active.get()
        return top[2] if top is not None and top[0] is TRACED else None

    def sinks(self) -> tuple[Any, ...]:
        """Give what takes in the calls that are made here and now."""
        span = self.span()
        return (*(() if span is None else span.sinks), *self.observers)

    def recorder(self) -> Any:
        """Give what a call of this context is to be recorded within, if it is."""
        top = self.look()
        return top[2] if top is not None and top[0] is TRACED else None

    def observe(self, observer: object, outside: object) -> None:
        """Have an observer take in the calls of every context.

        Parameters
        ----------
        observer
            What takes them in.
        outside
            The span that calls are made within where nothing else is traced.
        """
        with self._lock:
            self._outside = outside
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
        return top if top is not None and top[0] is TRACED else (TRACED, top, self._outside)

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
            self.enter_span(None if span is self._outside else span)

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
