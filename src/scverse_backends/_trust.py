"""Trust: what the host thinks of a candidate, judged from metadata ahead of any import.

Pure: the same configuration and the same metadata always give the same verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._configuration import BLOCK_VARIABLE
from ._labels import fault, key
from ._model import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._model import Candidate, Configuration, LoadedBackend, TrustRule


BLOCKED = f"blocked by {BLOCK_VARIABLE}"


def judge(configuration: Configuration, candidate: Candidate, blocked: frozenset[str]) -> Verdict:
    """Judge one candidate."""
    rules = _rules(configuration)
    claimed = _claimed(configuration, candidate)
    labels = {key(candidate.name), key(candidate.distribution or "")}
    served = [rule for rule in rules if not _mismatches(rule, candidate)]
    for rule in [claimed] if claimed else served:
        labels.update(map(key, (rule.name, *rule.aliases)))
    if labels & blocked:
        names = tuple(rule.name for rule in served)
        return Verdict(candidate, names, refused=f"it is {BLOCKED}")
    if claimed is not None:
        return _judge_claim(claimed, candidate)
    if key(candidate.name) in configuration.reserved:
        reason = configuration.reserved[key(candidate.name)]
        return Verdict(candidate, refused=f"the name {candidate.name!r} is reserved. {reason}")
    if served:
        return Verdict(candidate, trusted_as=tuple(rule.name for rule in served))
    if configuration.untrusted == "refuse":
        return Verdict(candidate, refused=f"{configuration.host} runs trusted backends only")
    return Verdict(candidate)


def _judge_claim(rule: TrustRule, candidate: Candidate) -> Verdict:
    """Judge a candidate whose entry point bears a trusted name."""
    mismatches = _mismatches(rule, candidate)
    if not mismatches:
        return Verdict(candidate, trusted_as=(rule.name,))
    reason = f"it claims the trusted name {rule.name!r}, but {'; '.join(mismatches)}"
    return Verdict(candidate, refused=reason, impostor=True)


def _rules(configuration: Configuration) -> list[TrustRule]:
    return list(dict.fromkeys(configuration.trusted.values()))


def _claimed(configuration: Configuration, candidate: Candidate) -> TrustRule | None:
    """Find the rule whose name the entry point bears."""
    return configuration.trusted.get(key(candidate.name))


def _mismatches(rule: TrustRule, candidate: Candidate) -> list[str]:
    """List what keeps a candidate from serving a trusted name."""
    found = []
    if not _matches(candidate.distribution, rule.distributions):
        found.append(f"comes from {candidate.distribution!r}, not {_either(rule.distributions)}")
    if not _matches(candidate.name, rule.entrypoints):
        found.append(f"its entry point is {candidate.name!r}, not {_either(rule.entrypoints)}")
    if rule.object_refs and candidate.value not in rule.object_refs:
        found.append(f"it loads {candidate.value!r}, not {_either(rule.object_refs)}")
    if rule.module_prefixes and not _within(candidate.value, rule.module_prefixes):
        found.append(f"it loads {candidate.value!r}, outside {_either(rule.module_prefixes)}")
    return found


def _matches(name: str | None, allowed: tuple[str, ...]) -> bool:
    return not allowed or (name is not None and key(name) in map(key, allowed))


def _within(reference: str, prefixes: Iterable[str]) -> bool:
    """Whether a reference's module is one of the prefixes or inside it; ``ab`` is not in ``a``."""
    module = reference.partition(":")[0].strip() + "."
    return any(module.startswith(prefix.rstrip(".") + ".") for prefix in prefixes)


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(map(repr, names))


class Claims(NamedTuple):
    """What is left of an adapter's name and aliases once the host has looked at them."""

    refused: str | None
    aliases: tuple[str, ...]
    problems: tuple[str, ...]


def review(
    configuration: Configuration,
    verdict: Verdict,
    backend: LoadedBackend,
    blocked: frozenset[str],
) -> Claims:
    """Judge the labels that a loaded adapter claims for itself."""
    named = [backend.name, *(alias for alias in backend.aliases if not fault(alias))]
    banned = next((label for label in named if key(label) in blocked), None)
    objection = f"{banned!r} is {BLOCKED}" if banned else None
    objection = objection or _objection(configuration, verdict, backend.name)
    kept, problems = [], []
    for alias in backend.aliases:
        problem = fault(alias) or _objection(configuration, verdict, alias)
        if problem:
            problems.append(f"the alias {alias!r} is not accepted: {problem}")
        else:
            kept.append(alias)
    return Claims(objection, tuple(kept), tuple(problems))


def _objection(configuration: Configuration, verdict: Verdict, label: str) -> str | None:
    """Say why a candidate may not answer to a label, or ``None``."""
    if key(label) in configuration.reserved:
        return f"{label!r} is reserved. {configuration.reserved[key(label)]}"
    rule = configuration.trusted.get(key(label))
    if rule is not None and rule.name not in verdict.trusted_as:
        return f"{label!r} belongs to the trusted backend {rule.name!r}"
    return None
