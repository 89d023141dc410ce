"""What users are given, by name, for annotations: decisions, traces, snapshots, and their parts.

Nothing here is made by hand; each says which call gives it.
"""

from __future__ import annotations

from ._blocks import UseBackend
from ._model import BackendInfo, Decision, DefaultDifference, Refusal
from ._registration import Registration
from ._snapshot import Snapshot
from ._trace import Trace, TraceRecord, TraceSummary

__all__ = [
    "BackendInfo",
    "Decision",
    "DefaultDifference",
    "Refusal",
    "Registration",
    "Snapshot",
    "Trace",
    "TraceRecord",
    "TraceSummary",
    "UseBackend",
]
