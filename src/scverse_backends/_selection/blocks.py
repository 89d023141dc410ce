"""Blocks: a selection put in force for a stretch of code, or for every call of a function."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from scverse_backends._backends.configuration import FALLBACK_POLICIES
from scverse_backends._ground.callables import (
    is_async_generator_function,
    is_coroutine_function,
    is_generator_function,
)
from scverse_backends._ground.labels import quoted

from .state import BLOCK, TRACED

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

    from scverse_backends._ground.labels import FallbackPolicy
    from scverse_backends._ground.records import Decision

    from .hosts import Home
    from .selector import Selector
    from .state import Scope, Selection

DISPATCH = "__scverse_dispatch__"
"""Where a public function keeps what decides its calls; outer `functools.wraps` copy it."""


class Choice:
    """What one `use_backend` call asks for, resolved when a block of it is entered."""

    __slots__ = ("_generation", "_selections", "fallback", "labels", "selector", "state")

    def __init__(
        self, selector: Selector, labels: tuple[Any, ...], fallback: FallbackPolicy | None
    ) -> None:
        if not labels and fallback is None:
            msg = "use_backend needs a backend, or fallback=..."
            raise TypeError(msg)
        self.selector = selector
        self.state = selector.state
        self.labels = labels
        self.fallback: FallbackPolicy | None = None
        if fallback is not None:
            self.fallback = checked_policy(fallback)
        self._generation = selector.changes.generation
        self._selections: dict[FallbackPolicy | None, Selection] = {}

    def locate(self) -> None:
        """Find who answers to the labels, and raise if nobody does."""
        if self.labels:
            self.selector.locate(self.labels)

    def selection(self, outer: Scope | None) -> Selection:
        """Give what to put in force inside a scope, loaded."""
        if self._generation is not self.selector.changes.generation:
            self._selections, self._generation = {}, self.selector.changes.generation
        inherited = None if outer is None else outer[0].fallback
        known = self._selections
        return known.get(inherited) or self._resolve(inherited, known)

    def _resolve(
        self, inherited: FallbackPolicy | None, known: dict[FallbackPolicy | None, Selection]
    ) -> Selection:
        """Load what is put in force; without labels that is what surrounds the block."""
        selector, fallback = self.selector, self.fallback or inherited
        if not self.labels:
            current = selector.current()
            return selector.state.make(current.backends, fallback, current.origin)
        selection = selector.select(self.labels, fallback, BLOCK)
        known[inherited] = selection
        return selection


class UseBackend:
    """A selection to put in force; made by `Settings.use_backend`.

    It keeps nothing of the blocks that are open: those are in the contexts
    that opened them. So one object may be entered any number of times.
    """

    __slots__ = ("_choice",)

    def __init__(self, choice: Choice) -> None:
        self._choice = choice

    def __repr__(self) -> str:
        labels, fallback = self._choice.labels, self._choice.fallback
        given = [*map(repr, labels), *([f"fallback={fallback!r}"] if fallback else ())]
        where = "holds in a with block, or in a function that it decorates"
        return f"<use_backend({', '.join(given)}): {where}>"

    def __reduce__(self) -> tuple[Any, ...]:
        choice = self._choice
        return _restore, (choice.selector.home, choice.labels, choice.fallback)

    def __enter__(self) -> None:
        choice = self._choice
        state = choice.state
        outer = state.active.get()
        try:
            if outer is not None and outer[0] is TRACED:
                state.push(choice.selection(outer[1]), self)
                return
            state.active.set((choice.selection(outer), outer, self))
            if not state.awake:
                state.wake()
        except BaseException:
            # Nobody leaves a block that was interrupted while it was entered.
            if state.active.get() is not outer:
                state.pop(self)
            raise

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        state, scope = self._choice.state, None
        try:
            scope = state.active.get()
            if scope is not None and scope[2] is self:
                state.active.set(scope[1])
            else:
                state.pop(self)
        except BaseException:
            # Interrupted, which is no reason to stay: nobody else leaves the block.
            if scope is None or state.active.get() is scope:
                state.pop(self)
            raise

    def __call__(self, func: F) -> F:
        """Make every call of a function run inside the block."""
        if isinstance(func, (type, staticmethod)) or not callable(func):
            msg = (
                f"use_backend decorates functions, not {func!r}. Of a class, decorate the methods, "
                "below @staticmethod, @classmethod or @property."
            )
            raise TypeError(msg)
        considered = getattr(func, DISPATCH, None)
        refuse_generator_function(func, "use_backend cannot decorate")
        inside = self._around_coroutine if is_coroutine_function(func) else self._around
        decorated: Any = wraps(func)(inside(func))
        if considered is not None:
            setattr(decorated, DISPATCH, Within(self, considered))
        return cast("F", decorated)

    def _around(self, func: Callable[..., Any]) -> Callable[..., Any]:
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return inside

    def _around_coroutine(self, func: Callable[..., Any]) -> Callable[..., Any]:
        async def inside(*args: Any, **kwargs: Any) -> Any:
            with self:
                return await func(*args, **kwargs)

        return inside


def _restore(home: Home, labels: tuple[Any, ...], fallback: FallbackPolicy | None) -> UseBackend:
    """Unpickle a block; what it asks for is looked for when it is entered.

    An error here would end a worker process, or keep its caller waiting.
    """
    from .elsewhere import find

    return UseBackend(Choice(find(home), labels, fallback))


class Within:
    """What `Settings.explain` asks of a dispatched function that runs inside a block."""

    def __init__(self, block: AbstractContextManager[None], considered: Any) -> None:
        self.selector = considered.selector
        self._block = block
        self._considered = considered

    def explain(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Decision:
        """Decide a call as it would be inside the block."""
        with self._block:
            decision: Decision = self._considered.explain(args, kwargs)
            return decision


def is_public(func: Any) -> bool:
    """Whether something is itself what users of a host call, and no wrapper of that."""
    function = getattr(getattr(func, DISPATCH, None), "function", None)
    return function is not None and function.public is func


def refuse_generator_function(func: Any, what: str) -> None:
    """Refuse to run a function inside a block whose body would not be inside it."""
    body = getattr(func, DISPATCH).function.func if is_public(func) else func
    if is_generator_function(body) or is_async_generator_function(body):
        msg = (
            f"{what} the generator function {func!r}: its body runs between its caller's lines. "
            "Write a with block inside it."
        )
        raise TypeError(msg)


def checked_policy(value: Any) -> FallbackPolicy:
    """Accept a fallback policy, or say what the policies are."""
    if value in FALLBACK_POLICIES:
        return value  # type: ignore[no-any-return]
    msg = f"fallback must be one of {quoted(FALLBACK_POLICIES)}, not {value!r}"
    raise ValueError(msg)
