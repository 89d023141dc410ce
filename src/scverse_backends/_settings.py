"""Settings: what users hold to select backends."""

from __future__ import annotations

import inspect
from functools import wraps
from itertools import chain
from typing import TYPE_CHECKING, Any

from ._configuration import FALLBACK_POLICIES
from ._labels import quoted
from ._selector import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._model import Decision, FallbackPolicy
    from ._selection import Selection
    from ._selector import Selector


DISPATCH = "__scverse_dispatch__"
"""Where a public function keeps what decides its calls; outer `functools.wraps` copy it."""


class Settings:
    """The selection of one host's users.

    A host exposes the instance that its dispatcher makes.

    Examples
    --------
    >>> from scverse_backends import BackendDispatcher
    >>> settings = BackendDispatcher(
    ...     entrypoint_group="example.backends", host_name="example"
    ... ).settings
    >>> settings.backend
    'cpu'
    >>> with settings.use_backend("cpu", fallback="error"):
    ...     settings.fallback
    'error'
    """

    def __init__(self, selector: Selector) -> None:
        self._selector = selector
        self._generation = selector.registry.generation
        self._choices: dict[Any, _Choice] = {}

    @property
    def backend(self) -> str:
        """Canonical name of the first choice; ``"cpu"`` is the host's own code.

        Set it to a label, or to several in order of preference. That changes
        the innermost `use_backend` block of this context, or, outside of any,
        the whole process: every thread and task sees it.

        Raises
        ------
        UnknownBackendError
            If nobody answers to a label, or it is reserved.
        BackendNotInstalledError
            If the host knows the backend and it is not installed.
        BackendLoadError
            If it is installed and cannot be loaded.
        UntrustedBackendError
            If the host refuses it.
        """
        return self.backends[0]

    @backend.setter
    def backend(self, labels: str | Sequence[str]) -> None:
        self._selector.set_default(labels)

    @property
    def backends(self) -> tuple[str, ...]:
        """Canonical names of all choices, in order of preference."""
        return self._selector.current().names

    @property
    def fallback(self) -> FallbackPolicy:
        """What happens when no selected backend can take a call.

        ``"warn"`` runs it on the host with a `BackendFallbackWarning`,
        ``"silent"`` without, ``"error"`` raises `BackendFallbackError` before
        anything runs. Set like `backend`.

        Raises
        ------
        ValueError
            If it is set to anything else.
        """
        return self._selector.policy()

    @fallback.setter
    def fallback(self, policy: FallbackPolicy) -> None:
        self._selector.set_policy(_policy(policy))

    def use_backend(
        self, *labels: str | Sequence[str], fallback: FallbackPolicy | None = None
    ) -> UseBackend:
        """Select backends for a block of code, or for every call of a function.

        Parameters
        ----------
        *labels
            Backends in order of preference: the first that can take a call
            runs it. None at all keeps the present choice, for a new `fallback`.
        fallback
            The policy within the block; the surrounding one if left out.

        Returns
        -------
        UseBackend
            A context manager that can be entered again, nested and reused,
            and that decorates plain and ``async`` functions. Backends are
            imported when it is entered.

        Raises
        ------
        UnknownBackendError, BackendNotInstalledError, UntrustedBackendError
            As for `backend`; already here, not only when the block is entered.
        """
        generation = self._selector.registry.generation
        if self._generation is not generation:
            self._choices, self._generation = {}, generation
        try:
            known = self._choices.get((labels, fallback))
        except TypeError:
            known = None
        if known is None:
            known = _Choice(self._selector, tuple(chain(*map(listed, labels))), fallback)
            self._choices[known.labels, fallback] = known
        return UseBackend(known)

    def available_backends(self) -> list[str]:
        """List the canonical names of the backends that can be loaded here.

        Each is imported to know its name; `BackendDispatcher.backends` lists
        what is installed and imports nothing.
        """
        loaded = self._selector.registry.load_all()
        return sorted({backend.name for backend in loaded})

    def get_backend(self, name: str) -> Any:
        """Load a backend's adapter; ``None`` for ``"cpu"``.

        Parameters
        ----------
        name
            Any label.

        Raises
        ------
        UnknownBackendError, BackendNotInstalledError, BackendLoadError, UntrustedBackendError
            As for `backend`.
        """
        backend = self._selector.registry.get(name)
        return None if backend is None else backend.adapter

    def explain(self, func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Decision:
        """Tell where a call would run, and why, without running it.

        Parameters
        ----------
        func
            A decorated function of the host; other decorators may wrap it.
        *args, **kwargs
            The call, with ``backend=`` if it would have that.

        Returns
        -------
        Decision
            What would happen.

        Raises
        ------
        TypeError
            If the function is not dispatched by this host.
        """
        considered = getattr(func, DISPATCH, None)
        if considered is None or considered.registry is not self._selector.registry:
            host = self._selector.registry.configuration.host
            msg = f"{func!r} is not a dispatched function of {host}"
            raise TypeError(msg)
        decision: Decision = considered.explain(args, kwargs)
        return decision


class _Choice:
    """What one `use_backend` call asks for, resolved when a block of it is entered."""

    __slots__ = ("_generation", "_selections", "fallback", "labels", "selector")

    def __init__(
        self, selector: Selector, labels: tuple[Any, ...], fallback: FallbackPolicy | None
    ) -> None:
        if not labels and fallback is None:
            msg = "use_backend needs a backend, or fallback=..."
            raise TypeError(msg)
        self.selector = selector
        self.labels = labels
        self.fallback = None if fallback is None else _policy(fallback)
        self._generation = selector.registry.generation
        self._selections: dict[FallbackPolicy | None, Selection] = {}
        if labels:
            selector.locate(labels)

    def selection(self) -> Selection:
        """Give what to put in force here, loaded."""
        selector = self.selector
        if self._generation is not selector.registry.generation:
            self._selections, self._generation = {}, selector.registry.generation
        outer = selector.state.active.get()
        inherited = None if outer is None else outer.selection.fallback
        return self._selections.get(inherited) or self._resolve(inherited)

    def _resolve(self, inherited: FallbackPolicy | None) -> Selection:
        """Load what is put in force; without labels that is what surrounds the block."""
        selector, fallback = self.selector, self.fallback or inherited
        if not self.labels:
            current = selector.current()
            return selector.state.make(current.backends, fallback, current.origin)
        selection = selector.select(self.labels, fallback, "use_backend")
        self._selections[inherited] = selection
        return selection


class UseBackend:
    """A selection to put in force; made by `Settings.use_backend`.

    It keeps nothing of the blocks that are open: those are in the contexts
    that opened them. So one object may be entered any number of times.
    """

    __slots__ = ("_choice", "_state")

    def __init__(self, choice: _Choice) -> None:
        self._choice = choice
        self._state = choice.selector.state

    def __enter__(self) -> None:
        self._state.push(self._choice.selection(), self)

    def __exit__(self, *error: object) -> None:
        self._state.pop(self)

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Make every call of a function run inside the block."""
        if inspect.isgeneratorfunction(func) or inspect.isasyncgenfunction(func):
            msg = (
                f"use_backend cannot decorate the generator function {func!r}: its body runs "
                "between its caller's lines. Write a with block inside it."
            )
            raise TypeError(msg)
        inside = self._around_coroutine if inspect.iscoroutinefunction(func) else self._around
        decorated = wraps(func)(inside(func))
        considered = getattr(func, DISPATCH, None)
        if considered is not None:
            setattr(decorated, DISPATCH, _Within(self, considered))
        return decorated

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


class _Within:
    """What `Settings.explain` asks of a dispatched function that a block decorates."""

    def __init__(self, block: UseBackend, considered: Any) -> None:
        self.registry = considered.registry
        self._block = block
        self._considered = considered

    def explain(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Decision:
        """Decide a call as it would be inside the block."""
        with self._block:
            decision: Decision = self._considered.explain(args, kwargs)
            return decision


def _policy(value: Any) -> FallbackPolicy:
    if value in FALLBACK_POLICIES:
        return value  # type: ignore[no-any-return]
    msg = f"fallback must be one of {quoted(FALLBACK_POLICIES)}, not {value!r}"
    raise ValueError(msg)
