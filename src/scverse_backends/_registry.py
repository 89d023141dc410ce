"""The registry: from a label to the loaded adapter that answers to it.

Every change of what a label may mean replaces `generation`, by which compiled
routes know that they are stale.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any, NoReturn

from . import _caller
from ._inventory import Inventory, load_error
from ._labels import CPU, fault, key
from ._loading import ABSENT, AdapterError, describe, fetch
from ._model import BackendInfo, LoadedBackend, Refusal, Verdict
from .exceptions import (
    BackendConfigurationError,
    BackendError,
    BackendNotInstalledError,
    BackendRegistrationWarning,
    ReservedBackendError,
    UnknownBackendError,
    UntrustedBackendWarning,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ._model import Candidate, Configuration, TrustRule
    from ._routing import HostFunction


class Registry:
    """The backends of one host, by every label that names them."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.generation = object()
        self._inventory = Inventory(configuration)
        self._lock = RLock()
        self._labels: dict[str, LoadedBackend] = {}
        self._registered: list[LoadedBackend] = []
        self._used: set[Candidate] = set()

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
            self._labels.get(folded)
            or self._among_trusted(folded, label, origin)
            or self._among_names(folded)
            or self._among_aliases(folded)
            or self._fail(label, origin)
        )
        if isinstance(found, Verdict) and found.refused:
            self._inventory.load(found)
        return found

    def load(self, located: LoadedBackend | Verdict) -> LoadedBackend:
        """Load what was located, if it is not, and index every label it answers to."""
        if isinstance(located, LoadedBackend):
            return located
        backend = self._inventory.load(located)
        for problem in self._index(backend):
            self._warn(backend.name, backend.candidate, problem)
        return backend

    def get(self, label: Any, origin: str | None = None) -> LoadedBackend | None:
        """Load the backend that a label names, for use; ``None`` for the host itself."""
        located = self.locate(label, origin)
        return None if located is None else self.use(self.load(located))

    def use(self, backend: LoadedBackend) -> LoadedBackend:
        """Warn when a backend that the host does not vouch for is first used."""
        candidate = backend.candidate
        if candidate is None or candidate in self._used:
            return backend
        with self._lock:
            first = candidate not in self._used
            self._used.add(candidate)
        if first and self.configuration.untrusted == "warn" and not self._is_trusted(backend):
            _caller.warn(
                UntrustedBackendWarning(
                    backend.name,
                    host=self.configuration.host,
                    distribution=backend.distribution,
                    version=backend.version,
                )
            )
        return backend

    def load_all(self, *, report: bool = False) -> tuple[LoadedBackend, ...]:
        """Load every backend that can be; the broken ones keep, or report, their errors."""
        for verdict in self._inventory.verdicts():
            error = self._try(verdict)
            if error is not None and report:
                self._warn(verdict.candidate.name, verdict.candidate, str(error))
        return self.loaded()

    def loaded(self) -> tuple[LoadedBackend, ...]:
        """List the backends that are loaded or registered, each once."""
        with self._lock:
            return tuple({id(found): found for found in self._labels.values()}.values())

    def refresh(self) -> None:
        """Look again at what is installed; errors are forgotten, routes compiled anew."""
        self._inventory.refresh()
        self._reindex()

    def register(self, adapter: Any) -> LoadedBackend:
        """Add an adapter of this process; it stands before an installed one of the same label."""
        try:
            backend = describe(adapter, None)
        except AdapterError as error:
            raise BackendConfigurationError(self.configuration.host, [str(error)]) from error
        with self._lock:
            taken = {key(label) for found in self._registered for label in found.labels}
            mistakes = [
                problem for label in backend.labels if (problem := self._objection(label, taken))
            ]
            if mistakes:
                raise BackendConfigurationError(self.configuration.host, mistakes)
            self._registered.append(backend)
            self._reindex()
        return backend

    def remove(self, backend: LoadedBackend) -> None:
        """Take a registered adapter out again; removing it twice does nothing."""
        with self._lock:
            self._registered = [found for found in self._registered if found is not backend]
            self._reindex()

    def implementation(self, backend: LoadedBackend, function: HostFunction) -> Any:
        """Fetch a backend's implementation of a function, or the refusal that there is none.

        Raises
        ------
        BackendLoadError
            If the adapter offers it and it cannot be fetched.
        """
        try:
            found = fetch(backend.adapter, function.name)
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:
            host, candidate = self.configuration.host, backend.candidate
            raise load_error(error, backend=backend.name, host=host, candidate=candidate) from error
        if found is ABSENT or found is function.public or found is function.func:
            return Refusal(backend.name, "does not implement it")
        if not callable(found):
            return Refusal(backend.name, f"offers {function.name!r}, which cannot be called")
        return found

    def infos(self) -> Iterator[BackendInfo]:
        """Describe every backend that is registered or installed; nothing is imported."""
        for backend in self._registered:
            yield BackendInfo(backend.name, "registered", True, None, None, None)  # noqa: FBT003
        for verdict in self._inventory.verdicts():
            yield self._info(verdict)

    def known_labels(self) -> tuple[str, ...]:
        """List the labels that are understood without loading anything more."""
        rules = dict.fromkeys(self.configuration.trusted.values())
        usable = [v for v in self._inventory.verdicts() if not v.refused]
        labels = [label for rule in rules for label in (rule.name, *rule.aliases)]
        labels += [verdict.candidate.name for verdict in usable]
        labels += [label for backend in self.loaded() for label in backend.labels]
        return tuple({key(label): label for label in labels if not fault(label)}.values())

    def _folded(self, label: Any, origin: str | None) -> str:
        """Fold a label, refusing what can name no backend."""
        host = self.configuration.host
        if fault(label):
            known = self.known_labels() if isinstance(label, str) else ()
            raise UnknownBackendError(label, host=host, known=known, origin=origin)
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
        found = self._ask(serving, folded)
        if found or serving:
            return found or _usable(serving) or serving[0]
        claims = (v for v in verdicts if v.impostor and key(v.candidate.name) in _keys(rule))
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

    def _among_aliases(self, folded: str) -> LoadedBackend | None:
        """Load the remaining adapters, one by one, until one answers to a label."""
        return self._ask(self._inventory.verdicts(), folded)

    def _ask(self, verdicts: Iterable[Verdict], folded: str) -> LoadedBackend | None:
        for verdict in verdicts:
            self._try(verdict)
            if folded in self._labels:
                return self._labels[folded]
        return None

    def _try(self, verdict: Verdict) -> BackendError | None:
        """Load a backend if that works; its error is kept for whoever names it."""
        try:
            if not verdict.refused:
                self.load(verdict)
        except BackendError as error:
            return error
        return None

    def _fail(self, label: str, origin: str | None) -> NoReturn:
        verdicts = self._inventory.verdicts()
        broken = [
            f"{v.candidate.name} ({v.candidate.distribution})"
            for v in verdicts
            if isinstance(self._inventory.outcome(v), BackendError)
        ]
        raise UnknownBackendError(
            label,
            host=self.configuration.host,
            known=self.known_labels(),
            broken=broken,
            origin=origin,
        )

    def _index(self, backend: LoadedBackend) -> list[str]:
        """Enter a loaded backend under its labels; a label that another has stays with that one."""
        problems = []
        with self._lock:
            for label in backend.labels:
                holder = self._labels.setdefault(key(label), backend)
                if holder is not backend and holder.candidate is not None:
                    problems.append(
                        f"the label {label!r} stays with {holder.name!r}, which had it first"
                    )
        return problems

    def _reindex(self) -> None:
        """Build the labels anew: registered adapters first, then what is loaded."""
        with self._lock:
            self._labels = {}
            for backend in (*reversed(self._registered), *self._inventory.loaded()):
                self._index(backend)
            self.generation = object()

    def _is_trusted(self, backend: LoadedBackend) -> bool:
        verdicts = self._inventory.verdicts()
        return any(v.candidate == backend.candidate and v.trusted_as for v in verdicts)

    def _info(self, verdict: Verdict) -> BackendInfo:
        candidate, outcome = verdict.candidate, self._inventory.outcome(verdict)
        name, state, reason = candidate.name, "installed", None
        if verdict.refused:
            state, reason = "refused", verdict.refused
        elif isinstance(outcome, BackendError):
            state, reason = "broken", str(outcome)
        elif outcome is not None:
            name, state = outcome.name, "loaded"
        return BackendInfo(
            name=name,
            state=state,  # type: ignore[arg-type]
            trusted=bool(verdict.trusted_as and not verdict.refused),
            distribution=candidate.distribution,
            version=candidate.version,
            entry_point=candidate.value,
            reason=reason,
        )

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


def _usable(verdicts: Sequence[Verdict]) -> Verdict | None:
    return next((verdict for verdict in verdicts if not verdict.refused), None)


def _keys(rule: TrustRule) -> set[str]:
    return {key(label) for label in (rule.name, *rule.aliases)}
