"""What a trace tells: a record for each call, summaries of many, both as JSON, and the provenance.

Provenance is what computed a result, or would, as text, lists and dictionaries.
"""

from __future__ import annotations

import platform
import sys
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from scverse_backends._backends.discovery import version_of
from scverse_backends._ground.messages import NAME, line_of
from scverse_backends._ground.records import DefaultDifference, Refusal, as_given, refusal_of_kind
from scverse_backends._ground.safe_repr import safe_repr, short_repr
from scverse_backends._routing.spans import Outcome, Span  # noqa: TC001 - typing.get_type_hints finds it here

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import CodeType

    from scverse_backends._ground.records import Decision
    from scverse_backends._selection.selector import Selector

Grouping = Literal["function", "line", "backend"]


class CallSite(NamedTuple):
    """The line that made a call: where a warning about the call would point.

    Parameters
    ----------
    file, line
        Where it is.
    function
        Qualified name of the function that it stands in; ``"<module>"`` outside of any.
    """

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class TraceRecord(NamedTuple):
    """One call that was traced: its `Decision`, and what became of it.

    Parameters
    ----------
    function, backend, distribution, version, reason, refusals, ignored, renamed, forwarded
        As in `Decision`.
    differing_defaults, is_fallback, options, missing_members, is_stopped
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
        where none that was traced did, and in a record that `Settings.observe` gives.
    site
        The line that made the call.
    start
        When it was made: seconds after the trace was first entered, or after the
        observer was added.
    worker
        Machine and number of the process that made it, where that was another
        one than the trace's own. Its values are as JSON has them.
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
    is_stopped: bool
    duration: float
    outcome: Outcome
    error: str | None
    parent: int | None
    site: CallSite
    start: float
    worker: str | None = None


class TraceSummary(NamedTuple):
    """Calls that have something in common: function, line, or only the backend.

    Parameters
    ----------
    function
        As in `Decision`; ``None`` in a summary by backend.
    backend
        As in `Decision`.
    calls
        How many there were.
    fallbacks, raised
        How many of them the host ran in a backend's place, and how many raised.
    duration
        Time spent in them, in seconds.
    own
        That time without the calls of the trace that they made.
    share
        Their part of the own time of all calls, from 0 to 1.
    fallback_duration
        Time that the host spent in a backend's place.
    reasons
        Why the host ran them in a backend's place, each reason once.
    site
        In a summary by line, the line that made the calls.
    """

    function: str | None
    backend: str
    calls: int
    fallbacks: int
    raised: int
    duration: float
    own: float
    share: float
    fallback_duration: float
    reasons: tuple[str, ...]
    site: CallSite | None


def why_not(refusal: Refusal) -> str:
    """Say of a backend why it did not take a call."""
    return f"{refusal.backend} {refusal.reason}"


def record_of(span: Span, parent: int | None, since: float) -> TraceRecord:
    """Make the record of a traced call."""
    # Sinks are given calls, which have both; only a trace that was entered has neither.
    decision, code = cast("Decision", span.decision), cast("CodeType", span.code)
    site = CallSite(code.co_filename, line_of(code, span.instruction), code.co_qualname)
    return TraceRecord(
        *decision, span.duration, span.outcome, span.error, parent, site, span.begun - since
    )


def records_of(spans: Sequence[Span], since: float) -> tuple[TraceRecord, ...]:
    """Make the records of calls, in their order."""
    position = {span: index for index, span in enumerate(spans)}
    parents = (None if one.parent is None else position.get(one.parent) for one in spans)
    pairs = zip(spans, parents, strict=True)
    return tuple(record_of(span, parent, since) for span, parent in pairs)


def own_times(records: Sequence[TraceRecord]) -> list[float]:
    """Give the time of each call without the calls that it made."""
    own = [record.duration for record in records]
    for record in records:
        if record.parent is not None:
            own[record.parent] -= record.duration
    # Calls that a call made at the same time may take more time than it does.
    return [max(time, 0.0) for time in own]


def summarize(records: Sequence[TraceRecord], by: Grouping) -> Iterator[TraceSummary]:
    """Summarize calls in groups, in the order of their first ones."""
    own = own_times(records)
    total = sum(own) or 1.0
    for (function, backend, site), places in _groups(records, by).items():
        group = [records[place] for place in places]
        time = sum(own[place] for place in places)
        reasons = (why_not(no) for one in group if one.is_fallback for no in one.refusals)
        yield TraceSummary(
            function,
            backend,
            calls=len(group),
            fallbacks=sum(record.is_fallback for record in group),
            raised=sum(record.outcome == "raised" for record in group),
            duration=sum(record.duration for record in group),
            own=time,
            share=time / total,
            fallback_duration=sum(record.duration for record in group if record.is_fallback),
            reasons=tuple(dict.fromkeys(reasons)),
            site=site,
        )


def _groups(
    records: Sequence[TraceRecord], by: Grouping
) -> dict[tuple[str | None, str, CallSite | None], list[int]]:
    groups: dict[tuple[str | None, str, CallSite | None], list[int]] = {}
    for place, record in enumerate(records):
        function = None if by == "backend" else record.function
        site = record.site if by == "line" else None
        groups.setdefault((function, record.backend, site), []).append(place)
    return groups


def as_plain(record: TraceRecord) -> dict[str, Any]:
    """Give a record as dictionaries and lists."""
    return {**decision_as_plain(record), "site": record.site._asdict()}


def decision_as_plain(decision: Decision | TraceRecord) -> dict[str, Any]:
    """Give a decision, or the part of a record that is one, as dictionaries and lists."""
    return {
        **decision._asdict(),
        "refusals": [{**no._asdict(), "kind": no.kind} for no in decision.refusals],
        "differing_defaults": [
            {"parameter": name, "host": _value(host), "backend": _value(backend)}
            for name, host, backend in decision.differing_defaults
        ],
        "options": {name: _value(value) for name, value in decision.options},
    }


def read_plain(
    plain: Sequence[dict[str, Any]], first: int, later: float, worker: str
) -> Iterator[TraceRecord]:
    """Read the records of another process that `as_plain` gave.

    Parameters
    ----------
    first
        The position that the first of them has here.
    later
        How many seconds after this trace theirs began.
    worker
        Names the other process.
    """
    for one in plain:
        parent = one["parent"]
        read: dict[str, Any] = {
            "refusals": tuple(refusal_of_kind(**refusal) for refusal in one["refusals"]),
            "differing_defaults": tuple(
                DefaultDifference(*found.values()) for found in one["differing_defaults"]
            ),
            "options": tuple(one["options"].items()),
            "renamed": tuple(map(tuple, one["renamed"])),
            "parent": None if parent is None else parent + first,
            "site": CallSite(**one["site"]),
            "start": one["start"] + later,
            "worker": worker,
        }
        lists: dict[str, Any] = {
            name: tuple(one[name]) for name in ("ignored", "forwarded", "missing_members")
        }
        yield TraceRecord(**{**one, **lists, **read})


def _value(default: Any) -> Any:
    """Give a default as it is where JSON has it."""
    # Not by isinstance: a default of other people may fail when asked for its class.
    kind = type(default)
    if default is None or issubclass(kind, (bool, int, str)):
        return default
    if issubclass(kind, float) and isfinite(default):
        return default
    return safe_repr(default, sys.maxsize)


def provenance_of_settings(selector: Selector) -> dict[str, Any]:
    """Say with what a call that is made here and now would run."""
    selection = selector.current()
    rules = selection.rules_by_key
    picks = (*selection.picks, *(pick for rule in rules.values() for pick in rule.picks))
    chosen = [pick.backend for pick in picks if pick.backend is not None]
    further = {
        "selected_by": selection.origin,
        "by_function": {key: [*rule.names] for key, rule in rules.items()},
        "options": {key: as_given(rule.options) for key, rule in rules.items() if rule.options},
        "left_out": {pick.name: pick.left_out for pick in selection.every_pick if pick.left_out},
    }
    return {
        **versions(selector, datetime.now(UTC)),
        "selected": [*selection.names],
        "fallback": selector.policy(selection),
        "backends": {one.name: _release(one.distribution, one.version) for one in chosen},
        **{name: found for name, found in further.items() if found},
    }


def provenance_of_records(
    selector: Selector, records: Sequence[TraceRecord], date: datetime
) -> dict[str, Any]:
    """Say what calls ran with."""
    backends: dict[str, dict[str, Any]] = {}
    fallbacks: dict[str, list[str]] = {}
    left_out: dict[str, str] = {}
    for record in records:
        if record.is_stopped:
            continue  # nothing ran
        _note(backends.setdefault(record.backend, {"functions": []}), record)
        if record.is_fallback:
            _add(fallbacks.setdefault(record.function, []), map(why_not, record.refusals))
        left_out |= {no.backend: no.reason for no in record.refusals if no.kind == "left-out"}
    further = {"fallbacks": fallbacks, "left_out": left_out}
    told = {name: found for name, found in further.items() if found}
    return {**versions(selector, date), "backends": backends, **told}


def versions(selector: Selector, date: datetime) -> dict[str, str]:
    """Name the host, this library and Python, each with its version, and a date."""
    host = selector.configuration.host
    package = selector.address.module.partition(".")[0]
    version = version_of(host) or version_of(package)
    return {
        "host": host,
        **({"host_version": version} if version else {}),
        # The code that runs, where metadata may be those of another copy.
        "scverse_backends": str(vars(sys.modules[NAME])["__version__"]),
        "python": platform.python_version(),
        "date": date.isoformat(timespec="seconds"),
    }


def _release(distribution: str | None, version: str | None) -> dict[str, str]:
    known = {"distribution": distribution, "version": version}
    return {name: value for name, value in known.items() if value}


def _note(entry: dict[str, Any], record: TraceRecord) -> None:
    """Add what one call tells of a backend."""
    entry.update(_release(record.distribution, record.version))
    _add(entry["functions"], [record.function])
    _add(entry.setdefault("reasons", []), [record.reason])
    differing = [
        f"{each.parameter}: {short_repr(each.backend)} (host: {short_repr(each.host)})"
        for each in record.differing_defaults
    ]
    options = as_given(record.options)
    told = ("ignored", record.ignored), ("differing_defaults", differing), ("options", options)
    for key, found in told:
        if found:
            _add(entry.setdefault(key, {}).setdefault(record.function, []), found)


def _add(known: list[str], found: Iterable[str]) -> None:
    """Add to a list what is not in it."""
    known += [each for each in dict.fromkeys(found) if each not in known]
