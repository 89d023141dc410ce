"""The registry: from a label to the loaded adapter that answers to it.

Every change of what a label may mean begins another generation, by which
compiled routes know that they are stale.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any, NoReturn

from . import _caller
from ._announced import Announced
from ._directory import Directory
from ._inventory import Inventory
from ._labels import CPU, fault, key
from ._loading import AdapterError, describe
from ._model import BackendInfo, LoadedBackend, Verdict
from ._trust import BLOCKED
from .exceptions import (
    BackendConfigurationError,
    BackendError,
    BackendNotInstalledError,
    BackendRegistrationWarning,
    ReservedBackendError,
    UnknownBackendError,
    UntrustedBackendError,
    UntrustedBackendWarning,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ._changes import Changes
    from ._discovery import Fault
    from ._model import Candidate, Source
    from ._policy import Configuration, TrustRule


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
        self._registered: list[LoadedBackend] = []
        self._used: set[Source] = set()

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
            self._known(folded)
            or self._among_trusted(folded, label, origin)
            or self._among_names(folded)
            or self._among_aliases(folded, label)
            or self._fail(label, origin)
        )
        if isinstance(found, Verdict) and found.refused:
            self._inventory.load(found)
        return found

    def find(self, name: str, candidate: Candidate | None) -> LoadedBackend | Verdict | None:
        """Find exactly one backend: the adapter registered under a name, or an installed one."""
        if candidate is None:
            return next((b for b in reversed(self._registered) if b.name == name), None)
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
        there = backend in self._registered or self._directory.holds(backend)
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
                _caller.warn(
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
                self._warn(verdict.candidate.name, verdict.candidate, str(error))
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
            return (*self._registered, *self._directory.backends())

    def labels(self) -> tuple[str, ...]:
        """List every label of what is registered or loaded, as it was written."""
        with self._lock:
            registered = [label for found in self._registered for label in _labels_of(found)]
            rules = self.configuration.trusted.values()
            vouched = [label for rule in rules if self._serves(rule) for label in _own(rule)]
            labels = (*self._directory.labels(), *self._announced.labels())
            return (*registered, *labels, *vouched)

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
            _caller.warn(warning)

    def register(self, adapter: Any) -> LoadedBackend:
        """Add an adapter of this process; it stands before an installed one of the same label."""
        try:
            backend = describe(adapter, None)
        except AdapterError as error:
            raise BackendConfigurationError(self.configuration.host, [str(error)]) from error
        with self._lock:
            taken = {key(label) for found in self._registered for label in _labels_of(found)}
            mistakes = [
                problem
                for label in _labels_of(backend)
                if (problem := self._objection(label, taken))
            ]
            if mistakes:
                raise BackendConfigurationError(self.configuration.host, mistakes)
            self._registered.append(backend)
            self.changes.happen()
        return backend

    def remove(self, backend: LoadedBackend) -> None:
        """Take a registered adapter out again; removing it twice does nothing."""
        with self._lock:
            self._registered = [found for found in self._registered if found is not backend]
            self.changes.happen()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What of the installed metadata could not be read, when it was read last."""
        return self._inventory.faults

    def infos(self, *, quietly: bool = False) -> Iterator[BackendInfo]:
        """Describe every backend that is registered or installed; nothing is imported."""
        for backend in self._registered:
            yield BackendInfo(backend.name, "registered", True, None, None, None)  # noqa: FBT003
        for verdict in self._inventory.look() if quietly else self._inventory.verdicts():
            self._announced.look(verdict, quietly=quietly)
        yield from self._inventory.infos(self._name_of, quietly=quietly)

    def _name_of(self, candidate: Candidate) -> str:
        """Tell what an entry point's backend goes by, as far as that is known."""
        loaded = isinstance(self._inventory.outcome(candidate), LoadedBackend)
        return (self._directory if loaded else self._announced).name_of(candidate)

    def known_labels(self) -> tuple[str, ...]:
        """List the labels that are understood without loading anything more."""
        rules = dict.fromkeys(self.configuration.trusted.values())
        usable = [v for v in self._inventory.verdicts() if not v.refused]
        labels = [CPU, *(label for rule in rules for label in _own(rule))]
        labels += [verdict.candidate.name for verdict in usable]
        labels += self.labels()
        return tuple({key(label): label for label in labels if not fault(label)}.values())

    def _folded(self, label: Any, origin: str | None) -> str:
        """Fold a label, refusing what can name no backend."""
        host = self.configuration.host
        problem = fault(label)
        if problem:
            known = self.known_labels()
            raise UnknownBackendError(label, host=host, known=known, origin=origin, problem=problem)
        folded = key(label)
        if folded != CPU and folded in self.configuration.reserved:
            reason = self.configuration.reserved[folded]
            raise ReservedBackendError(label, host=host, reason=reason, origin=origin)
        return folded

    def _objection(self, label: Any, taken: set[str]) -> str | None:
        """Say why a registered adapter may not use a label."""
        problem = fault(label)
        if problem:
            return problem
        if key(label) in self.configuration.reserved:
            return f"{label!r} is reserved. {self.configuration.reserved[key(label)]}"
        return (
            f"{label!r} is registered already; remove that first" if key(label) in taken else None
        )

    def _among_trusted(
        self, folded: str, label: str, origin: str | None
    ) -> LoadedBackend | Verdict | None:
        """Find the installed candidate that may serve a trusted name."""
        rule = self.configuration.trusted.get(folded)
        if rule is None:
            return None
        verdicts = self._inventory.verdicts()
        serving = [verdict for verdict in verdicts if rule.name in verdict.trusted_as]
        bearing = [v for v in serving if self.configuration.trusted.get(key(v.candidate.name))]
        if bearing:
            return _usable(bearing) or bearing[0]
        if serving:
            return self._ask(serving, folded) or _usable(serving) or serving[0]
        claims = (
            v for v in verdicts if v.impostor and key(v.candidate.name) in map(key, _own(rule))
        )
        refused = [str(verdict.candidate.distribution) for verdict in claims]
        raise BackendNotInstalledError(
            label,
            host=self.configuration.host,
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
                host=self.configuration.host,
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
            self.attempt(verdict)
            found = self._known(folded)
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
            host=self.configuration.host,
            known=self.known_labels(),
            broken=broken,
            origin=origin,
        )

    def _serves(self, rule: TrustRule) -> bool:
        """Whether a known backend serves a trusted name."""
        backends = (*self._directory.backends(), *self._announced.usable())
        known = {backend.source for backend in backends}
        verdicts = (v for v in self._inventory.verdicts() if rule.name in v.trusted_as)
        return any(verdict.candidate.source in known for verdict in verdicts)

    def _known(self, folded: str) -> LoadedBackend | None:
        """Find a label among what is registered, then among what is loaded."""
        for backend in reversed(self._registered):
            if folded in map(key, _labels_of(backend)):
                return backend
        return self._directory.find(folded)

    def _warn(self, name: str, candidate: Candidate | None, problem: str) -> None:
        _caller.warn(
            BackendRegistrationWarning(
                name,
                host=self.configuration.host,
                distribution=candidate.distribution if candidate else None,
                version=candidate.version if candidate else None,
                problem=problem,
            )
        )


def _labels_of(backend: LoadedBackend) -> tuple[str, ...]:
    return (backend.name, *backend.aliases)


def _usable(verdicts: Sequence[Verdict]) -> Verdict | None:
    return next((verdict for verdict in verdicts if not verdict.refused), None)


def _own(rule: TrustRule) -> tuple[str, ...]:
    return (rule.name, *rule.aliases)
