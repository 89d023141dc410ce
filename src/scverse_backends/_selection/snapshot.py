"""Snapshots: what is selected here and now, as a value that can be applied elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from operator import attrgetter
from socket import gethostname
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar, cast

from scverse_backends._backends.configuration import FallbackPolicy  # noqa: TC001 - typing.get_type_hints finds it here
from scverse_backends._ground.labels import CPU, fold
from scverse_backends._ground.records import Candidate, release
from scverse_backends._ground.safe_repr import attempt
from scverse_backends.exceptions import BackendError

from .blocks import checked_policy
from .bound import FollowedSnapshot, bind
from .picking import attempt_to_locate
from .processes import HostAddress, find_host, known_host, snapshot_error
from .request import OPTIONAL, FunctionRequest, Request
from .selection import HOST, SNAPSHOT, Missing, Selection
from .selector import Selector  # noqa: TC001 - typing.get_type_hints finds it here

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from scverse_backends._backends.registry import Registry
    from scverse_backends._ground.records import LoadedBackend, Verdict

    from .picking import Located
    from .selection import Pick

F = TypeVar("F", bound=Callable[..., Any])


class SnapshotPick(NamedTuple):
    """One pick of a snapshot; without a candidate it is the host, or was registered."""

    name: str
    candidate: Candidate | None
    is_optional: bool = False
    is_there: bool = True
    """Whether it was not left out where the snapshot was taken."""

    def __str__(self) -> str:
        found, mark = self.candidate, OPTIONAL if self.is_optional else ""
        said = f" ({release(found.distribution, found.version)})" if found else ""
        return f"{self.name + mark!r}{said}"


class FoundHere(NamedTuple):
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
    _chosen: tuple[SnapshotPick, ...]
    fallback: FallbackPolicy
    # Options need not be hashable.
    _for_some: tuple[FunctionRequest, ...] = field(default=(), hash=False)
    _is_late: bool = field(default=False, compare=False)
    # No field: who takes fields apart or copies them takes what is sent, not what holds here.
    _found_here: ClassVar[FoundHere | None] = None

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
        return cast("F", bind(self.followed(), func))

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
        found = self._find_here()
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
                FunctionRequest(
                    key, _picks_from_json(chosen), tuple((name, value) for name, value in options)
                )
                for key, chosen, options in found["functions"]
            ]
            return cls(
                HostAddress(*found["host"]),
                _picks_from_json(found["backends"]),
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
        self._find_here()

    def __enter__(self) -> None:
        found = self._find_here()
        found.selector.state.push(found.selection, self)

    def __exit__(self, *error: object) -> None:
        cast("FoundHere", self._found_here).selector.state.pop(self)

    def __repr__(self) -> str:
        held = [", ".join(map(str, self._chosen))]
        for pattern, chosen, options in self._for_some:
            given = f" with {dict(options)}" if options else ""
            held.append(f"{pattern}: {', '.join(map(str, chosen))}{given}")
        return f"<Snapshot of {self.host}: {'; '.join(held)}; fallback={self.fallback!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        chosen = self._address, self._chosen, self.fallback, self._for_some
        return Snapshot, (*chosen, self._is_late)

    def _find_here(self) -> FoundHere:
        """Find what is meant in this process, once until that changes."""
        found = self._found_here
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
            found = FoundHere(selector, selection, generation)
            object.__setattr__(self, "_found_here", found)
        return found

    def _select(self, selector: Selector) -> Selection:
        """Find the backends in this process."""
        asked = Request(self._chosen, self._for_some)
        with _errors_name_the_machine():
            find = partial(_located, registry=selector.registry)
            asked = asked.map(attrgetter("name") if selector.off else find)
            return selector.load(asked, self.fallback, SNAPSHOT, HOST)


def take(selector: Selector) -> Snapshot:
    """Note what holds here and now."""
    generation = selector.changes.generation
    current, policy = selector.current(), selector.policy()
    for_some = [
        FunctionRequest(rule.key, _picks_of(rule.picks), rule.options) for rule in current.rules
    ]
    snapshot = Snapshot(selector.address, _picks_of(current.picks), policy, tuple(for_some))
    rules = tuple(rule._replace(origin=SNAPSHOT) for rule in current.rules)
    selection = selector.state.make(current.picks, policy, SNAPSHOT, rules)
    object.__setattr__(snapshot, "_found_here", FoundHere(selector, selection, generation))
    return snapshot


@contextmanager
def _errors_name_the_machine() -> Generator[None]:
    """Let errors say on which machine they were raised: they are read on another."""
    try:
        yield
    except BackendError as error:
        error.machine = gethostname()
        error.origin = f"{SNAPSHOT}, on {error.machine!r} in process {os.getpid()}"
        raise


def _picks_of(picks: tuple[Pick, ...]) -> tuple[SnapshotPick, ...]:
    """Note each choice, also those that are left out: they may be there elsewhere."""
    return tuple(
        SnapshotPick(
            pick.name,
            pick.backend.candidate if pick.backend else None,
            pick.is_optional,
            pick.left_out is None,
        )
        for pick in picks
    )


def _picks_from_json(found: Iterable[Any]) -> tuple[SnapshotPick, ...]:
    """Read choices from JSON."""
    return tuple(
        SnapshotPick(name, candidate and Candidate(*candidate), *more)
        for name, candidate, *more in found
    )


def _located(chosen: SnapshotPick, registry: Registry) -> Located:
    """Find what was chosen in this process; an optional one is left out if it is not there."""
    find = partial(_find, chosen, registry)
    return attempt_to_locate(chosen.name, find, is_optional=chosen.is_optional)


def _find(chosen: SnapshotPick, registry: Registry) -> LoadedBackend | Verdict | None:
    """Find what was chosen in this process: the same release of the same backend."""
    if chosen.name == CPU:
        return None
    if not chosen.is_there:
        return registry.locate(chosen.name)
    exact = registry.find(chosen.name, chosen.candidate)
    if exact is not None:
        return exact
    host = registry.configuration.host
    if chosen.candidate is None:
        problem = "it was registered, and only the process that registered it has it. "
        raise snapshot_error(host, chosen.name, problem + "Register it there too, or install it.")
    located = cast("LoadedBackend | Verdict", registry.locate(chosen.name))
    if _release(located.candidate) != _release(chosen.candidate):
        problem = (
            f"the snapshot was taken of {_release(chosen.candidate)}, and there it is "
            f"{_release(located.candidate)}. Install the same release there."
        )
        raise snapshot_error(host, chosen.name, problem)
    return located


def _release(candidate: Candidate | None) -> str:
    if candidate is None:
        return "an adapter that was registered"
    return release(candidate.distribution and fold(candidate.distribution), candidate.version)
