"""Prove a backend right: verification, conformance checks, comparison with the host, a loopback."""

from __future__ import annotations

from ._comparison import Comparison, Side, compare
from ._conformance import CheckResult, ConformanceReport, run_conformance
from ._junit import as_junit
from ._loopback import loopback
from ._verify import Verification, verify

__all__ = [
    "CheckResult",
    "Comparison",
    "ConformanceReport",
    "Side",
    "Verification",
    "as_junit",
    "compare",
    "loopback",
    "run_conformance",
    "verify",
]
