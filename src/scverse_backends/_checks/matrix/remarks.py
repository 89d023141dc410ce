"""Remarks: what a cell says beyond yes and no, in as few words as a table has room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scverse_backends._checks.findings import at_least
from scverse_backends._ground.records import release

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scverse_backends._checks.findings import Finding, Fit

    from .cells import Column

TOLD = ("missing-parameter", "differing-default")
OF_DOCUMENTATION = ("undocumented-option", "hidden-option")


def remarks(fit: Fit) -> Iterator[str]:
    """Say what to know before relying on it."""
    lost = _names(fit.of("missing-parameter"))
    if lost:
        yield f"does not take {lost}"
    for found in fit.of("differing-default"):
        yield f"{found.parameter} is {found.backend} by default, on the host {found.host}"
    yield from (found.message for found in exceptions(fit) if found.kind not in TOLD)
    ignored = _names(fit.of("ignored-parameter"))
    if ignored:
        yield f"ignores {ignored}"


def exceptions(fit: Fit) -> tuple[Finding, ...]:
    """Select what makes some calls go elsewhere, or give something else."""
    found = at_least("warning", fit.findings)
    return tuple(one for one in found if one.kind not in OF_DOCUMENTATION)


def options(fit: Fit) -> str:
    """Name what it takes beyond the host's parameters."""
    return _names(fit.of("added-parameter"))


def absence(column: Column) -> str:
    """Say why a backend is not loaded, if it is not."""
    return f"{column.name} is {column.state}: {column.reason}" if column.reason else ""


def origin(column: Column) -> str:
    """Say where a backend comes from."""
    return release(column.distribution, column.version) if column.distribution else "this process"


def _names(findings: Iterable[Finding]) -> str:
    return ", ".join(str(found.parameter) for found in findings)
