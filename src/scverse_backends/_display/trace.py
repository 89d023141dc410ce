"""The trace: what ran where, one record for each dispatched call, in the order of their starts."""

from __future__ import annotations

import json
import sys
from math import isfinite
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.labels import CPU
from scverse_backends._ground.records import DefaultDifference, Omission, Refusal, ran_on, remarks
from scverse_backends._ground.rendering import Page, Row, Table
from scverse_backends._ground.safe_repr import safe_repr, short_repr
from scverse_backends._routing.spans import Outcome, Span
from scverse_backends._selection.state import SelectionState  # noqa: TC001 - typing.get_type_hints finds it here

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Self

    from scverse_backends._ground.rendering import Tone


MOST_CALLS = 200


class TraceRecord(NamedTuple):
    """One call that was traced: its `Decision`, and what became of it.

    Parameters
    ----------
    function, backend, distribution, version, reason, refusals, ignored, renamed, forwarded
        As in `Decision`.
    differing_defaults, is_fallback, options, missing_members
        As in `Decision`.
    duration
        Time spent in it so far, in seconds, what it called included. A
        generator's is the time spent in its steps.
    outcome
        ``"returned"``, ``"raised"``, or ``"running"`` where it has not ended.
    error
        What it raised, in words.
    parent
        Position in `Trace.records` of the call that made this one; ``None``
        where none that was traced did.
    """

    function: str
    backend: str
    distribution: str | None
    version: str | None
    reason: str
    refusals: tuple[Refusal, ...]
    ignored: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    forwarded: tuple[str, ...]
    differing_defaults: tuple[DefaultDifference, ...]
    is_fallback: bool
    options: tuple[tuple[str, Any], ...]
    missing_members: tuple[str, ...]
    duration: float
    outcome: Outcome
    error: str | None
    parent: int | None


class TraceSummary(NamedTuple):
    """The calls of one function on one backend.

    Parameters
    ----------
    function, backend
        As in `Decision`.
    calls
        How many there were.
    fallbacks, raised
        How many of them the host ran in a backend's place, and how many raised.
    duration
        Time spent in them, in seconds.
    """

    function: str
    backend: str
    calls: int
    fallbacks: int
    raised: int
    duration: float


class Trace:
    """What is collected of the calls made inside a ``with`` block; made by `Settings.trace`.

    It follows the context: coroutines that the block awaits, tasks that it
    starts and threads that are given its context are traced, other threads
    are not. It may be entered again, and adds to what it has.

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
    """

    def __init__(self, host: str, state: SelectionState) -> None:
        self.host = host
        self._state = state
        self._spans: list[Span] = []
        self._entered = 0
        self._lock = Lock()

    def __enter__(self) -> Self:
        outer = self._state.span()
        if outer is not None and self in outer.sinks:
            msg = "This trace is on here already; make another one with settings.trace()."
            raise RuntimeError(msg)
        call, sinks = (None, ()) if outer is None else (outer.call, outer.sinks)
        with self._lock:
            self._entered += 1
        self._state.enter_span(Span(None, call, (*sinks, self)))
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._entered -= 1
        inner = self._state.span()
        if inner is not None:
            sinks = tuple(sink for sink in inner.sinks if sink is not self)
            self._state.enter_span(Span(None, inner.call, sinks) if sinks else None)

    def add(self, span: Span) -> None:
        """Take in a call that begins; once every block has ended, none."""
        if self._entered:
            self._spans.append(span)

    def __len__(self) -> int:
        return len(self._spans)

    @property
    def records(self) -> tuple[TraceRecord, ...]:
        """One record for each call, in the order in which they were made."""
        spans = tuple(self._spans)
        position = {span: index for index, span in enumerate(spans)}
        return tuple(
            TraceRecord(
                *span.decision,
                duration=span.duration,
                outcome=span.outcome,
                error=span.error,
                parent=None if span.parent is None else position.get(span.parent),
            )
            for span in spans
            if span.decision is not None
        )

    def summary(self) -> tuple[TraceSummary, ...]:
        """Count the calls by function and backend, in the order of their first ones."""
        groups: dict[tuple[str, str], list[TraceRecord]] = {}
        for record in self.records:
            groups.setdefault((record.function, record.backend), []).append(record)
        return tuple(
            TraceSummary(
                function,
                backend,
                calls=len(records),
                fallbacks=sum(record.is_fallback for record in records),
                raised=sum(record.outcome == "raised" for record in records),
                duration=sum(record.duration for record in records),
            )
            for (function, backend), records in groups.items()
        )

    def to_json(self, *, indent: int | None = 2) -> str:
        """Write the records as JSON; a default that JSON does not have becomes its ``repr``.

        Parameters
        ----------
        indent
            Spaces for each level; ``None`` for one line.

        Returns
        -------
        str
            An object with the ``host`` and the ``records``, each with the
            fields of `TraceRecord`.
        """
        records = [_plain(record) for record in self.records]
        return json.dumps({"host": self.host, "records": records}, indent=indent, allow_nan=False)

    def provenance(self) -> dict[str, Any]:
        """Say what computed the results, for ``adata.uns`` or a lab notebook.

        Returns
        -------
        dict
            Text, lists of text and dictionaries of these. ``"host"`` is its
            name; ``"backends"`` has an entry for each backend that ran, with
            its ``"functions"`` and, where there is any, its
            ``"distribution"`` and ``"version"``, and by function what it
            ``"ignored"``, its ``"differing_defaults"`` and the ``"options"``
            that a block gave it; ``"fallbacks"`` tells by function why the
            host ran it in a backend's place, and ``"left_out"`` why an
            optional backend was.
        """
        backends: dict[str, dict[str, Any]] = {}
        fallbacks: dict[str, list[str]] = {}
        left_out: dict[str, str] = {}
        for record in self.records:
            _note(backends.setdefault(record.backend, {"functions": []}), record)
            if record.is_fallback:
                noted = fallbacks.setdefault(record.function, [])
                _add(noted, [f"{no.backend} {no.reason}" for no in record.refusals])
            left_out |= {no.backend: no.reason for no in record.refusals if type(no) is Omission}
        further = {"fallbacks": fallbacks, "left_out": left_out}
        told = {name: found for name, found in further.items() if found}
        return {"host": self.host, "backends": backends, **told}

    def __repr__(self) -> str:
        return f"<trace of {self.host}: {_counted(len(self))}>"

    def __str__(self) -> str:
        return str(self._page())

    def _repr_html_(self) -> str:
        return self._page()._repr_html_()

    def _page(self) -> Page:
        """Say what ran where: a summary, and call by call."""
        records = self.records
        summary = tuple(_summary_row(line, records) for line in self.summary())
        first = f", the first {MOST_CALLS}" if len(records) > MOST_CALLS else ""
        tables = (
            Table("Summary", ("function", "ran on", "calls", "time", "note"), summary),
            Table(
                f"Call by call{first}",
                ("function", "ran on", "time", "outcome", "because"),
                tuple(_call_rows(records)),
                folded=True,
            ),
        )
        title = f"Trace of {self.host}: {_counted(len(records))}"
        return Page(title, tables=tables if records else ())


