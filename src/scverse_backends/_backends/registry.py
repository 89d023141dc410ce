"""The registry: from a label to the loaded adapter that answers to it.

Every change of what a label may mean begins another generation, by which
compiled routes know that they are stale.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

from scverse_backends._ground import messages
from scverse_backends._ground.labels import key
from scverse_backends._ground.records import BackendInfo, LoadedBackend, Verdict
from scverse_backends.exceptions import (
    BackendError,
    BackendLoadError,
    BackendRegistrationWarning,
    UntrustedBackendWarning,
)

from .announced import Announced
from .directory import Directory
from .inventory import Inventory
from .registered import Registered
from .resolver import Resolver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scverse_backends._ground.labels import Changes, Configuration, TrustRule
    from scverse_backends._ground.records import Candidate, Source

    from .discovery import Fault


class Registry:
    """The backends of one host, by every label that names them."""

    def __init__(
        self,
        configuration: Configuration,
        changes: Changes,
        apart: Callable[[Callable[[], Any]], Any],
    ) -> None:
        self.configuration = configuration
        self.changes = changes
        self.apart = apart
        self._inventory = Inventory(configuration, apart)
        self._lock = RLock()
        self._directory = Directory()
        self._announced = Announced(self._inventory, self._warn)
        self._registered = Registered(configuration)
        self._used: set[Source] = set()
        self._resolver = Resolver(
            configuration,
            self._inventory,
            self._announced,
            answering=self._answering,
            attempt=self.attempt,
            labels=self.labels,
        )

    def locate(self, label: Any, origin: str | None = None) -> LoadedBackend | Verdict | None:
        """Find who answers to a label, importing only if nothing cheaper is certain.

        Returns
        -------
        A loaded backend, the verdict on an installed one, or ``None`` for the host itself.
        """
        return self._resolver.locate(label, origin)

    def find(self, name: str, candidate: Candidate | None) -> LoadedBackend | Verdict | None:
        """Find exactly one backend: the adapter registered under a name, or an installed one."""
        if candidate is None:
            return self._registered.named(name)
        return next((v for v in self._inventory.verdicts() if v.candidate == candidate), None)

    def _is_trusted(self, candidate: Candidate) -> bool:
        verdicts = self._inventory.verdicts()
        return any(v.candidate == candidate and v.trusted_as for v in verdicts)

    def load(self, located: LoadedBackend | Verdict) -> LoadedBackend:
        """Load what was located, if it is not, and index every label it answers to."""
        if isinstance(located, LoadedBackend):
            return located
        loaded = self._inventory.load(located)
        with self._lock:
            owners = self._inventory.owners()
            backend, problems = self._directory.enter(loaded, located.candidate, owners)
        for problem in problems:
            self._warn(backend.name, located.candidate, problem)
        return backend

    def current(self, backend: LoadedBackend) -> LoadedBackend | None:
        """Give a backend as it is now: itself while it is there, else whoever has its name."""
        there = backend in self._registered.backends or self._directory.holds(backend)
        if there or self._announced.holds(backend):
            return backend
        return self.get(backend.name)

    def get(self, label: Any, origin: str | None = None) -> LoadedBackend | None:
        """Load the backend that a label names, for use; ``None`` for the host itself."""
        located = self.locate(label, origin)
        return None if located is None else self.use(located)

    def use(self, located: LoadedBackend | Verdict) -> LoadedBackend:
        """Load what was located; warn if the host does not vouch for it and it is used first."""
        candidate = located.candidate
        if candidate is not None and candidate.source not in self._used:
            if not (self._is_trusted(candidate) or self.configuration.untrusted == "allow"):
                messages.warn(
                    UntrustedBackendWarning(
                        candidate.name,
                        host=self.configuration.host,
                        distribution=candidate.distribution,
                        version=candidate.version,
                    )
                )
            # Only now: whoever makes the warning an error means every use.
            self._used.add(candidate.source)
        return self.load(located)

    def verdicts(self) -> tuple[Verdict, ...]:
        """Judge what is installed, from metadata alone."""
        return self._inventory.verdicts()

    def attempt(self, verdict: Verdict) -> BackendError | None:
        """Load a backend if that works; its error is kept for whoever names it."""
        try:
            if not verdict.refused:
                self.load(verdict)
        except BackendError as error:
            return error
        return None

    def described(self, verdict: Verdict) -> LoadedBackend | None:
        """Give a backend that is not loaded as its manifest describes it, if it has one."""
        return self._announced.look(verdict)

    def know_all(self, *, report: bool = False) -> tuple[LoadedBackend, ...]:
        """Read the manifest of every backend, and load those that have none.

        Returns
        -------
        Those of them that did not fail to load.
        """
        for verdict in self._inventory.verdicts():
            error = None if self._announced.look(verdict) else self.attempt(verdict)
            if error is not None and report:
                told = f"it {error.trouble}" if isinstance(error, BackendLoadError) else str(error)
                self._warn(verdict.candidate.name, verdict.candidate, told)
        return (*self.loaded(), *self._announced.usable())

    def known(self) -> tuple[LoadedBackend, ...]:
        """List the backends that are registered, loaded, or described by a manifest read before."""
        return (*self.loaded(), *self._announced.backends())

    def read_manifests(self) -> None:
        """Read the manifest of every backend that is not loaded; nothing is imported."""
        for verdict in self._inventory.verdicts():
            self._announced.look(verdict)

    def compare(self, backend: LoadedBackend, function: str, found: Any) -> None:
        """Warn if a loaded backend's manifest is wrong about one of its functions."""
        candidate = backend.candidate
        if candidate is None or self._inventory.outcome(candidate) is None:
            return  # registered in this process, or the description itself
        problem = self._inventory.descriptions.compare_function(backend, function, found)
        if problem:
            self._warn(backend.name, backend.candidate, problem)

    def loaded(self) -> tuple[LoadedBackend, ...]:
        """List the backends that are registered or loaded, each once."""
        with self._lock:
            return (*self._registered.backends, *self._directory.backends())

    def labels(self) -> tuple[str, ...]:
        """List every label of what is registered or loaded, as it was written."""
        with self._lock:
            rules = self.configuration.trusted.values()
            vouched = [label for rule in rules if self._serves(rule) for label in rule.labels]
            labels = (*self._directory.labels(), *self._announced.labels())
            return (*self._registered.labels(), *labels, *vouched)

    def labels_of(self, backend: LoadedBackend) -> tuple[str, ...]:
        """List the labels that a registered or loaded backend answers to, its name first."""
        with self._lock:
            held = self._directory.labels_of(backend) if backend.candidate else backend.aliases
            held = held or self._announced.labels_of(backend)
        return tuple(dict.fromkeys((backend.name, *held)))

    def refresh(self) -> None:
        """Look again at what is installed; errors are forgotten, routes compiled anew."""
        warnings = self._inventory.refresh()
        with self._lock:
            self._directory = Directory()
            self._announced.forget()
            for verdict in self._inventory.verdicts():
                outcome = self._inventory.outcome(verdict.candidate)
                if isinstance(outcome, LoadedBackend):
                    self._directory.enter(outcome, verdict.candidate, self._inventory.owners())
            self.changes.happen()
        for warning in warnings:
            messages.warn(warning)

    def register(self, adapter: Any) -> LoadedBackend:
        """Add an adapter of this process; it stands before an installed one of the same label."""
        backend = self._registered.add(adapter)
        self.changes.happen()
        return backend

    def remove(self, backend: LoadedBackend) -> None:
        """Take a registered adapter out again; removing it twice does nothing."""
        self._registered.remove(backend)
        self.changes.happen()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What of the installed metadata could not be read, when it was read last."""
        return self._inventory.faults

    def infos(self, *, quietly: bool = False) -> Iterator[BackendInfo]:
        """Describe every backend that is registered or installed; nothing is imported."""
        for backend in self._registered.backends:
            yield BackendInfo(backend.name, "registered", True, None, None, None)  # noqa: FBT003
        for verdict in self._inventory.look() if quietly else self._inventory.verdicts():
            self._announced.look(verdict, quietly=quietly)
        yield from self._inventory.infos(self._name_of, quietly=quietly)

    def absent(self) -> Iterator[TrustRule]:
        """List whom the host vouches for and nobody installed or registered, from metadata alone."""
        served = {name for verdict in self._inventory.look() for name in verdict.trusted_as}
        for rule in {rule.name: rule for rule in self.configuration.trusted.values()}.values():
            if rule.name not in served and self._registered.answering(key(rule.name)) is None:
                yield rule

    def _name_of(self, candidate: Candidate) -> str:
        """Tell what an entry point's backend goes by, as far as that is known."""
        loaded = isinstance(self._inventory.outcome(candidate), LoadedBackend)
        return (self._directory if loaded else self._announced).name_of(candidate)

    def _serves(self, rule: TrustRule) -> bool:
        """Whether a known backend serves a trusted name."""
        backends = (*self._directory.backends(), *self._announced.usable())
        known = {backend.source for backend in backends}
        verdicts = (v for v in self._inventory.verdicts() if rule.name in v.trusted_as)
        return any(verdict.candidate.source in known for verdict in verdicts)

    def _answering(self, folded: str) -> LoadedBackend | None:
        """Find a label among what is registered, then among what is loaded."""
        return self._registered.answering(folded) or self._directory.find(folded)

    def _warn(self, name: str, candidate: Candidate | None, problem: str) -> None:
        messages.warn(
            BackendRegistrationWarning(
                name,
                host=self.configuration.host,
                distribution=candidate.distribution if candidate else None,
                version=candidate.version if candidate else None,
                problem=problem,
            )
        )
