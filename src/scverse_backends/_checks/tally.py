"""The tally: what became of the calls of each function, counted over many tests.

It holds plain values only, so that it travels between the processes of a test run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from scverse_backends._ground.rendering import aligned
from scverse_backends._routing.routes import MISSING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from scverse_backends._display.trace import TraceRecord

SHOWN = ("ran", "raised", "fell_back", "host")
COUNTED = (*SHOWN, "missing")


class Tally(dict[str, dict[str, Any]]):
    """Counts by function: how many of its calls ran on the backend, raised there, and so on.

    ``ran`` and ``raised`` count calls on the backend, ``fell_back`` calls that
    the host ran in its place, ``host`` those that were meant for the host.
    ``missing`` counts calls that no backend implements, without those that a
    backend's own code made. ``declined`` gives the backend's reasons, with the
    number of calls of each.
    """

    @classmethod
    def of(
        cls, records: Sequence[TraceRecord], backends: Collection[str], *, since: int = 0
    ) -> Tally:
        """Count traced calls.

        Parameters
        ----------
        records
            The calls.
        backends
            Canonical names of the backends that are under test.
        since
            How many of the calls were counted before.
        """
        tally = cls()
        for record in records[since:]:
            counts = tally._counts(record.function)
            on_backend = record.backend in backends
            counts["ran"] += on_backend
            counts["raised"] += on_backend and record.outcome == "raised"
            counts["fell_back"] += record.is_fallback
            counts["host"] += not (on_backend or record.is_fallback)
            reasons = [reason for name, reason in record.refusals if name in backends]
            for reason in reasons:
                counts["declined"][reason] = counts["declined"].get(reason, 0) + 1
            counts["missing"] += MISSING in reasons and not _is_within(record, records, backends)
        return tally

    def add(self, other: Mapping[str, Mapping[str, Any]]) -> None:
        """Add the counts of another tally."""
        for function, theirs in other.items():
            counts = self._counts(function)
            for name in COUNTED:
                counts[name] += theirs[name]
            for reason, count in theirs["declined"].items():
                counts["declined"][reason] = counts["declined"].get(reason, 0) + count

    @property
    def ran(self) -> int:
        """How many calls ran on the backend."""
        return sum(counts["ran"] for counts in self.values())

    @property
    def missing(self) -> list[str]:
        """The functions that were called and that the backend does not implement."""
        return [name for name, counts in self.items() if counts["missing"]]

    def lines(self) -> Iterator[str]:
        """Show the counts as a table."""
        rows = [["function", "ran", "raised", "fell back", "host", "declined"]]
        for function in sorted(self):
            counts = self[function]
            reasons = [f"{reason} ({count})" for reason, count in counts["declined"].items()]
            first, *others = reasons or [""]
            rows.append([function, *(str(counts[name]) for name in SHOWN), first])
            rows += [["", "", "", "", "", reason] for reason in others]
        return aligned(rows)

    def _counts(self, function: str) -> dict[str, Any]:
        fresh = {**dict.fromkeys(COUNTED, 0), "declined": cast("dict[str, int]", {})}
        return self.setdefault(function, fresh)


def _is_within(
    record: TraceRecord, records: Sequence[TraceRecord], backends: Collection[str]
) -> bool:
    """Whether a call was made, at any depth, by a backend's own code."""
    while record.parent is not None:
        record = records[record.parent]
        if record.backend in backends:
            return True
    return False
