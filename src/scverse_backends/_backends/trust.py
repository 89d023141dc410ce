"""Trust: what the host thinks of a candidate, judged from metadata ahead of any import.

Pure: the same configuration and the same metadata always give the same verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scverse_backends._ground.labels import fault, fold
from scverse_backends._ground.records import Verdict
from scverse_backends._ground.safe_repr import safe_repr

from .configuration import BLOCK_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from scverse_backends._ground.records import Candidate, LoadedBackend

    from .configuration import Configuration, TrustRule


SHORT = 100
"""Characters of an alias that is no label, where it is shown."""

BLOCKED = f"blocked by {BLOCK_VARIABLE}"


def judge(
    configuration: Configuration, candidates: Sequence[Candidate], blocked: frozenset[str]
) -> tuple[Verdict, ...]:
    """Judge what is installed."""
    banned = {
        candidate.source
        for candidate in candidates
        if blocked.intersection(_labels(configuration, candidate))
    }
    return tuple(
        _judge(configuration, candidate, blocked=candidate.source in banned)
        for candidate in candidates
    )


def _labels(configuration: Configuration, candidate: Candidate) -> set[str]:
    """Collect what a candidate is called, and what it would be called if it is trusted."""
    claimed = configuration.trusted.get(fold(candidate.name))
    rules = [claimed] if claimed else _served(configuration, candidate)
    names = [candidate.name, candidate.distribution or candidate.name]
    names += [label for rule in rules for label in rule.labels]
    return set(map(fold, names))


def _served(configuration: Configuration, candidate: Candidate) -> list[TrustRule]:
    """List the rules that a candidate satisfies."""
    return [rule for rule in configuration.rules if not _mismatches(rule, candidate)]


def _judge(configuration: Configuration, candidate: Candidate, *, blocked: bool) -> Verdict:
    claimed = configuration.trusted.get(fold(candidate.name))
    served = tuple(rule.name for rule in _served(configuration, candidate))
    if blocked:
        return Verdict(candidate, served, refused=f"it is {BLOCKED}")
    if claimed is not None:
        return _judge_claim(claimed, candidate)
    reservation = configuration.reservation(candidate.name)
    if reservation:
        return Verdict(candidate, refused=f"the name {reservation}")
    if not served and configuration.untrusted == "refuse":
        return Verdict(candidate, refused=f"{configuration.host} runs trusted backends only")
    return Verdict(candidate, served)


def _judge_claim(rule: TrustRule, candidate: Candidate) -> Verdict:
    """Judge a candidate whose entry point bears a trusted name."""
    mismatches = _mismatches(rule, candidate)
    if not mismatches:
        return Verdict(candidate, trusted_as=(rule.name,))
    reason = f"it claims the trusted name {rule.name!r}, but {'; '.join(mismatches)}"
    return Verdict(candidate, refused=reason, impostor=True)


def misplaced(rule: TrustRule, candidates: Iterable[Candidate]) -> tuple[Candidate, str] | None:
    """Find a backend of a trusted distribution that is not what the host trusts, and say why."""
    for candidate in candidates:
        if rule.distributions and _matches(candidate.distribution, rule.distributions):
            why = "; ".join(_mismatches(rule, candidate))
            return candidate, f"it is not trusted as {rule.name!r}, because {why}"
    return None


def _mismatches(rule: TrustRule, candidate: Candidate) -> list[str]:
    """List what keeps a candidate from serving a trusted name."""
    found = []
    if not _matches(candidate.distribution, rule.distributions):
        found.append(f"comes from {candidate.distribution!r}, not {_either(rule.distributions)}")
    if not _matches(candidate.name, rule.entrypoints):
        found.append(f"its entry point is {candidate.name!r}, not {_either(rule.entrypoints)}")
    if rule.object_refs and candidate.value not in rule.object_refs:
        found.append(f"it loads {candidate.value!r}, not {_either(rule.object_refs)}")
    if rule.module_prefixes and not _within(candidate.module, rule.module_prefixes):
        found.append(f"it loads {candidate.value!r}, outside {_either(rule.module_prefixes)}")
    return found


def _matches(name: str | None, allowed: tuple[str, ...]) -> bool:
    return not allowed or (name is not None and fold(name) in map(fold, allowed))


def _within(module: str, prefixes: Iterable[str]) -> bool:
    """Whether a module is one of the prefixes or inside it; ``ab`` is not in ``a``."""
    return any(f"{module}.".startswith(prefix.rstrip(".") + ".") for prefix in prefixes)


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(map(repr, names))


class Claims(NamedTuple):
    """What is left of an adapter's name and aliases once the host has looked at them."""

    refused: str | None
    aliases: tuple[str, ...]
    problems: tuple[str, ...]
    is_blocked: bool


class Judge(NamedTuple):
    """Judges the labels that an adapter claims for itself.

    Parameters
    ----------
    configuration
        What the host trusts and reserves.
    trusted_as
        The trusted names that the adapter serves.
    blocked
        The labels that must never be imported.
    """

    configuration: Configuration
    trusted_as: Collection[str]
    blocked: frozenset[str]

    def review(self, backend: LoadedBackend) -> Claims:
        """Judge an adapter as it was loaded, or as its manifest describes it."""
        named = [backend.name, *(alias for alias in backend.aliases if not fault(alias))]
        banned = next((label for label in named if fold(label) in self.blocked), None)
        objection = f"{banned!r} is {BLOCKED}" if banned else self._objection(backend.name)
        kept, problems = [], []
        for alias in backend.aliases:
            problem = fault(alias) or self._objection(alias)
            if problem:
                problems.append(f"the alias {safe_repr(alias, SHORT)} is not accepted: {problem}")
            else:
                kept.append(alias)
        return Claims(objection, tuple(kept), tuple(problems), is_blocked=banned is not None)

    def _objection(self, label: str) -> str | None:
        """Say why an adapter may not have a label, or ``None``."""
        rule = self.configuration.trusted.get(fold(label))
        if rule is not None and rule.name not in self.trusted_as:
            return f"{label!r} belongs to the trusted backend {rule.name!r}"
        return self.configuration.reservation(label)
