"""The policy of a host: what it told its dispatcher, as frozen records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

FallbackPolicy = Literal["warn", "silent", "error"]
UntrustedPolicy = Literal["warn", "allow", "refuse"]


class TrustRule(NamedTuple):
    """Who may serve one trusted name; an empty tuple asks nothing of its kind."""

    name: str
    aliases: tuple[str, ...]
    package: str
    distributions: tuple[str, ...]
    entrypoints: tuple[str, ...]
    object_refs: tuple[str, ...]
    module_prefixes: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label by which users ask for it, its name first."""
        return (self.name, *self.aliases)


class Configuration(NamedTuple):
    """What a host told its dispatcher, checked; labels are keyed by their folded form."""

    group: str
    host: str
    trusted: Mapping[str, TrustRule]
    reserved: Mapping[str, str]
    ignorable: frozenset[str]
    fallback: FallbackPolicy
    untrusted: UntrustedPolicy

    @property
    def trusted_names(self) -> tuple[str, ...]:
        """The names of the backends that the host trusts."""
        return tuple(dict.fromkeys(rule.name for rule in self.trusted.values()))
