"""Comparison: the same call on the host and on a backend, each with its own copy of the inputs."""

from __future__ import annotations

import asyncio
import inspect
import pickle
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.callables import signature_of
from scverse_backends._ground.labels import CPU, quoted
from scverse_backends._ground.safe_repr import attempt
from scverse_backends._routing.defaults import same
from scverse_backends._selection.blocks import DISPATCH
from scverse_backends.dispatcher import BackendDispatcher  # noqa: TC001 - typing.get_type_hints finds it here

if TYPE_CHECKING:
    from scverse_backends._display.trace import TraceRecord


class Side(NamedTuple):
    """What one call gave.

    Parameters
    ----------
    result
        What it returned.
    arguments
        Its own copies of the arguments by name, as they are after the call.
    changed
        Names of those that the call changed in any way.
    """

    result: Any
    arguments: Mapping[str, Any]
    changed: tuple[str, ...]


class Comparison(NamedTuple):
    """The same call on the host and on a backend; made by `compare`.

    Parameters
    ----------
    function
        Name of the function.
    name
        Canonical name of the backend.
    host, backend
        What the call gave on each.
    """

    function: str
    name: str
    host: Side
    backend: Side

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of the arguments that either of the two changed."""
        return tuple(dict.fromkeys((*self.host.changed, *self.backend.changed)))

    @property
    def mutated_alike(self) -> bool:
        """Whether both left the arguments in exactly the same state."""
        mine, theirs = self.host.arguments, self.backend.arguments
        return all(_identical(mine[name], theirs[name]) for name in self.changed)

    def check(self, assert_same: Callable[[Any, Any], object]) -> None:
        """Compare the results, and the arguments that either call changed.

        Parameters
        ----------
        assert_same
            Called with what the backend gave and what the host gave. It raises,
            or returns false, if they are not the same.

        Raises
        ------
        AssertionError
            Or any other error that `assert_same` raises; a note says what was compared.
        """
        self._check_one("the result", self.backend.result, self.host.result, assert_same)
        for name in self.changed:
            subject = f"argument {name!r}, {self._who_changed(name)},"
            theirs, mine = self.backend.arguments[name], self.host.arguments[name]
            self._check_one(subject, theirs, mine, assert_same)

    def _check_one(
        self, subject: str, theirs: Any, mine: Any, assert_same: Callable[[Any, Any], object]
    ) -> None:
        what = f"{self.function}: {subject} is not the same on backend {self.name!r} and the host."
        if theirs is mine is None:
            return
        if theirs is None:
            msg = f"{what} The backend gives None, the host {type(mine).__name__}."
            raise AssertionError(msg)
        try:
            answer = assert_same(theirs, mine)
        except Exception as error:
            error.add_note(what)
            raise
        if answer is not None and not answer:
            raise AssertionError(what)

    def _who_changed(self, name: str) -> str:
        sides = {f"backend {self.name!r}": self.backend, "the host": self.host}
        return f"changed by {' and '.join(who for who in sides if name in sides[who].changed)}"


def compare(
    dispatcher: BackendDispatcher,
    backend: str,
    func: Callable[..., Any],
    /,
    *args: Any,
    **kwargs: Any,
) -> Comparison:
    """Make the same call on the host and on a backend, on copies of its inputs.

    Parameters
    ----------
    dispatcher
        The host's dispatcher.
    backend
        Any label of the backend.
    func
        A dispatched function, or a function that calls some. A coroutine is
        run, and the items of a generator are collected in a list.
    *args, **kwargs
        The call. Everything is copied by `copy.deepcopy`, a random generator too.

    Returns
    -------
    Comparison
        Both results, and the state of the inputs after the calls.

    Raises
    ------
    AssertionError
        If the backend did not run the call.

    Examples
    --------
    >>> from scverse_backends import BackendDispatcher
    >>> from scverse_backends.testing import compare
    >>> dispatcher = BackendDispatcher(
    ...     entrypoint_group="example.backends", host_name="example"
    ... )
    >>> @dispatcher.backend_dispatch
    ... def smallest(values):
    ...     return min(values)
    >>> class Hasty:
    ...     name = "hasty"
    ...
    ...     def smallest(self, values):
    ...         values.sort()
    ...         return values[0]
    >>> with dispatcher.register(Hasty):
    ...     found = compare(dispatcher, "hasty", smallest, [3, 1, 2])
    >>> found.host.result, found.backend.result, found.mutated_alike
    (1, 1, False)
    >>> found.backend.changed, found.backend.arguments
    (('values',), {'values': [1, 2, 3]})
    """
    considered = getattr(func, DISPATCH, None)
    before, mine, theirs = (deepcopy((args, kwargs)) for _ in range(3))
    settings = dispatcher.settings
    with settings.use_backend(CPU):
        result = _finished(func(*mine[0], **mine[1]))
    host = _side(func, result, before, mine)
    # Other functions that the call uses may run on the host.
    with settings.use_backend(backend, fallback="silent"):
        name = settings.backend
        with ran(dispatcher, name, considered and considered.function.name):
            result = _finished(func(*theirs[0], **theirs[1]))
    return Comparison(
        getattr(func, "__name__", repr(func)), name, host, _side(func, result, before, theirs)
    )


def _finished(result: Any) -> Any:
    """Run a coroutine, and collect the items of a generator."""
    if inspect.iscoroutine(result):
        return asyncio.run(result)
    return list(result) if inspect.isgenerator(result) else result


def _side(func: Callable[..., Any], result: Any, before: Any, after: Any) -> Side:
    """Describe what one call gave."""
    signature = signature_of(func)
    was = signature.bind(*before[0], **before[1]).arguments
    now = signature.bind(*after[0], **after[1]).arguments
    return Side(result, now, tuple(n for n in was if not _identical(was[n], now[n])))


def _identical(one: Any, other: Any) -> bool:
    """Whether two copies of one thing are in the same state."""
    if same(one, other):
        return True
    return attempt(lambda: pickle.dumps(one) == pickle.dumps(other), lambda _: False)


@contextmanager
def ran(dispatcher: BackendDispatcher, backend: str, function: str | None) -> Generator[None]:
    """Fail unless a backend runs a function inside the block.

    Parameters
    ----------
    dispatcher
        The host's dispatcher.
    backend
        The backend's canonical name.
    function
        Dispatch name of the function; ``None`` for any function.

    Raises
    ------
    AssertionError
        If the backend ran no call of it; the text says where the calls ran, and why.
    """
    with dispatcher.settings.trace() as trace:
        yield
    calls = [record for record in trace.records if function in (None, record.function)]
    if not any(record.backend == backend for record in calls):
        what = "nothing" if function is None else f"no call of {function!r}"
        msg = f"backend {backend!r} ran {what}: {_whereabouts(calls, function)}"
        raise AssertionError(msg)


def _whereabouts(calls: Sequence[TraceRecord], function: str | None) -> str:
    """Say where the calls ran instead, and why."""
    if not calls:
        called = (
            "no dispatched function was called" if function is None else "it was called nowhere"
        )
        return f"{called}, or in a thread that was not given the context."
    places = dict.fromkeys(record.backend for record in calls)
    reasons = dict.fromkeys(
        f"backend {refusal.backend!r} {refusal.reason}"
        for record in calls
        for refusal in record.refusals
    ) or dict.fromkeys(record.reason for record in calls)
    return f"it ran on {quoted(places)} ({'; '.join(reasons)})."
