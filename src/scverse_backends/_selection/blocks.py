"""Blocks: a selection put in force for a stretch of code, or for every call of a function."""

from __future__ import annotations

import sys
from functools import update_wrapper
from types import FunctionType
from typing import TYPE_CHECKING, Any, cast

from scverse_backends._backends.configuration import FALLBACK_POLICIES
from scverse_backends._ground import messages
from scverse_backends._ground.callables import (
    is_async_generator_function,
    is_coroutine_function,
    is_generator_function,
)
from scverse_backends._ground.labels import quoted

from .hosts import find_host
from .state import BLOCK, TRACED

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

    from scverse_backends._ground.labels import FallbackPolicy

    from .hosts import HostAddress
    from .selector import Selector
    from .state import Selection

DISPATCH = "__scverse_dispatch__"
"""Where a public function keeps what decides its calls; outer `functools.wraps` copy it."""


class Choice:
    """What one `use_backend` call asks for, resolved when a block of it is entered."""

    __slots__ = ("changes", "fallback", "generation", "labels", "selections", "selector", "state")

    def __init__(
        self, selector: Selector, labels: tuple[Any, ...], fallback: FallbackPolicy | None
    ) -> None:
        if not labels and fallback is None:
            msg = "use_backend needs a backend, or fallback=..."
            raise TypeError(msg)
        self.selector = selector
        self.state = selector.state
        self.changes = selector.changes
        self.labels = labels
        self.fallback: FallbackPolicy | None = None
        if fallback is not None:
            self.fallback = checked_policy(fallback)
        self.generation = self.changes.generation
        self.selections: dict[FallbackPolicy | None, Selection] = {}

    def __str__(self) -> str:
        policy = [f"fallback={self.fallback!r}"] if self.fallback else []
        return f"use_backend({', '.join([*map(repr, self.labels), *policy])})"

    def locate(self) -> None:
        """Find the backends that the labels name, and raise if one names none."""
        if self.labels:
            self.selector.locate(self.labels)

    def resolve(self, inherited: FallbackPolicy | None) -> Selection:
        """Load what is put in force; without labels that is what surrounds the block."""
        fallback = self.fallback or inherited
        if not self.labels:
            current = self.selector.current()
            return self.state.make(current.backends, fallback, current.origin)
        if self.generation is not self.changes.generation:
            self.selections, self.generation = {}, self.changes.generation
        known = self.selections
        selection = known[inherited] = self.selector.select(self.labels, fallback, BLOCK)
        return selection


class UseBackend:
    """A selection to put in force; made by `Settings.use_backend`.

    The contexts that open a block keep it, this object does not. So one object
    can be entered any number of times.
    """

    __slots__ = ("_choice", "_used")

    def __init__(self, choice: Choice, *, used: bool = False) -> None:
        self._choice = choice
        self._used = used

    def __repr__(self) -> str:
        return f"<{self._choice}: holds in a with block, or in a function that it decorates>"

    def __reduce__(self) -> tuple[Any, ...]:
        self._used = True
        choice = self._choice
        return _restore, (choice.selector.address, choice.labels, choice.fallback)

    def __enter__(self) -> None:
        self._used = True
        choice = self._choice
        state = choice.state
        top = state.active.get()
        outer = top[1] if top is not None and top[0] is TRACED else top
        try:
            inherited = None if outer is None else outer[0].fallback
            selection = choice.selections.get(inherited)
            if selection is None or choice.generation is not choice.changes.generation:
                selection = choice.resolve(inherited)
            if top is not outer:
                state.push(selection, self)
                return
            state.active.set((selection, outer, self))
            if not state.awake:
                state.wake()
        except BaseException:
            # __exit__ does not run for a block that was interrupted while it was entered.
            if state.active.get() is not top:
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
            # Interrupted: the block ends all the same, because nothing else would end it.
            if scope is None or state.active.get() is scope:
                state.pop(self)
            raise

    def __call__(self, func: F) -> F:
        """Make every call of a function run inside the block."""
        self._used = True
        if isinstance(func, (type, staticmethod)) or not callable(func):
            msg = (
                f"use_backend decorates functions, not {func!r}. Of a class, decorate the methods, "
                "below @staticmethod, @classmethod or @property."
            )
            raise TypeError(msg)
        return cast("F", run_within(self, func, "use_backend cannot decorate"))

    def __del__(self) -> None:
        # One that was interrupted while it was made has no attributes.
        if not (getattr(self, "_used", True) or sys.is_finalizing()):
            from scverse_backends.exceptions import UnusedBlockWarning

            choice = self._choice
            host = choice.selector.configuration.host
            messages.warn(UnusedBlockWarning(choice.labels, choice.fallback, host=host))


def _restore(
    address: HostAddress, labels: tuple[Any, ...], fallback: FallbackPolicy | None
) -> UseBackend:
    """Unpickle a block; its labels are looked up when it is entered.

    An error here would end a worker process, or keep its caller waiting.
    """
    # A worker that was sent a block need not use it.
    return UseBackend(Choice(find_host(address), labels, fallback), used=True)


def run_within(block: AbstractContextManager[None], func: Any, refusal: str) -> FunctionType:
    """Wrap something callable in a plain function that runs it inside a block."""
    refuse_generator_function(func, refusal)
    inside = (_coroutine_within if is_coroutine_function(func) else _within)(block, func)
    # The namespace of a class or an object is its own, not metadata.
    update_wrapper(inside, func, updated=("__dict__",) if type(func) is FunctionType else ())
    dispatch = getattr(func, DISPATCH, None)
    if dispatch is not None:
        setattr(inside, DISPATCH, dispatch)
    return cast("FunctionType", inside)


def _within(block: AbstractContextManager[None], func: Any) -> Callable[..., Any]:
    def inside(*args: Any, **kwargs: Any) -> Any:
        with block:
            return func(*args, **kwargs)

    return inside


def _coroutine_within(block: AbstractContextManager[None], func: Any) -> Callable[..., Any]:
    async def inside(*args: Any, **kwargs: Any) -> Any:
        with block:
            return await func(*args, **kwargs)

    return inside


def is_public(func: Any) -> bool:
    """Whether something is itself what users of a host call, not a wrapper of that."""
    function = getattr(getattr(func, DISPATCH, None), "function", None)
    return function is not None and function.public is func


def refuse_generator_function(func: Any, what: str) -> None:
    """Refuse a generator function: its body would not run inside the block."""
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
