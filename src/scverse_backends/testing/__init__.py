"""Prove a backend right: verification, conformance checks, comparison with the host, a loopback."""

from __future__ import annotations

from scverse_backends._findings import Finding, Fit

from ._comparison import Comparison, Side, compare
from ._conformance import CheckResult, ConformanceReport, run_conformance
from ._loopback import loopback
from ._verify import Verification, verify

__all__ = [
    "CheckResult",
    "Comparison",
    "ConformanceReport",
    "Finding",
    "Fit",
    "Side",
    "Verification",
    "compare",
    "loopback",
    "run_conformance",
    "verify",
]
