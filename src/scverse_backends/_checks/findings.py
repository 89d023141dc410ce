"""Findings: what is to be said of a backend before any of its code is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


class Finding(NamedTuple):
    """One thing that is to be said of a backend.

    Parameters
    ----------
    severity
        ``"error"``: something does not do what its author meant; ``"warning"``:
        some calls that the host takes go elsewhere, or give something else;
        ``"info"``: worth knowing.
    kind
        What is said, for machines: ``"missing-parameter"``.
    function
        Dispatch name of the host function, or what the adapter has in place of one.
    message
        What is said, for people; completes "backend 'fast' ...".
    parameter
        The parameter it is about, under the host's name where the host has it.
    host, backend
        What the host and what the backend has there: a default, or a name.
    """

    severity: Severity
    kind: str
    function: str
    message: str
    parameter: str | None = None
    host: str | None = None
    backend: str | None = None


class Fit(NamedTuple):
    """One host function, and what a backend has for it.

    Parameters
    ----------
    function
        Dispatch name of the host function.
    implemented
        Whether calls can go there at all.
    findings
        What is to be said about it.
    """

    function: str
    implemented: bool
    findings: tuple[Finding, ...] = ()

    def of(self, *kinds: str) -> tuple[Finding, ...]:
        """Select the findings of some kinds."""
        return tuple(finding for finding in self.findings if finding.kind in kinds)


def at_least(severity: Severity, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Select the findings that are as severe as this, or more."""
    worse = SEVERITIES[: SEVERITIES.index(severity) + 1]
    return tuple(finding for finding in findings if finding.severity in worse)
