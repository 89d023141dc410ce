"""Prove a backend right: conformance checks, comparison with the host, and a loopback."""

from __future__ import annotations

from ._comparison import Comparison, Side, compare
from ._conformance import CheckResult, ConformanceReport, run_conformance
from ._loopback import loopback

__all__ = [
    "CheckResult",
    "Comparison",
    "ConformanceReport",
    "Side",
    "compare",
    "loopback",
    "run_conformance",
]
