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
    chosen = [backend for backend in selection.backends if backend is not None]
    return {
        **versions(selector, datetime.now(UTC)),
        "selected": [*selection.names],
        **({"selected_by": selection.origin} if selection.origin else {}),
        "fallback": selector.policy(selection),
        "backends": {one.name: _release(one.distribution, one.version) for one in chosen},
    }


def provenance_of_records(
    selector: Selector, records: Sequence[TraceRecord], date: datetime
) -> dict[str, Any]:
    """Say what calls ran with."""
    backends: dict[str, dict[str, Any]] = {}
    fallbacks: dict[str, list[str]] = {}
    for record in records:
        _note(backends.setdefault(record.backend, {"functions": []}), record)
        if record.is_fallback:
            _add(fallbacks.setdefault(record.function, []), map(why_not, record.refusals))
    found = {**versions(selector, date), "backends": backends}
    return {**found, "fallbacks": fallbacks} if fallbacks else found


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
    for key, found in (("ignored", record.ignored), ("differing_defaults", differing)):
        if found:
            _add(entry.setdefault(key, {}).setdefault(record.function, []), found)


def _add(known: list[str], found: Iterable[str]) -> None:
    """Add to a list what is not in it."""
    known += [each for each in dict.fromkeys(found) if each not in known]
