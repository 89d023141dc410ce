"""The resolver: finds who answers to a label, the cheapest way that is certain first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from scverse_backends._ground.labels import CPU, fault, key
from scverse_backends._ground.records import LoadedBackend, Verdict
from scverse_backends.exceptions import (
    BackendError,
    BackendNotInstalledError,
    ReservedBackendError,
    UnknownBackendError,
    UntrustedBackendError,
)

from .trust import BLOCKED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from scverse_backends._ground.labels import Configuration

    from .announced import Announced
    from .inventory import Inventory


class Resolver:
    """Resolves the labels of one host.

    Parameters
    ----------
    configuration
        What the host vouches for and reserves.
    inventory
        What is installed.
    announced
        What manifests say of it.
    answering
        Finds what is registered or loaded, by a folded label.
    attempt
        Loads what is installed, if that works.
    labels
        Lists every label that is known so far.
    """

    def __init__(
        self,
        configuration: Configuration,
        inventory: Inventory,
        announced: Announced,
        *,
        answering: Callable[[str], LoadedBackend | None],
        attempt: Callable[[Verdict], object],
        labels: Callable[[], tuple[str, ...]],
    ) -> None:
        self._configuration = configuration
        self._inventory = inventory
        self._announced = announced
        self._answering = answering
        self._attempt = attempt
        self._labels = labels

    def locate(self, label: Any, origin: str | None = None) -> LoadedBackend | Verdict | None:
        """Find who answers to a label, importing only if nothing cheaper is certain.

        Returns
        -------
        A loaded backend, the verdict on an installed one, or ``None`` for the host itself.
        """
        folded = self._folded(label, origin)
        if folded == CPU:
            return None
        found: LoadedBackend | Verdict = (
            self._answering(folded)
            or self._among_trusted(folded, label, origin)
            or self._among_names(folded)
            or self._among_aliases(folded, label)
            or self._fail(label, origin)
        )
        if isinstance(found, Verdict) and found.refused:
            self._inventory.load(found)
        return found

    def known_labels(self) -> tuple[str, ...]:
        """List the labels that are understood without loading anything more."""
        rules = dict.fromkeys(self._configuration.trusted.values())
        usable = [v for v in self._inventory.verdicts() if not v.refused]
        labels = [CPU, *(label for rule in rules for label in rule.labels)]
        labels += [verdict.candidate.name for verdict in usable]
        labels += self._labels()
        return tuple({key(label): label for label in labels if not fault(label)}.values())

    def _folded(self, label: Any, origin: str | None) -> str:
        """Fold a label, refusing what can name no backend."""
        host = self._configuration.host
        problem = fault(label)
        if problem:
            known = self.known_labels()
            raise UnknownBackendError(label, host=host, known=known, origin=origin, problem=problem)
        folded = key(label)
        if folded != CPU and folded in self._configuration.reserved:
            reason = self._configuration.reserved[folded]
            raise ReservedBackendError(label, host=host, reason=reason, origin=origin)
        return folded

    def _among_trusted(
        self, folded: str, label: str, origin: str | None
    ) -> LoadedBackend | Verdict | None:
        """Find the installed candidate that may serve a trusted name."""
        rule = self._configuration.trusted.get(folded)
        if rule is None:
            return None
        verdicts = self._inventory.verdicts()
        serving = [verdict for verdict in verdicts if rule.name in verdict.trusted_as]
        bearing = [v for v in serving if self._configuration.trusted.get(key(v.candidate.name))]
        if bearing:
            return _usable(bearing) or bearing[0]
        if serving:
            return self._ask(serving, folded) or _usable(serving) or serving[0]
        claims = (
            v for v in verdicts if v.impostor and key(v.candidate.name) in map(key, rule.labels)
        )
        refused = [str(verdict.candidate.distribution) for verdict in claims]
        raise BackendNotInstalledError(
            label,
            host=self._configuration.host,
            backend=rule.name,
            package=rule.package,
            refused=refused,
            origin=origin,
        )

    def _among_names(self, folded: str) -> Verdict | None:
        """Find the installed candidate whose entry point bears a name."""
        named = [v for v in self._inventory.verdicts() if key(v.candidate.name) == folded]
        return _usable(named) or (named[0] if named else None)

    def _among_aliases(self, folded: str, label: str) -> LoadedBackend | Verdict | None:
        """Ask the manifests, then load the remaining adapters, until one answers to a label."""
        if folded in self._inventory.blocked:
            raise UntrustedBackendError(
                label,
                host=self._configuration.host,
                distribution=None,
                version=None,
                reason=f"the label is {BLOCKED}",
            )
        return self._ask(self._inventory.verdicts(), folded)

    def _ask(self, verdicts: Iterable[Verdict], folded: str) -> LoadedBackend | Verdict | None:
        undescribed = []
        for verdict in verdicts:
            described = self._announced.look(verdict)
            if described is None:
                undescribed.append(verdict)
            elif self._announced.answering(folded) is described:
                return verdict
        for verdict in undescribed:
            self._attempt(verdict)
            found = self._answering(folded)
            if found is not None:
                return found
        return None

    def _fail(self, label: str, origin: str | None) -> NoReturn:
        verdicts = self._inventory.verdicts()
        broken = [
            f"{v.candidate.name} ({v.candidate.distribution})"
            for v in verdicts
            if isinstance(self._inventory.outcome(v.candidate), BackendError)
        ]
        raise UnknownBackendError(
            label,
            host=self._configuration.host,
            known=self.known_labels(),
            broken=broken,
            origin=origin,
        )


def _usable(verdicts: Sequence[Verdict]) -> Verdict | None:
    return next((verdict for verdict in verdicts if not verdict.refused), None)
