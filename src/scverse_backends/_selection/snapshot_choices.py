"""Choices of a snapshot: what it notes of each, and how another process finds that again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from scverse_backends._ground.labels import CPU, key
from scverse_backends._ground.records import Candidate, release

from .hosts import missing
from .request import OPTIONAL, Located, attempt_optional

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scverse_backends._backends.registry import Registry
    from scverse_backends._ground.records import LoadedBackend, Verdict

    from .selection import Pick


class SnapshotChoice(NamedTuple):
    """One choice of a snapshot; without a candidate it is the host, or was registered."""

    name: str
    candidate: Candidate | None
    is_optional: bool = False
    is_there: bool = True
    """Whether it was not left out where the snapshot was taken."""

    def __str__(self) -> str:
        found, mark = self.candidate, OPTIONAL if self.is_optional else ""
        said = f" ({release(found.distribution, found.version)})" if found else ""
        return f"{self.name + mark!r}{said}"


class FunctionChoices(NamedTuple):
    """What a snapshot holds for the functions that a key fits."""

    key: str
    chosen: tuple[SnapshotChoice, ...]
    options: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        options = f" with {dict(self.options)}" if self.options else ""
        return f"; {self.key}: {', '.join(map(str, self.chosen))}{options}"


def choices_of(picks: tuple[Pick, ...]) -> tuple[SnapshotChoice, ...]:
    """Note each choice, also those that are left out: they may be there elsewhere."""
    return tuple(
        SnapshotChoice(
            pick.name,
            pick.backend.candidate if pick.backend else None,
            pick.is_optional,
            pick.left_out is None,
        )
        for pick in picks
    )


def choices_from_json(found: Iterable[Any]) -> tuple[SnapshotChoice, ...]:
    """Read choices from JSON."""
    return tuple(
        SnapshotChoice(name, candidate and Candidate(*candidate), *more)
        for name, candidate, *more in found
    )


def located(chosen: SnapshotChoice, registry: Registry) -> Located:
    """Find what was chosen in this process; an optional one is left out if it is not there."""
    find = partial(_locate, chosen, registry)
    if chosen.is_optional:
        return attempt_optional(chosen.name, find)
    return Located(chosen.name, is_optional=False, found=find())


def _locate(chosen: SnapshotChoice, registry: Registry) -> LoadedBackend | Verdict | None:
    """Find what was chosen in this process: the same release of the same backend."""
    if chosen.name == CPU:
        return None
    if not chosen.is_there:
        return registry.locate(chosen.name)
    exact = registry.find(chosen.name, chosen.candidate)
    host = registry.configuration.host
    if exact is None and chosen.candidate is None:
        problem = "it was registered, and only the process that registered it has it. "
        raise missing(host, chosen.name, problem + "Register it there too, or install it.")
    if exact is not None:
        return exact
    located = cast("LoadedBackend | Verdict", registry.locate(chosen.name))
    if _release(located.candidate) != _release(chosen.candidate):
        problem = (
            f"the snapshot was taken of {_release(chosen.candidate)}, and there it is "
            f"{_release(located.candidate)}. Install the same release there."
        )
        raise missing(host, chosen.name, problem)
    return located


def _release(candidate: Candidate | None) -> str:
    if candidate is None:
        return "an adapter that was registered"
    return release(candidate.distribution and key(candidate.distribution), candidate.version)