def _plain(record: TraceRecord) -> dict[str, Any]:
    """Give a record as dictionaries and lists."""
    return {
        **record._asdict(),
        "refusals": [refusal._asdict() for refusal in record.refusals],
        "differing_defaults": [
            {"parameter": name, "host": _value(host), "backend": _value(backend)}
            for name, host, backend in record.differing_defaults
        ],
        "options": {name: _value(value) for name, value in record.options},
    }


def _value(default: Any) -> Any:
    """Give a default as it is where JSON has it."""
    # Not by isinstance: a default of other people may fail when asked for its class.
    kind = type(default)
    if default is None or issubclass(kind, (bool, int, str)):
        return default
    if issubclass(kind, float) and isfinite(default):
        return default
    return safe_repr(default, sys.maxsize)


def _note(entry: dict[str, Any], record: TraceRecord) -> None:
    """Add what one call tells of a backend."""
    _add(entry["functions"], [record.function])
    if record.distribution:
        entry["distribution"] = record.distribution
    if record.version:
        entry["version"] = record.version
    differing = [
        f"{each.parameter}: {short_repr(each.backend)} (host: {short_repr(each.host)})"
        for each in record.differing_defaults
    ]
    options = [f"{name}={short_repr(value)}" for name, value in record.options]
    told = ("ignored", record.ignored), ("differing_defaults", differing), ("options", options)
    for key, found in told:
        if found:
            _add(entry.setdefault(key, {}).setdefault(record.function, []), found)


def _add(known: list[str], found: Iterable[str]) -> None:
    """Add to a list what is not in it."""
    known += [each for each in found if each not in known]


def _summary_row(line: TraceSummary, records: tuple[TraceRecord, ...]) -> Row:
    """Summarize the calls of one function on one backend, with each remark once."""
    own = [r for r in records if (r.function, r.backend) == (line.function, line.backend)]
    said = dict.fromkeys(f"{label} {fact}" for record in own for label, fact in remarks(record))
    notes = [
        f"{count} {what}"
        for count, what in ((line.fallbacks, "as a fallback"), (line.raised, "raised"))
        if count
    ]
    cells = (
        line.function,
        ran_on(own[0]),
        str(line.calls),
        _duration(line.duration),
        ", ".join(notes),
    )
    return Row(cells, "; ".join(said), _tone(line.backend, line.fallbacks, line.raised))


def _call_rows(records: tuple[TraceRecord, ...]) -> Iterator[Row]:
    """Describe the calls, each further in than the one that made it."""
    depths: list[int] = []
    for record in records[:MOST_CALLS]:
        depths.append(0 if record.parent is None else depths[record.parent] + 1)
        cells = (
            "  " * depths[-1] + record.function,
            ran_on(record),
            _duration(record.duration),
            record.outcome,
            record.reason,
        )
        raised = record.outcome == "raised"
        yield Row(cells, record.error or "", _tone(record.backend, record.is_fallback, raised))


def _tone(backend: str, fallbacks: int, raised: int) -> Tone:
    if raised:
        return "bad"
    if fallbacks:
        return "warning"
    return "" if backend == CPU else "good"


def _counted(count: int) -> str:
    return "1 call" if count == 1 else f"{count:,} calls"


def _duration(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
