"""Snapshots: what is selected here and now, as a value that can be applied elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from socket import gethostname
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from scverse_backends._ground.labels import CPU, FallbackPolicy, key
from scverse_backends._ground.records import release
from scverse_backends.exceptions import BackendError

from .bound import bind
from .elsewhere import find, missing
from .hosts import Home  # noqa: TC001 - typing.get_type_hints finds it here
from .state import Selection, SelectionState  # noqa: TC001 - typing.get_type_hints finds it here

if TYPE_CHECKING:
    from collections.abc import Generator

    from scverse_backends._backends.registry import Registry
    from scverse_backends._ground.records import Candidate, LoadedBackend, Verdict

    from .selector import Selector

F = TypeVar("F", bound=Callable[..., Any])

ORIGIN = "a snapshot"


class Chosen(NamedTuple):
    """One choice of a snapshot; without a candidate it is the host, or was registered."""

    name: str
    candidate: Candidate | None

    def __str__(self) -> str:
        found = self.candidate
        said = f" ({release(found.distribution, found.version)})" if found else ""
        return f"{self.name!r}{said}"


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

    _home: Home
    _chosen: tuple[Chosen, ...]
    fallback: FallbackPolicy
    _resolved: tuple[SelectionState, Selection] | None = field(
        default=None, init=False, compare=False
    )

    @property
    def host(self) -> str:
        """Name of the host."""
        return self._home[0]

    @property
    def backends(self) -> tuple[str, ...]:
        """Canonical names of all choices, in order of preference."""
        return tuple(chosen.name for chosen in self._chosen)

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
            If it is a generator function, whose body runs between its
            caller's lines.

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
        return cast("F", bind(self, func))

    def prepare(self) -> None:
        """Import what the snapshot needs, as its first use in a process does.

        Raises
        ------
        BackendError
            As entering it would.
        """
        self._resolve()

    def __enter__(self) -> None:
        state, selection = self._resolve()
        state.push(selection, self)

    def __exit__(self, *error: object) -> None:
        self._resolve()[0].pop(self)

    def __repr__(self) -> str:
        chosen = ", ".join(map(str, self._chosen))
        return f"<Snapshot of {self.host}: {chosen}; fallback={self.fallback!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Snapshot, (self._home, self._chosen, self.fallback)

    def _resolve(self) -> tuple[SelectionState, Selection]:
        """Find what is meant in this process, once."""
        if self._resolved is None:
            with _told_where():
                selector = find(self._home, ", ".join(self.backends))
                located = [_locate(chosen, selector.registry) for chosen in self._chosen]
                _keep(self, selector.state, selector.load(located, self.fallback, ORIGIN))
        return cast("tuple[SelectionState, Selection]", self._resolved)


def take(selector: Selector) -> Snapshot:
    """Note what holds here and now."""
    current, policy = selector.current(), selector.policy()
    chosen = [
        Chosen(CPU, None) if backend is None else Chosen(backend.name, backend.candidate)
        for backend in current.backends
    ]
    snapshot = Snapshot(selector.home, tuple(chosen), policy)
    _keep(snapshot, selector.state, selector.state.make(current.backends, policy, ORIGIN))
    return snapshot


def _keep(snapshot: Snapshot, state: SelectionState, selection: Selection) -> None:
    """Remember what a snapshot means in this process."""
    object.__setattr__(snapshot, "_resolved", (state, selection))


def _locate(chosen: Chosen, registry: Registry) -> LoadedBackend | Verdict | None:
    """Find what was chosen in this process: the same release of the same backend."""
    if chosen.name == CPU:
        return None
    exact = registry.find(chosen.name, chosen.candidate)
    host = registry.configuration.host
    if exact is None and chosen.candidate is None:
        problem = "it was registered, which only the process that did so knows of. "
        raise missing(host, chosen.name, problem + "Register it there too, or install it.")
    if exact is not None:
        return exact
    located = cast("LoadedBackend | Verdict", registry.locate(chosen.name))
    if _release(located.candidate) != _release(chosen.candidate):
        problem = (
            f"the snapshot was taken of {_release(chosen.candidate)}, and there it is "
            f"{_release(located.candidate)}. Install the same release there."
        )
        raise missing(host, chosen.name, problem)
    return located


def _release(candidate: Candidate | None) -> str:
    if candidate is None:
        return "an adapter that was registered"
    return release(candidate.distribution and key(candidate.distribution), candidate.version)


@contextmanager
def _told_where() -> Generator[None]:
    """Let errors say on which machine they were raised, for whoever reads them on another."""
    try:
        yield
    except BackendError as error:
        error.machine = gethostname()
        error.origin = f"{ORIGIN}, on {error.machine!r} in process {os.getpid()}"
        raise
