"""The trace: what ran where, one record for each dispatched call, in the order of their starts."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from socket import gethostname
from tempfile import mkdtemp
from threading import RLock
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from uuid import uuid4
from weakref import WeakValueDictionary, finalize

from scverse_backends._ground.callables import begin_locks
from scverse_backends._routing.spans import Span
from scverse_backends._selection.processes import find_host
from scverse_backends._selection.selector import Selector  # noqa: TC001 - typing.get_type_hints finds it here

from .trace_records import (
    CallSite,
    Grouping,
    TraceRecord,
    TraceSummary,
    as_plain,
    provenance_of_records,
    read_plain,
    records_of,
    summarize,
)

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Self

    from scverse_backends._ground.records import Decision
    from scverse_backends._ground.rendering import Page
    from scverse_backends._selection.processes import HostAddress

__all__ = ["CallSite", "Trace", "TraceRecord", "TraceSummary"]


class Trace:
    """What is collected of the calls made inside a ``with`` block; made by `Settings.trace`.

    It follows the context: coroutines that the block awaits, tasks that it
    starts and threads that are given its context are traced, other threads
    are not, unless it is a trace of every thread. What `Snapshot.bind` gives
    inside the block is traced wherever it runs: in threads, and in processes
    of this machine. It may be entered again, and adds to what it has.

    Examples
    --------
    >>> from scverse_backends import BackendDispatcher
    >>> dispatcher = BackendDispatcher(
    ...     entrypoint_group="example.backends", host_name="example"
    ... )
    >>> @dispatcher.backend_dispatch
    ... def double(values):
    ...     return [2 * value for value in values]
    >>> with dispatcher.settings.trace() as trace:
    ...     double([1, 2])
    [2, 4]
    >>> [(record.function, record.backend, record.outcome) for record in trace.records]
    [('double', 'cpu', 'returned')]

    Attributes
    ----------
    host
        Name of the host.
    unrecorded
        How many more calls there were, of which nothing is kept but this number
    unrecorded_fallbacks
        and how many of them the host ran in a backend's place.
    """

    def __init__(
        self, selector: Selector, *, every_thread: bool = False, most: int | None = None
    ) -> None:
        self.host = selector.configuration.host
        self._selector = selector
        self._state = selector.state
        self._every_thread = every_thread
        self._since = perf_counter()
        self._date = datetime.now(UTC)
        self._spans: list[Span] = []
        self._entered = 0
        self._most = sys.maxsize if most is None else most
        self.unrecorded = self.unrecorded_fallbacks = 0
        begin_locks(self)
        self._folder = ""
        self._letters_read: dict[str, Any] = {}
        self._was_sent = False

    def begin_locks(self) -> None:
        """Make the lock, anew in a forked child."""
        self._lock = RLock()

    def __enter__(self) -> Self:
        if self._is_on():
            msg = "This trace is on here already; make another one with settings.trace()."
            raise RuntimeError(msg)
        with self._lock:
            if not self._spans:
                self._since, self._date = perf_counter(), datetime.now(UTC)
            self._entered += 1
        if self._every_thread:
            self._state.observe(self)
        else:
            self._join()
        return self

    def _join(self) -> None:
        outer = self._state.span()
        call, sinks = (None, ()) if outer is None else (outer.call, outer.sinks)
        self._state.enter_span(Span(None, call, (*sinks, self)))

    def _is_on(self) -> bool:
        outer = self._state.span()
        here = self._state.observers if self._every_thread else outer.sinks if outer else ()
        return self in here

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._entered -= 1
        if self._every_thread:
            self._state.end_observing(self)
        else:
            self._leave()

    def _leave(self) -> None:
        inner = self._state.span()
        if inner is not None:
            sinks = tuple(sink for sink in inner.sinks if sink is not self)
            self._state.enter_span(Span(None, inner.call, sinks) if sinks else None)

    def follow(self) -> Followed:
        """Give what has the calls of work that is bound now traced where it runs."""
        with self._lock:
            if not self._folder:  # that nobody but this user may read
                self._folder = mkdtemp(prefix="scverse-backends-trace-")
                finalize(self, _remove, self._folder, os.getpid())
                _traces[self._folder] = self
        return Followed(self._selector.address, os.getpid(), self._folder)

    def expect_letters(self) -> None:
        """Expect to be told of calls by another process."""
        self._was_sent = True

    @contextmanager
    def here(self) -> Generator[None]:
        """Trace a call in this process that is bound to the trace, if it is not traced already."""
        if not self._entered or self._is_on():
            yield
            return
        self._was_sent = False  # what was sent runs here, as in Dask's workers that are threads
        self._join()
        try:
            yield
        finally:
            self._leave()

    def add(self, span: Span) -> None:
        """Take in a call that begins; once every block has ended, none."""
        if not self._entered:
            return
        if len(self._spans) < self._most:
            self._spans.append(span)
        else:
            with self._lock:
                self.unrecorded += 1
                self.unrecorded_fallbacks += cast("Decision", span.decision).is_fallback

    def __len__(self) -> int:
        return len(self._spans) + sum(len(letter["records"]) for letter in self._letters())

    @property
    def records(self) -> tuple[TraceRecord, ...]:
        """One record for each call, in the order in which they were made.

        Those of other processes come last. Each process has its own in a row.
        """
        records = [*records_of(tuple(self._spans), self._since)]
        for letter in self._letters():
            later = letter["since"] - self._date.timestamp()
            records += read_plain(letter["records"], len(records), later, letter["worker"])
        return tuple(records)

    def _letters(self) -> list[Any]:
        """Give what other processes told of their calls, in the order in which it was seen."""
        files = Path(self._folder).glob("*.json") if self._folder else ()
        for file in sorted(files, key=lambda file: file.stat().st_mtime):
            if file.name not in self._letters_read:
                self._letters_read[file.name] = json.loads(file.read_text(encoding="utf-8"))
        return [*self._letters_read.values()]

    def post_to(self, folder: str) -> None:
        """Send what was traced to a trace of another process; on another machine, do nothing."""
        if self._spans:
            worker = f"{gethostname()}:{os.getpid()}"
            records = [*map(as_plain, self.records)]
            letter = {"worker": worker, "since": self._date.timestamp(), "records": records}
            written = Path(folder, f"{uuid4()}.part")
            with suppress(OSError):
                written.write_text(json.dumps(letter), encoding="utf-8")
                written.replace(written.with_suffix(".json"))

    @property
    def elsewhere(self) -> str:
        """What it cannot know of, in words; empty where it knows that it missed nothing it expects."""
        if self._was_sent and not self._letters():
            return (
                "bound work was sent to other processes, and no call of it has come back. It made "
                "none, has not ended, or ran on another machine. A trace inside the function can be "
                "returned from there as trace.to_json()"
            )
        if len(self) or self._every_thread:
            return ""
        return (
            "calls in other threads and processes are traced if their function was bound inside the "
            "block, by snapshot.bind"
        )

    def summary(self, by: Grouping = "function") -> tuple[TraceSummary, ...]:
        """Count the calls in groups, in the order of their first ones.

        Parameters
        ----------
        by
            ``"function"``: calls of one function on one backend. ``"line"``: those
            that one line made. ``"backend"``: all on one backend.

        Returns
        -------
        tuple of TraceSummary
            How many calls, how long they took, which part of the time, and why
            the host ran some of them in a backend's place.
        """
        return tuple(summarize(self.records, by))

    def to_json(self, *, indent: int | None = 2) -> str:
        """Write the records as JSON; a default that JSON does not have becomes its ``repr``.

        Parameters
        ----------
        indent
            Spaces for each level; ``None`` for one line.

        Returns
        -------
        str
            An object with the ``host``, the ``provenance``, the ``records``,
            each with the fields of `TraceRecord`, and how many calls are ``unrecorded``.
        """
        plain = {
            "host": self.host,
            "unrecorded": self.unrecorded,
            "provenance": self.provenance(),
            "records": [*map(as_plain, self.records)],
        }
        return json.dumps(plain, indent=indent, allow_nan=False)

    def provenance(self) -> dict[str, Any]:
        """Say what computed the results, for ``adata.uns`` or a lab notebook.

        Returns
        -------
        dict
            What `Settings.provenance` says of host, versions and ``"date"``, which is
            when the trace began. ``"backends"`` has an entry for each backend that ran,
            with its ``"functions"``, the ``"reasons"`` why they ran there and,
            where there is any, its ``"distribution"`` and ``"version"``, and by
            function what it ``"ignored"``, its ``"differing_defaults"`` and the
            ``"options"`` that a block gave it; ``"fallbacks"`` tells by function
            why the host ran it in a backend's place, and ``"left_out"`` why an
            optional backend was. ``"unrecorded"`` counts the calls beyond the
            trace's limit, of which it does not know.
        """
        found = provenance_of_records(self._selector, self.records, self._date)
        return {**found, "unrecorded": self.unrecorded} if self.unrecorded else found

    def __repr__(self) -> str:
        missing = f"; {self.elsewhere}" if self.elsewhere else ""
        return f"<trace of {self.host}: {self.counted()}{missing}>"

    def __str__(self) -> str:
        return str(self._page())

    def _repr_html_(self) -> str:
        return self._page()._repr_html_()

    def counted(self) -> str:
        """Count the calls in words."""
        from .trace_page import counted

        if not self.unrecorded:
            return counted(len(self))
        fell_back = f"{self.unrecorded_fallbacks:,} fell back"
        return f"{counted(len(self))}, and {self.unrecorded:,} not recorded ({fell_back})"

    def _page(self) -> Page:
        # Imported here: only a trace that is shown pays for it.
        from .trace_page import trace_page

        title = f"Trace of {self.host}: {self.counted()}"
        return trace_page(title, self.records, self.elsewhere)


def _remove(folder: str, process: int) -> None:
    """Remove a folder, unless this is a forked copy of the process that made it."""
    if os.getpid() == process:
        rmtree(folder, ignore_errors=True)


_traces: WeakValueDictionary[str, Trace] = WeakValueDictionary()
"""The traces of this process to which work was bound, by their folders."""


class Followed(NamedTuple):
    """Leads the calls of bound work back to a trace, from wherever it runs; pickles.

    Parameters
    ----------
    address
        Where another process finds the host.
    process
        Number of the process that has the trace.
    folder
        Where other processes tell of their calls; no two traces have the same.
    """

    address: HostAddress
    process: int
    folder: str

    def around_call(self) -> AbstractContextManager[None]:
        """Give a block in which one call is traced."""
        if os.getpid() != self.process:
            return self._there()
        trace = _traces.get(self.folder)
        return nullcontext() if trace is None else trace.here()

    @contextmanager
    def _there(self) -> Generator[None]:
        trace = Trace(find_host(self.address))
        try:
            with trace:
                yield
        finally:
            trace.post_to(self.folder)

    def __reduce__(self) -> tuple[Any, ...]:
        trace = _traces.get(self.folder)
        if trace is not None:
            trace.expect_letters()
        return Followed, tuple(self)
