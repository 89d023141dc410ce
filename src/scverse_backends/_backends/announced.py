"""The announced: backends that are known by their manifests and not loaded, by every label."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from scverse_backends._ground.records import LoadedBackend
from scverse_backends.exceptions import UntrustedBackendError

from .directory import Directory

if TYPE_CHECKING:
    from collections.abc import Callable

    from scverse_backends._ground.records import Candidate, Verdict

    from .inventory import Inventory


class Announced:
    """What manifests say of one host's backends, until their adapters say it themselves.

    Parameters
    ----------
    inventory
        What is installed.
    report
        Told of each problem with a manifest: the backend's name, its candidate, a sentence.
    """

    def __init__(self, inventory: Inventory, report: Callable[[str, Candidate, str], None]) -> None:
        self._inventory = inventory
        self._report = report
        self._directory = Directory()

    def look(self, verdict: Verdict, *, quietly: bool = False) -> LoadedBackend | None:
        """Read the manifest of a backend, which then is known by its labels.

        Returns
        -------
        The backend as it is described; ``None`` if its adapter must be asked, or has been.
        """
        candidate = verdict.candidate
        backend, problems = self._enter(verdict)
        for problem in () if quietly else self._inventory.descriptions.untold(candidate, problems):
            self._report(candidate.name, candidate, problem)
        return backend

    def answering(self, folded: str) -> LoadedBackend | None:
        """Find the backend that answers to a label by its manifest."""
        backend = self._directory.find(folded)
        return backend if backend and self._is_described(backend) else None

    def backends(self) -> tuple[LoadedBackend, ...]:
        """List the backends that are described and not loaded."""
        return tuple(filter(self._is_described, self._directory.backends()))

    def holds(self, backend: LoadedBackend) -> bool:
        """Whether a backend is one of them."""
        return self._directory.holds(backend) and self._is_described(backend)

    def usable(self) -> tuple[LoadedBackend, ...]:
        """List those of them that did not fail to load."""
        outcome = self._inventory.outcome
        return tuple(
            one for one in self.backends() if not outcome(cast("Candidate", one.candidate))
        )

    def labels(self) -> tuple[str, ...]:
        """List every label of the usable ones, as it was written."""
        return tuple(label for one in self.usable() for label in self.labels_of(one))

    def labels_of(self, backend: LoadedBackend) -> tuple[str, ...]:
        """List the labels of one backend."""
        return self._directory.labels_of(backend)

    def name_of(self, candidate: Candidate) -> str:
        """Tell what an entry point's backend goes by; its own name if nothing else is known."""
        return self._directory.name_of(candidate)

    def forget(self) -> None:
        """Forget all of it; the files may have changed."""
        self._directory = Directory()

    def _enter(self, verdict: Verdict) -> tuple[LoadedBackend | None, list[str]]:
        described = self._inventory.describe(verdict)
        if described.backend is None or not self._is_described(described.backend):
            return None, [*described.problems]
        owners = self._inventory.owners()
        backend, problems = self._directory.enter(described.backend, verdict.candidate, owners)
        return backend, [*described.problems, *problems]

    def _is_described(self, backend: LoadedBackend) -> bool:
        """Whether nothing is known that is better than the description."""
        outcome = self._inventory.outcome(cast("Candidate", backend.candidate))
        return outcome is None or not isinstance(outcome, LoadedBackend | UntrustedBackendError)
