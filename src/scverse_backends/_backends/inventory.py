"""The inventory: what is installed or registered, read from metadata once, loaded on demand.

Each adapter is loaded once, by however many threads. What it raises becomes
its error and hides no other; the next use tries again, as Python does with imports.
"""

from __future__ import annotations

from functools import partial
from threading import RLock
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from scverse_backends._ground import messages
from scverse_backends._ground.callables import begin_locks
from scverse_backends._ground.labels import fault, fold
from scverse_backends._ground.records import Candidate, LoadedBackend
from scverse_backends._ground.safe_repr import safe_repr
from scverse_backends.exceptions import (
    BackendConfigurationError,
    BackendError,
    BackendRegistrationWarning,
    UntrustedBackendError,
    UntrustedBackendWarning,
)

from .configuration import blocked_labels
from .discovery import as_installed_now, discover, look_anew
from .facts import AdapterError, remarks
from .index import Installed, LabelIndex
from .load_lock import CircularWaitError, LoadLock
from .loading import describe, load_error
from .reading import Origins, Reading, about, load_adapter, read_manifest
from .trust import Judge, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from scverse_backends._ground.labels import Changes
    from scverse_backends._ground.records import Source, Verdict
    from scverse_backends.exceptions import BackendWarning

    from .configuration import Configuration
    from .discovery import Fault
    from .reading import Outcome


