"""The registry: the backends of one host, from a label to a loaded adapter.

A label is looked up the cheapest way that is certain first. Every change of
what a label may mean begins another generation, by which compiled routes know
that they are stale.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, cast

from scverse_backends._ground.labels import CPU, fault, fold
from scverse_backends._ground.records import BackendInfo, Candidate, LoadedBackend
from scverse_backends.exceptions import (
    AmbiguousBackendError,
    BackendLoadError,
    BackendNotInstalledError,
    ReservedBackendError,
    UnknownBackendError,
    UntrustedBackendError,
)

from .facts import AdapterError
from .inventory import Inventory
from .trust import BLOCKED, misplaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Self

    from scverse_backends._ground.records import Verdict

    from .configuration import TrustRule


UNUSABLE = ("broken", "refused")


class Listed(NamedTuple):
    """One backend that is there, with itself and the labels that name it, as far as they are known."""

    info: BackendInfo
    backend: LoadedBackend | None
    labels: tuple[str, ...]


class Registry(Inventory):
    """The backends of one host, by every label that names them."""

    # From a label to a backend.

    def locate(self, label: Any, origin: str | None = None) -> LoadedBackend | Verdict | None:
        """Find what a label names, importing only if nothing cheaper is certain.

        Returns
        -------
        A registered backend, the verdict on an installed one, or ``None`` for the host itself.
        """
        folded = self._folded(label, origin)
        if folded == CPU:
            return None
        registered = self._registered_as(folded)
        if registered is not None:
            return registered
        found = (
            self._among_trusted(folded, label, origin)
            or self._among_names(folded, label, origin)
            or self._among_claims(folded, label)
            or self._fail(label, origin)
        )
        if found.refused:
            self.load(found)
        return found

    def find(self, name: str, candidate: Candidate | None) -> LoadedBackend | Verdict | None:
        """Find exactly one backend: the adapter registered under a name, or an installed one."""
        if candidate is None:
            return next((b for b in reversed(self.registered) if b.name == name), None)
        verdict = next((v for v in self.verdicts() if v.candidate == candidate), None)
        # After an upgrade, the loaded backend is still the one that was there before.
        loaded = (b for b in self.known() if b.described is None)
        return verdict or next((b for b in loaded if b.candidate == candidate), None)

    def current(self, backend: LoadedBackend) -> LoadedBackend | None:
        """Give a backend as it is now, or else the one that has its name by now."""
        if backend in self.registered:
            return backend
        return self.installed(backend.source).backend or self.get(backend.name)

    def get(self, label: Any, origin: str | None = None) -> LoadedBackend | None:
        """Load the backend that a label names, for use; ``None`` for the host itself."""
        located = self.locate(label, origin)
        return None if located is None else self.use(located)

    def _folded(self, label: Any, origin: str | None) -> str:
        """Fold a label, refusing what can name no backend."""
        host = self.configuration.host
        problem = fault(label)
        if problem:
            known = self._known_labels()
            raise UnknownBackendError(label, host=host, known=known, origin=origin, problem=problem)
        folded = fold(label)
        if folded != CPU and folded in self.configuration.reserved:
            reason = self.configuration.reserved[folded]
            raise ReservedBackendError(label, host=host, reason=reason, origin=origin)
        return folded

    def _registered_as(self, folded: str) -> LoadedBackend | None:
        """Find the adapter that was registered last under a label."""
        found = (b for b in reversed(self.registered) if folded in map(fold, b.labels))
        return next(found, None)

    def _among_trusted(self, folded: str, label: str, origin: str | None) -> Verdict | None:
        """Find the installed candidate that may serve a trusted name."""
        trusted = self.configuration.trusted
        rule = trusted.get(folded)
        if rule is None:
            return None
        verdicts = self.verdicts()
        serving = [verdict for verdict in verdicts if rule.name in verdict.trusted_as]
        if serving:
            bearing = [verdict for verdict in serving if fold(verdict.candidate.name) in trusted]
            return _usable(bearing) or self._ask(folded, serving) or _usable(serving)
        labels = set(map(fold, rule.labels))
        claims = [v for v in verdicts if v.impostor and fold(v.candidate.name) in labels]
        found = None if claims else misplaced(rule, (verdict.candidate for verdict in verdicts))
        if found is not None:
            raise self._about(UntrustedBackendError, found[0], reason=found[1])
        raise BackendNotInstalledError(
            label,
            host=self.configuration.host,
            backend=rule.name,
            package=rule.package,
            refused=[str(verdict.candidate.distribution) for verdict in claims],
            origin=origin,
        )

    def _among_names(self, folded: str, label: str, origin: str | None) -> Verdict | None:
        """Find the installed candidate whose entry point, or distribution, has a name.

        Raises
        ------
        AmbiguousBackendError
            If entry points of several distributions have it, and the host trusts none of them.
        """
        self.verdicts()  # warns of the metadata, and raises mistakes in the variable that blocks packages
        rivals = self.index.ambiguous.get(folded)
        if rivals:
            raise AmbiguousBackendError(
                label,
                host=self.configuration.host,
                distributions=[(str(one.distribution), one.version) for one in rivals],
                origin=origin,
            )
        named = self.index.named.get(folded)
        return named.entry.verdict if named else None

    def _among_claims(self, folded: str, label: str) -> Verdict | None:
        """Ask the manifests, then load the remaining adapters, until one claims a label."""
        if folded in self.blocked:
            raise UntrustedBackendError(
                label,
                host=self.configuration.host,
                distribution=None,
                version=None,
                reason=f"the label is {BLOCKED}",
            )
        return self._ask(folded, self.verdicts())

    def _ask(self, folded: str, verdicts: Sequence[Verdict]) -> Verdict | None:
        """Ask backends in their fixed order; those that failed before are tried again at the end."""
        self.read_manifests()
        wanted = set(verdicts)
        asked = [e for e in self.index.in_order() if e.verdict in wanted]
        # A manifest keeps its place: what it claims holds although the adapter failed to load.
        for entry in sorted(
            asked, key=lambda e: bool(e.installed.error and not e.installed.claims)
        ):
            if entry.installed.backend is None:
                self.attempt(entry.verdict, again=True)
            if folded in entry.installed.claims:
                return entry.verdict
        return None

    def _fail(self, label: str, origin: str | None) -> NoReturn:
        candidates = [e.verdict.candidate for e in self.index.entries if e.installed.error]
        raise UnknownBackendError(
            label,
            host=self.configuration.host,
            known=self._known_labels(),
            broken=[f"{candidate.name} ({candidate.distribution})" for candidate in candidates],
            origin=origin,
        )

    # What there is.

    def read_manifests(self) -> None:
        """Read the manifest of every backend that is not loaded; nothing is imported."""
        for verdict in self.verdicts():
            self.described(verdict)

    def know_all(self, *, report: bool = False) -> tuple[LoadedBackend, ...]:
        """Read the manifest of every backend, and load those that have none.

        Returns
        -------
        Those of them that did not fail to load.
        """
        for verdict in self.verdicts():
            error = None if self.described(verdict) else self.attempt(verdict)
            # What an adapter says of itself in vain is told by all that look; nobody might select it.
            is_mistaken = error is not None and type(error.__cause__) is AdapterError
            if error is not None and (report or is_mistaken):
                told = f"it {error.trouble}" if isinstance(error, BackendLoadError) else str(error)
                self._warn(verdict.candidate, told)
        return (*self.registered, *(b for one in self.met if (b := one.usable)))

    def known(self) -> tuple[LoadedBackend, ...]:
        """List the backends that are registered, loaded, or described by a manifest read before."""
        return (*self.registered, *(b for one in self.met if (b := one.backend)))

    def offering(self, function: str) -> Iterator[LoadedBackend]:
        """List the known backends that may offer a function; a manifest says what it describes."""
        return (b for b in self.known() if b.described is None or function in b.described)

    def labels(self) -> tuple[str, ...]:
        """List every label of what is registered, loaded or described, as it was written."""
        index = self.index
        usable = [installed for installed in self.met if installed.usable]
        served = {name for installed in usable for name in installed.trusted_as}
        rules = [rule for rule in self.configuration.rules if rule.name in served]
        return (
            *(label for backend in self.registered for label in backend.labels),
            *(label for installed in usable for label in index.labels_of(installed)),
            *(label for rule in rules for label in rule.labels),
        )

    def listed(self, *, quietly: bool = False) -> Iterator[Listed]:
        """Describe every backend that is registered or installed; nothing is imported."""
        for backend in self.registered:
            info = BackendInfo(backend.name, "registered", True, None, None, None)  # noqa: FBT003
            yield Listed(info, backend, backend.labels)
        if not quietly:
            self.verdicts()
        index = self.index
        for verdict, _ in index.entries:
            self.described(verdict, quietly=quietly)
        for verdict, installed in index.entries:
            candidate, error = verdict.candidate, installed.error
            known = None if verdict.refused else installed.backend
            info = BackendInfo(
                name=known.name if known else candidate.name,
                state="refused" if verdict.refused else installed.state,
                trusted=bool(verdict.trusted_as) and not verdict.refused,
                distribution=known.distribution if known else candidate.distribution,
                version=known.version if known else candidate.version,
                entry_point=candidate.value,
                reason=verdict.refused or (str(error) if error else None),
            )
            held = index.labels_of(installed) if known else ()
            yield Listed(info, known, self._labels(info, held))

    def _labels(self, info: BackendInfo, held: Iterable[str]) -> tuple[str, ...]:
        """List the labels that name an installed backend, as far as they are known, its name first."""
        if info.state in UNUSABLE:
            return ()
        rule = self.configuration.trusted.get(fold(info.name)) if info.trusted else None
        labels = (info.name, *held, *(rule.labels if rule else ()))
        return tuple({fold(label): label for label in labels}.values())

    def absent(self) -> Iterator[TrustRule]:
        """List the trusted backends that are neither installed nor registered."""
        served = {name for verdict, _ in self.index.entries for name in verdict.trusted_as}
        for rule in self.configuration.rules:
            if rule.name not in served and self._registered_as(fold(rule.name)) is None:
                yield rule

    def compare(self, backend: LoadedBackend, function: str, found: Any) -> None:
        """Warn if a loaded backend's manifest is wrong about one of its functions."""
        problem = self.installed(backend.source).compare_function(function, found)
        if problem:
            self._warn(cast("Candidate", backend.candidate), problem)

    def tell_mistake(self, backend: LoadedBackend, function: str, reason: str) -> None:
        """Warn of a mistake of an adapter that keeps every call of a function away."""
        candidate = backend.candidate or Candidate(backend.name, "", None, None)
        advice = "Only its maintainer can correct that; scverse-backends verify shows more."
        self._warn(candidate, f"no call of {function!r} can run there, as it {reason}. {advice}")

    def _known_labels(self) -> tuple[str, ...]:
        """List the labels that are understood without loading anything more."""
        labels = [CPU, *(label for rule in self.configuration.rules for label in rule.labels)]
        labels += chain.from_iterable(self.index.view.by_adapter.values())
        labels += self.labels()
        return tuple({fold(label): label for label in labels}.values())


class Registration:
    """An adapter registered in this process; made by `BackendDispatcher.register`.

    Attributes
    ----------
    name
        Canonical name of the backend.
    """

    def __init__(self, registry: Registry, backend: LoadedBackend) -> None:
        self._registry = registry
        self._backend = backend
        self.name = backend.name

    def __repr__(self) -> str:
        state = "is" if self._backend in self._registry.registered else "was"
        return f"<backend {self.name!r} {state} registered>"

    def remove(self) -> None:
        """End the registration; doing so twice does no harm."""
        self._registry.remove(self._backend)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def _usable(verdicts: Sequence[Verdict]) -> Verdict | None:
    """Give the first that is not refused, or else the first, whose refusal says why."""
    usable = (verdict for verdict in verdicts if not verdict.refused)
    return next(usable, verdicts[0] if verdicts else None)
