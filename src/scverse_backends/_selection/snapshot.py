"""Snapshots: what is selected here and now, as a value that can be applied elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial, update_wrapper
from operator import attrgetter
from socket import gethostname
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from scverse_backends._backends.loading import import_reference
from scverse_backends._ground.callables import is_coroutine_function
from scverse_backends._ground.labels import CPU, FallbackPolicy
from scverse_backends._ground.safe_repr import attempt
from scverse_backends.exceptions import BackendError

from .blocks import checked_policy, is_public, run_within
from .followed import FollowedSnapshot
from .hosts import HostAddress, find_host, known_host
from .request import FunctionRequest, Request
from .selection import HOST, SNAPSHOT, Missing, Selection
from .selector import Selector  # noqa: TC001 - typing.get_type_hints finds it here
from .snapshot_choices import (
    FunctionChoices,
    SnapshotChoice,
    choices_from_json,
    choices_of,
    located,
)

if TYPE_CHECKING:
    from collections.abc import Generator


F = TypeVar("F", bound=Callable[..., Any])


class Resolved(NamedTuple):
    """What a snapshot means in this process, until what labels mean here changes."""

    selector: Selector
    selection: Selection
    generation: object


@dataclass(frozen=True, repr=False)
class Snapshot:
    """What was selected for one host where `Settings.snapshot` was called.

    A value: it never changes, compares by what it holds, and pickles. As a
    context manager it puts that in force for a block, in any thread, task or
    process, any number of times. Another process loads the same releases of
    the same backends, or says why it cannot.

    Attributes
    ----------
    fallback
        The policy that held.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from scverse_backends import BackendDispatcher
    >>> settings = BackendDispatcher(
    ...     entrypoint_group="example.backends", host_name="example"
    ... ).settings
    >>> def policy():
    ...     return settings.fallback
    >>> with settings.use_backend(fallback="error"):
    ...     snapshot = settings.snapshot()
    >>> snapshot
    <Snapshot of example: 'cpu'; fallback='error'>
    >>> with ThreadPoolExecutor() as pool:
    ...     pool.submit(snapshot.bind(policy)).result()
    'error'
    """

    _address: HostAddress
    _chosen: tuple[SnapshotChoice, ...]
    fallback: FallbackPolicy
    # Options need not be hashable.
    _for_some: tuple[FunctionChoices, ...] = field(default=(), hash=False)
    _is_late: bool = field(default=False, compare=False)
    _resolved: Resolved | None = field(default=None, init=False, compare=False)

    @property
    def host(self) -> str:
        """Name of the host."""
        return self._address.host

    @property
    def backends(self) -> tuple[str, ...]:
        """Canonical names of all choices, in order of preference."""
        return tuple(chosen.name for chosen in self._chosen if chosen.is_there)

    @property
    def is_host(self) -> bool:
        """Whether the host alone is selected, for every function, wherever it is applied."""
        return not self._for_some and all(chosen.name == CPU for chosen in self._chosen)

    def bind(self, func: F) -> F:
        """Make a callable that applies the snapshot around each call of a function.

        Parameters
        ----------
        func
            A plain or ``async`` function, decorated or not, or anything that
            can be called.

        Returns
        -------
        callable
            It looks like the function, and pickles if the function does.

        Raises
        ------
        TypeError
            If it cannot be called, or is a generator function, whose body
            runs between its caller's lines.

        Examples
        --------
        >>> import pickle
        >>> from scverse_backends import BackendDispatcher
        >>> settings = BackendDispatcher(
        ...     entrypoint_group="example.backends", host_name="example"
        ... ).settings
        >>> pickle.loads(pickle.dumps(settings.snapshot().bind(max)))([1, 3, 2])
        3
        """
        return cast("F", _bind(self.followed(), func))

    def followed(self) -> Snapshot | FollowedSnapshot:
        """Give the block around work that is bound here and now: traced, where calls are traced."""
        selector = known_host(self._address)
        sinks = () if selector is None else selector.state.sinks()
        traces = tuple(found for sink in sinks if (found := sink.follow()) is not None)
        return FollowedSnapshot(self, traces) if traces else self

    def late(self) -> Snapshot:
        """Give the same for work that may never call the host: what is missing is told by a call."""
        return replace(self, _is_late=True)

    def apply(self) -> None:
        """Put the snapshot in force for good: for the whole process, and after open blocks too.

        Made for the initializer of a pool of processes and the set-up hook of
        a worker. What is selected later replaces it, as it replaces any
        `Settings.backend` and `Settings.fallback`.

        Raises
        ------
        BackendError
            As entering it would.
        """
        found = self._resolve()
        found.selector.apply(found.selection, self.fallback)

    def to_json(self) -> str:
        """Write the snapshot as JSON, for what takes text only; `from_json` reads it.

        Raises
        ------
        ValueError
            If JSON does not have the value of one of its options.
        """
        import json

        found = {
            "host": self._address,
            "backends": self._chosen,
            "fallback": self.fallback,
            "functions": self._for_some,
        }
        options = [[key, [*map(list, given)]] for key, _, given in self._for_some]
        if not attempt(lambda: json.loads(json.dumps(options)) == options, lambda _: False):
            msg = f"The options of {self!r} cannot be written as JSON. Pickle it instead."
            raise ValueError(msg)
        return json.dumps(found)

    @classmethod
    def from_json(cls, text: str) -> Snapshot:
        """Read what `to_json` wrote, here or in another process.

        Raises
        ------
        ValueError
            If the text is anything else.
        """
        import json

        try:
            found = json.loads(text)
            for_some = [
                FunctionChoices(
                    key, choices_from_json(chosen), tuple((name, value) for name, value in options)
                )
                for key, chosen, options in found["functions"]
            ]
            return cls(
                HostAddress(*found["host"]),
                choices_from_json(found["backends"]),
                checked_policy(found["fallback"]),
                tuple(for_some),
            )
        except (KeyError, TypeError, ValueError) as error:
            msg = f"This is not the text of a snapshot ({error!r}). Give what to_json() wrote."
            raise ValueError(msg) from error

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        return self.__reduce__()[1]  # type: ignore[no-any-return]

    def prepare(self) -> None:
        """Import what the snapshot needs, as its first use in a process does.

        Raises
        ------
        BackendError
            As entering it would.
        """
        self._resolve()

    def __enter__(self) -> None:
        found = self._resolve()
        found.selector.state.push(found.selection, self)

    def __exit__(self, *error: object) -> None:
        cast("Resolved", self._resolved).selector.state.pop(self)

    def __repr__(self) -> str:
        chosen = ", ".join(map(str, self._chosen))
        for_some = "".join(map(str, self._for_some))
        return f"<Snapshot of {self.host}: {chosen}{for_some}; fallback={self.fallback!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        chosen = self._address, self._chosen, self.fallback, self._for_some
        return Snapshot, (*chosen, self._is_late)

    def _resolve(self) -> Resolved:
        """Find what is meant in this process, once until that changes."""
        found = self._resolved
        if found is None or found.generation is not found.selector.changes.generation:
            with _errors_name_the_machine():
                selector = find_host(self._address, ", ".join(self.backends))
            generation = selector.changes.generation
            try:
                selection = self._select(selector)
            except BackendError:
                if not self._is_late:
                    raise
                selection = Missing(partial(self._select, selector), self.fallback)
                generation = selector.changes.generation
            found = _keep(self, selector, selection, generation)
        return found

    def _select(self, selector: Selector) -> Selection:
        """Find the backends in this process."""
        asked = Request(self._chosen, tuple(FunctionRequest(*one) for one in self._for_some))
        with _errors_name_the_machine():
            if not selector.off:
                asked = asked.map(partial(located, registry=selector.registry))
            return selector.load(asked, self.fallback, SNAPSHOT, HOST)


def take(selector: Selector) -> Snapshot:
    """Note what holds here and now."""
    generation = selector.changes.generation
    current, policy = selector.current(), selector.policy()
    for_some = [
        FunctionChoices(rule.key, choices_of(rule.picks), rule.options) for rule in current.rules
    ]
    snapshot = Snapshot(selector.address, choices_of(current.picks), policy, tuple(for_some))
    rules = tuple(rule._replace(origin=SNAPSHOT) for rule in current.rules)
    selection = selector.state.make(current.picks, policy, SNAPSHOT, rules)
    _keep(snapshot, selector, selection, generation)
    return snapshot


def _keep(
    snapshot: Snapshot, selector: Selector, selection: Selection, generation: object
) -> Resolved:
    """Remember what a snapshot means in this process."""
    found = Resolved(selector, selection, generation)
    object.__setattr__(snapshot, "_resolved", found)
    return found


@contextmanager
def _errors_name_the_machine() -> Generator[None]:
    """Let errors say on which machine they were raised: they are read on another."""
    try:
        yield
    except BackendError as error:
        error.machine = gethostname()
        error.origin = f"{SNAPSHOT}, on {error.machine!r} in process {os.getpid()}"
        raise


def _bind(snapshot: Snapshot | FollowedSnapshot, func: Any) -> Any:
    """Wrap something callable; a plain function becomes one, unless pickle needs more than that."""
    if not callable(func):
        msg = f"bind needs something that can be called, not {func!r}"
        raise TypeError(msg)
    inside = run_within(snapshot, func, "bind cannot run inside a block")
    if type(func) is FunctionType and not _is_importable(func):
        return inside
    return Bound(snapshot, func, inside)


def _is_importable(func: Any) -> bool:
    """Whether a function is what pickle finds under its name."""
    found = attrgetter(func.__qualname__)
    return attempt(lambda: found(sys.modules[func.__module__]) is func, lambda _: False)


class Bound:
    """Runs something inside a snapshot wherever it is called, and pickles with it.

    A plain function pickles by its name, and under that name pickle would find
    what is wrapped. So this is an object, with what `inspect` asks of functions.
    """

    __slots__ = ("__dict__", "__weakref__", "_inside", "_snapshot")

    def __init__(
        self,
        snapshot: Snapshot | FollowedSnapshot,
        func: Callable[..., Any],
        inside: FunctionType,
    ) -> None:
        self._snapshot = snapshot
        self._inside = inside
        update_wrapper(self, inside)
        # Annotated here: Python 3.14 would take annotations of the class for the function's.
        self.__wrapped__: Callable[..., Any] = func

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inside, name)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self._inside(*args, **kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Be a method where a function would be one."""
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<{self.__wrapped__!r} under {self._snapshot!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        func: Any = self.__wrapped__
        if not is_public(func) or func.__module__ == "__main__" or not _is_importable(func):
            return _bind, (self._snapshot, func)
        absent = AbsentCoroutineFunction if is_coroutine_function(func) else AbsentFunction
        return _restore, (self._snapshot, f"{func.__module__}:{func.__qualname__}", absent)


def _restore(
    snapshot: Snapshot | FollowedSnapshot, reference: str, absent: type[AbsentFunction]
) -> Any:
    """Unpickle what was bound of a host.

    An error here would end a worker process, or keep its caller waiting. So
    the first call says that the host is missing.
    """
    func = attempt(lambda: import_reference(reference), lambda _: absent(reference))
    return _bind(snapshot, func)


class AbsentFunction:
    """Stands for a function of a host that cannot be imported; calling it says so."""

    def __init__(self, reference: str) -> None:
        self._reference = reference

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return import_reference(self._reference)(*args, **kwargs)


class AbsentCoroutineFunction(AbsentFunction):
    """The same, of a coroutine function."""

    async def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return await import_reference(self._reference)(*args, **kwargs)