class Inventory:
    """The backends of one host, installed or registered in this process.

    Parameters
    ----------
    configuration
        What the host trusts and reserves.
    changes
        Told when a label may name another backend than before.
    apart
        Runs a backend's own code that is no implementation.

    Attributes
    ----------
    registered
        The adapters of this process, in the order of their registration.
    blocked
        The labels and distributions that must never be imported.
    faults
        What of the metadata could not be read, when it was read last.
    """

    def __init__(
        self,
        configuration: Configuration,
        changes: Changes,
        apart: Callable[[Callable[[], Any]], Any],
    ) -> None:
        self.configuration = configuration
        self.changes = changes
        self.apart = apart
        self.registered: tuple[LoadedBackend, ...] = ()
        self.blocked: frozenset[str] = frozenset()
        self.faults: tuple[Fault, ...] = ()
        self._used: set[Source] = set()
        self._origins = Origins()
        self._index: LabelIndex | None = None
        self._pending: list[BackendWarning] = []
        self._mistakes: list[str] = []
        begin_locks(self)

    def begin_locks(self) -> None:
        """Make the locks, anew in a forked child: the thread that held one may not be there."""
        self._lock = RLock()
        self._loading = LoadLock()

    # What is installed.

    @property
    def index(self) -> LabelIndex:
        """What each label names; metadata is read when this is first asked."""
        if self._index is None:
            with self._lock:
                if self._index is None:
                    self._read()
        return cast("LabelIndex", self._index)

    @property
    def met(self) -> tuple[Installed, ...]:
        """What is known of installed adapters by now; nothing before the metadata is read."""
        return tuple(self._index.installed.values()) if self._index else ()

    def verdicts(self) -> tuple[Verdict, ...]:
        """Judge what is installed, and warn of what was found when the metadata was read."""
        index = self.index
        if self._mistakes:
            raise BackendConfigurationError(self.configuration.host, self._mistakes)
        if self._pending:
            with self._lock:
                pending, self._pending = self._pending, []
            for warning in pending:
                messages.warn(warning)
        return tuple(entry.verdict for entry in index.entries)

    def refresh(self) -> None:
        """Look again at what is installed; errors are forgotten, routes compiled anew."""
        look_anew()
        self._read()
        self.changes.happen()
        self.verdicts()

    def _read(self) -> None:
        """Read the metadata; loaded adapters that are still installed stay."""
        candidates, faults = discover(self.configuration.group)
        blocked, mistakes = blocked_labels()
        verdicts = judge(self.configuration, candidates, blocked)
        pending = [*self._warnings(faults, verdicts)]
        with self._lock:
            usable = {verdict.candidate.source for verdict in verdicts if not verdict.refused}
            before = self._index.installed if self._index else {}
            kept = {source: known for source, known in before.items() if source in usable}
            for known in kept.values():
                known.forget()
            self.blocked, self.faults = blocked, faults
            self._pending, self._mistakes = pending, mistakes
            self._index = LabelIndex(verdicts, kept)

    def _warnings(
        self, faults: Iterable[Fault], verdicts: Iterable[Verdict]
    ) -> Iterator[BackendWarning]:
        """Say what of the metadata could not be read, and who claims a name that is not its own."""
        for name, problem in faults:
            nameless = Candidate(name, "", name, None)
            unreadable = f"its metadata cannot be read ({problem})"
            yield self._about(BackendRegistrationWarning, nameless, problem=unreadable)
        for verdict in verdicts:
            if verdict.impostor:
                reason = verdict.refused
                warning = self._about(UntrustedBackendWarning, verdict.candidate, reason=reason)
                messages.log(messages.WARNING, "%s", warning)
                yield warning

    # What manifests and adapters say.

    def installed(self, source: Source | None) -> Installed:
        """Give what is known of an installed adapter; nothing of one that is not there."""
        known = self.index.installed.get(source) if source else None
        return known or Installed(source)

    def described(self, verdict: Verdict, *, quietly: bool = False) -> LoadedBackend | None:
        """Give a backend that is not loaded as its manifest describes it, if it has one."""
        if verdict.refused:
            return None
        installed = self.installed(verdict.candidate.source)
        self._read_manifest(verdict, installed)
        if not quietly:
            self._warn_of(verdict, installed)
        return None if installed.is_loaded else installed.backend

    def peek(self, located: LoadedBackend | Verdict) -> LoadedBackend | None:
        """Give what was located as it is known without loading it, if it is."""
        if isinstance(located, LoadedBackend):
            return located
        return self.installed(located.candidate.source).backend or self.described(located)

    def use(self, located: LoadedBackend | Verdict) -> LoadedBackend:
        """Load what was located; warn if the host does not trust it and its code runs first."""
        self._warn_if_untrusted(located.candidate)
        return self.load(located)

    def _warn_if_untrusted(self, candidate: Candidate | None) -> None:
        """Warn, once, that code which the host does not trust runs from here on."""
        if candidate is None or candidate.source in self._used:
            return
        if isinstance(self.installed(candidate.source).by_manifest, BackendError):
            return  # so none of its code will run
        trusted = any(v.trusted_as for v in self.verdicts() if v.candidate == candidate)
        if not (trusted or self.configuration.untrusted == "allow"):
            messages.warn(self._about(UntrustedBackendWarning, candidate))
        # Only now: where the warning is an error, every use is one.
        self._used.add(candidate.source)

    def load(self, located: LoadedBackend | Verdict) -> LoadedBackend:
        """Load what was located, unless that was done.

        Raises
        ------
        UntrustedBackendError
            If it is refused; then none of its code ran.
        BackendLoadError
            If it failed to load.
        """
        if isinstance(located, LoadedBackend):
            return located
        if located.refused:
            reason = located.refused
            error = self._about(UntrustedBackendError, located.candidate, reason=reason)
            messages.log(messages.WARNING, "%s", error)
            raise error
        installed = self.installed(located.candidate.source)
        if not installed.is_loaded:
            self._load_alone(located, installed)
        self._warn_of(located, installed)
        return cast("LoadedBackend", installed.backend)

    def attempt(
        self, verdict: Verdict, *, again: bool = False, quietly: bool = False
    ) -> BackendError | None:
        """Load a backend if that works; what failed before is tried again only on demand."""
        known = self.installed(verdict.candidate.source).error
        if verdict.refused or (known and not again):
            return known
        if not quietly:
            self._warn_if_untrusted(verdict.candidate)
        try:
            self.load(verdict)
        except BackendError as error:
            return error
        return None

    def _load_alone(self, verdict: Verdict, installed: Installed) -> None:
        """Load unless another thread tried while this one waited, which then serves both."""
        failure = installed.error
        try:
            with self._loading.holding(installed.source):
                if not installed.is_loaded and installed.error is failure:
                    self._try(verdict, installed)
                error = installed.error
        except CircularWaitError as circle:
            candidate = verdict.candidate
            host = self.configuration.host
            raise load_error(circle, candidate.name, host, candidate) from circle
        if error is not None:
            raise error.anew()

    def _try(self, verdict: Verdict, installed: Installed) -> None:
        """Load a backend, and keep what that gave."""
        self._read_manifest(verdict, installed)
        started = perf_counter()
        reading = Reading(installed.by_manifest)
        if not isinstance(reading.outcome, BackendError):
            # Another version than the one that was read may be imported now.
            verdict = verdict._replace(candidate=as_installed_now(verdict.candidate))
            older = self._origins.older(verdict.candidate)
            load = partial(load_adapter, verdict.candidate, self._judge(installed))
            reading = self.apart(load)
            reading = self._origins.note(verdict.candidate, older, reading)
        seconds = perf_counter() - started
        self._keep(installed, reading)
        self._log(verdict, reading.outcome, seconds)

    def _read_manifest(self, verdict: Verdict, installed: Installed) -> None:
        """Read a manifest, unless that was done."""
        if installed.is_read:
            return
        # Not within the lock: to find the file, the import system is asked.
        reading = read_manifest(verdict.candidate, self._judge(installed))
        with self._lock:
            is_first = installed.keep_reading(reading)
            self.index.reorder()
        if is_first and installed.has_manifest and not installed.is_loaded:
            self._keep(installed, reading)

    def _judge(self, installed: Installed) -> Judge:
        """Give what judges the labels that an adapter claims."""
        return Judge(self.configuration, installed.trusted_as, self.blocked)

    def _keep(self, installed: Installed, reading: Reading) -> None:
        """Take in what a manifest, or loading, gave."""
        with self._lock:
            installed.note(reading.problems)
            failed_before = installed.error is not None
            moved = self.index.put(installed, cast("Outcome", reading.outcome))
        # Where it was optional, it was left out.
        if moved or (failed_before and installed.is_loaded):
            self.changes.happen()

    def _log(self, verdict: Verdict, outcome: Any, seconds: float) -> None:
        """Log what loading a backend gave."""
        if isinstance(outcome, BackendError):
            refused = isinstance(outcome, UntrustedBackendError)
            messages.log(messages.WARNING if refused else messages.INFO, "%s", outcome)
            return
        unknown = "" if verdict.trusted_as else ", which it does not trust,"
        where = f"{outcome.distribution} {outcome.version}, {verdict.candidate.value}"
        host, name = self.configuration.host, outcome.name
        message = "%s loaded backend %r (%s)%s in %.3f s"
        messages.log(messages.INFO, message, host, name, where, unknown, seconds)

    def _warn_of(self, verdict: Verdict, installed: Installed) -> None:
        """Warn of what is wrong with a backend, once."""
        with self._lock:
            problems = installed.take_untold()
        for problem in problems:
            self._warn(verdict.candidate, problem)

    def _warn(self, candidate: Candidate, problem: str) -> None:
        messages.warn(self._about(BackendRegistrationWarning, candidate, problem=problem))

    def _about(self, kind: Callable[..., Any], candidate: Candidate, **data: Any) -> Any:
        return about(kind, candidate, self.configuration.host, **data)

    # What this process registers.

    def register(self, adapter: Any) -> LoadedBackend:
        """Add an adapter of this process; it stands before an installed one of the same label.

        Raises
        ------
        BackendConfigurationError
            If it is no adapter, or a label is reserved or registered already.
        """
        try:
            backend = describe(adapter, None)
        except AdapterError as error:
            mistake = f"the adapter {safe_repr(adapter)} cannot be registered: {error}"
            raise BackendConfigurationError(self.configuration.host, [mistake]) from error
        with self._lock:
            kept = tuple(one for one in self.registered if not _is_redefined(one, backend))
            taken = {fold(label) for one in kept for label in one.labels}
            mistakes = [*filter(None, (self._objection(label, taken) for label in backend.labels))]
            if mistakes:
                raise BackendConfigurationError(self.configuration.host, mistakes)
            self.registered = (*kept, backend)
        self.changes.happen()
        for problem in remarks(backend.adapter):
            self._warn(Candidate(backend.name, "", None, None), problem)
        return backend

    def remove(self, backend: LoadedBackend) -> None:
        """Take a registered adapter out again; removing it twice does nothing."""
        with self._lock:
            self.registered = tuple(one for one in self.registered if one is not backend)
        self.changes.happen()

    def _objection(self, label: Any, taken: Collection[str]) -> str | None:
        """Say why an adapter may not be registered under a label."""
        problem = fault(label) or self.configuration.reservation(label)
        if problem or fold(label) not in taken:
            return problem
        return f"{label!r} is registered already; first call remove() of what register() gave"


def _is_redefined(old: LoadedBackend, new: LoadedBackend) -> bool:
    """Whether an adapter's class takes the place of another's, as when a notebook's cell runs again.

    What a function makes, it may make several times at once.
    """
    was, now = type(old.adapter), type(new.adapter)
    is_new = was is not now and old.name == new.name and "<locals>" not in now.__qualname__
    return is_new and (was.__module__, was.__qualname__) == (now.__module__, now.__qualname__)
