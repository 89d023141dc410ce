"""Provenance: what computed a result, or would, as text, lists and dictionaries."""

from __future__ import annotations

import platform
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scverse_backends._backends.discovery import version_of
from scverse_backends._ground.messages import NAME
from scverse_backends._ground.safe_repr import short_repr

from .trace_records import why_not

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scverse_backends._selection.selector import Selector

    from .trace_records import TraceRecord


def provenance_of_settings(selector: Selector) -> dict[str, Any]:
    """Say with what a call that is made here and now would run."""
    selection = selector.current()
    rules = selection.rules_by_key
    picks = (*selection.picks, *(pick for rule in rules.values() for pick in rule.picks))
    chosen = [pick.backend for pick in picks if pick.backend is not None]
    further = {
        "selected_by": selection.origin,
        "by_function": {key: [*rule.names] for key, rule in rules.items()},
        "options": {key: _written(rule.options) for key, rule in rules.items() if rule.options},
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


def _written(options: Iterable[tuple[str, Any]]) -> list[str]:
    return [f"{name}={short_repr(value)}" for name, value in options]


def _note(entry: dict[str, Any], record: TraceRecord) -> None:
    """Add what one call tells of a backend."""
    entry.update(_release(record.distribution, record.version))
    _add(entry["functions"], [record.function])
    _add(entry.setdefault("reasons", []), [record.reason])
    differing = [
        f"{each.parameter}: {short_repr(each.backend)} (host: {short_repr(each.host)})"
        for each in record.differing_defaults
    ]
    options = _written(record.options)
    told = ("ignored", record.ignored), ("differing_defaults", differing), ("options", options)
    for key, found in told:
        if found:
            _add(entry.setdefault(key, {}).setdefault(record.function, []), found)


def _add(known: list[str], found: Iterable[str]) -> None:
    """Add to a list what is not in it."""
    known += [each for each in dict.fromkeys(found) if each not in known]
