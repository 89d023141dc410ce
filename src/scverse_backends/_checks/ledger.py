"""The ledger: what a run of a host's tests under a backend found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .expectations import find, read
from .tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scverse_backends._ground.labels import FallbackPolicy
    from scverse_backends._ground.records import BackendInfo

    from .expectations import Expectation


class Ledger:
    """Keeps account of one run.

    Parameters
    ----------
    backends
        What the tests run under.
    policy
        What becomes of calls that none of them can take.
    wrong, inapplicable
        What the backend's author says of single tests, one a line.

    Attributes
    ----------
    tally
        What became of the calls of each function.
    tests
        How each test ended, by node id.
    """

    def __init__(
        self,
        backends: Iterable[BackendInfo],
        policy: FallbackPolicy,
        *,
        wrong: Iterable[str],
        inapplicable: Iterable[str],
    ) -> None:
        self.backends = tuple(backends)
        self.policy = policy
        self.tally = Tally()
        self.tests: dict[str, str] = {}
        self._wrong, self._inapplicable = read(wrong), read(inapplicable)

    def why_wrong(self, node: str) -> Expectation | None:
        """Give what is known of a test in which the backend is wrong."""
        return find(self._wrong, node)

    def why_inapplicable(self, node: str) -> Expectation | None:
        """Give what is known of a test that does not apply."""
        return find(self._inapplicable, node)

    @property
    def unmatched(self) -> list[str]:
        """The patterns of which no test ran."""
        return [
            expectation.pattern
            for expectation in (*self._wrong, *self._inapplicable)
            if not any(map(expectation.matches, self.tests))
        ]

    def header(self) -> str:
        """Say what the tests run under."""
        found = (f"{info.name} ({_origin(info)})" for info in self.backends)
        return f"backend: {', '.join(found)}; fallback: {self.policy}"

    def lines(self) -> Iterator[str]:
        """Show what was found."""
        yield from self.tally.lines()
        for pattern in self.unmatched:
            yield f"no test that ran matches {pattern!r}"

    def to_json(self) -> Mapping[str, Any]:
        """Give what was found as plain values."""
        return {
            "backends": [
                {"name": info.name, "distribution": info.distribution, "version": info.version}
                for info in self.backends
            ],
            "fallback": self.policy,
            "ran": self.tally.ran,
            "functions": self.tally,
            "tests": self.tests,
            "unmatched": self.unmatched,
        }


def _origin(info: BackendInfo) -> str:
    """Say where a backend comes from."""
    found = f"{info.distribution} {info.version}" if info.distribution else "this process"
    return found if info.trusted else f"{found}, which the host does not vouch for"
