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

from .processes import find_host
from .selection import BLOCK, HOST
from .state import TRACED

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

    from scverse_backends._backends.configuration import FallbackPolicy

    from .processes import HostAddress
    from .request import Request
    from .selection import Selection
    from .selector import Selector

DISPATCH = "__scverse_dispatch__"
"""Where a public function keeps what decides its calls; outer `functools.wraps` copy it."""


class Choice:
    """What one `use_backend` call asks for; its selection is found when a block of it is entered."""

    def __init__(
        self,
        selector: Selector,
        asked: Request,
        fallback: FallbackPolicy | None,
        origin: str = BLOCK,
    ) -> None:
        if not any(asked) and fallback is None:
            msg = "use_backend needs a backend, fallback=..., or options=..."
            raise TypeError(msg)
        self.selector = selector
        self.state = selector.state
        self.changes = selector.changes
        self.asked = asked
        self.origin = origin
        self.fallback: FallbackPolicy | None
        self.fallback = None if fallback is None else checked_policy(fallback)
        self.generation = self.changes.generation
        # By the policy around the block where its labels say all that is selected, else by the
        # selection around it.
        self.selections: dict[FallbackPolicy | Selection | None, Selection] = {}

    def __str__(self) -> str:
        given = [f"fallback={self.fallback!r}"] if self.fallback else []
        if self.asked.options:
            given.append(f"options={self.asked.written_options!r}")
        return f"use_backend({', '.join([*map(repr, self.asked.written), *given])})"

    def check(self) -> None:
        """Find what the labels and keys name, and raise if one names nothing."""
        self.selector.check(self.asked)

    def find(self, inherited: FallbackPolicy | None) -> Selection:
        """Give the selection to put in force, loading its backends; the rest is what surrounds the block."""
        fallback, asked = self.fallback or inherited, self.asked
        if self.generation is not self.changes.generation:
            self.selections, self.generation = {}, self.changes.generation
        outer = HOST if asked.labels else self.selector.current()
        if not any(asked):
            return self.state.under(fallback, outer)
        depends_on = inherited if asked.labels else outer
        known = self.selections  # another thread may begin anew while something is loaded here
        selection = known.get(depends_on)
        if selection is None:
            selection = self.selector.select(asked, fallback, self.origin, outer)
            if outer.is_kept and not selection.has_failed:
                known[depends_on] = selection
        return selection


class UseBackend:
    """A selection to put in force; made by `Settings.use_backend`.

    The contexts that open a block keep it, this object does not. So one object
    can be entered any number of times.
    """

    __slots__ = ("_choice", "_used")

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._used = False

    def __repr__(self) -> str:
        return f"<{self._choice}: holds in a with block, or in a function that it decorates>"

    def __reduce__(self) -> tuple[Any, ...]:
        self._used = True
        choice = self._choice
        return _restore, (choice.selector.address, choice.asked, choice.fallback)

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
                selection = choice.find(inherited)
            if top is not outer:
                state.push(selection, self)
                return
            state.active.set((selection, outer, self))
            if not state.awake:
                state.wake()
        except BaseException as error:
            # __exit__ does not run for a block that was interrupted while it was entered.
            if state.active.get() is not top:
                state.pop(self)
            messages.point_at_caller(error)
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
        try:
            used = self._used
        except AttributeError:  # it was interrupted while it was made
            return
        if not (used or sys.is_finalizing()):
            from scverse_backends.exceptions import UnusedBlockWarning

            choice = self._choice
            host = choice.selector.configuration.host
            asked, policy = choice.asked, choice.fallback
            messages.warn(
                UnusedBlockWarning(asked.written, policy, host=host, options=asked.written_options)
            )


def _restore(address: HostAddress, asked: Request, fallback: FallbackPolicy | None) -> UseBackend:
    """Unpickle a block; its labels are looked up when it is entered.

    An error here would end a worker process, or keep its caller waiting.
    """
    block = UseBackend(Choice(find_host(address), asked, fallback))
    block._used = True  # noqa: SLF001 - a worker that was sent a block need not use it
    return block


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
