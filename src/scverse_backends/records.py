"""What users are given, by name, for annotations: decisions, traces, snapshots, and their parts.

Nothing here is made by hand; each says which call gives it.
"""

from __future__ import annotations

from ._backends.registry import Registration
from ._display.observation import Observation, Sink
from ._display.trace import CallSite, Trace, TraceRecord, TraceSummary
from ._ground.records import BackendInfo, Decision, DefaultDifference, Refusal
from ._selection.blocks import UseBackend
from ._selection.executor import CarryingExecutor
from ._selection.snapshot import Snapshot

__all__ = [
    "BackendInfo",
    "CallSite",
    "CarryingExecutor",
    "Decision",
    "DefaultDifference",
    "Observation",
    "Refusal",
    "Registration",
    "Sink",
    "Snapshot",
    "Trace",
    "TraceRecord",
    "TraceSummary",
    "UseBackend",
]
