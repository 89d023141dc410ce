"""The trace: what ran where, one record for each dispatched call, in the order of their starts."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from scverse_backends._routing.spans import OUTSIDE, Span
from scverse_backends._selection.selector import Selector  # noqa: TC001 - typing.get_type_hints finds it here

from .trace_records import (
    CallSite,
    Grouping,
    TraceRecord,
    TraceSummary,
    as_plain,
    records_of,
    summarize,
)

if TYPE_CHECKING:
    from typing import Self

    from scverse_backends._ground.records import Decision
    from scverse_backends._ground.rendering import Page

__all__ = ["CallSite", "Trace", "TraceRecord", "TraceSummary"]


class Trace:
    """What is collected of the calls made inside a ``with`` block; made by `Settings.trace`.

    It follows the context: coroutines that the block awaits, tasks that it
    starts and threads that are given its context are traced, other threads
    are not, unless it is a trace of every thread. It may be entered again, and
    adds to what it has.

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
        self._lock = Lock()

    def __enter__(self) -> Self:
        outer = self._state.span()
        if self._is_on(outer):
            msg = "This trace is on here already; make another one with settings.trace()."
            raise RuntimeError(msg)
        with self._lock:
            if not self._spans:
                self._since, self._date = perf_counter(), datetime.now(UTC)
            self._entered += 1
        if self._every_thread:
            self._state.observe(self, OUTSIDE)
            return self
        call, sinks = (None, ()) if outer is None else (outer.call, outer.sinks)
        self._state.enter_span(Span(None, call, (*sinks, self)))
        return self

    def _is_on(self, outer: Span | None) -> bool:
        here = self._state.observers if self._every_thread else outer.sinks if outer else ()
        return self in here

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._entered -= 1
        if self._every_thread:
            self._state.end_observing(self)
            return
        inner = self._state.span()
        if inner is not None:
            sinks = tuple(sink for sink in inner.sinks if sink is not self)
            self._state.enter_span(Span(None, inner.call, sinks) if sinks else None)

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
        return len(self._spans)

    @property
    def records(self) -> tuple[TraceRecord, ...]:
        """One record for each call, in the order in which they were made."""
        return records_of(tuple(self._spans), self._since)

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
            Text, lists of text and dictionaries of these. ``"host"`` is its
            name, beside ``"host_version"``, ``"scverse_backends"`` and
            ``"python"``, which are versions, and the ``"date"`` at which the
            trace began. ``"backends"`` has an entry for each backend that ran,
            with its ``"functions"``, the ``"reasons"`` why they ran there and,
            where there is any, its ``"distribution"`` and ``"version"``, and by
            function what it ``"ignored"``, its ``"differing_defaults"`` and the
            ``"options"`` that a block gave it; ``"fallbacks"`` tells by function
            why the host ran it in a backend's place, and ``"left_out"`` why an
            optional backend was. ``"unrecorded"`` counts the calls beyond the
            trace's limit, of which it does not know.
        """
        from .provenance import provenance_of_records

        found = provenance_of_records(self._selector, self.records, self._date)
        return {**found, "unrecorded": self.unrecorded} if self.unrecorded else found

    def __repr__(self) -> str:
        return f"<trace of {self.host}: {self.counted()}>"

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

        return trace_page(f"Trace of {self.host}: {self.counted()}", self.records)
