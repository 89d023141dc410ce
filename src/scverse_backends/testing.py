"""Prove a backend right: verification, conformance checks, comparison with the host, a loopback."""

from __future__ import annotations

from ._checks.comparison import Comparison, Side, compare
from ._checks.conformance import CheckResult, ConformanceReport, run_conformance
from ._checks.findings import Finding, Fit, Verification
from ._checks.host_tests import loopback
from ._checks.verify import verify

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
