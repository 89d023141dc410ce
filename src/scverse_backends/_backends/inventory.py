"""The inventory: what is installed, what the host thinks of it, and what became of loading it.

Each adapter is loaded once, whatever number of threads ask; whatever it raises
is kept as its error and hides no other.
"""

from __future__ import annotations

from functools import partial
from threading import RLock
from time import perf_counter
from typing import TYPE_CHECKING, Any

from scverse_backends._ground import messages, safe_repr
from scverse_backends._ground.labels import key
from scverse_backends._ground.records import BackendInfo
from scverse_backends.exceptions import (
    BackendError,
    BackendLoadError,
    BackendRegistrationWarning,
    UntrustedBackendError,
    UntrustedBackendWarning,
)

from .configuration import blocked_labels
from .descriptions import Description, Descriptions
from .discovery import discover
from .loading import AdapterError, describe, import_reference
from .trust import judge, review
from .turns import CircularWaitError, Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scverse_backends._ground.labels import Configuration
    from scverse_backends._ground.records import (
        BackendState,
        Candidate,
        LoadedBackend,
        Source,
        Verdict,
    )
    from scverse_backends.exceptions import BackendWarning

    from .discovery import Fault

    Outcome = LoadedBackend | BackendError


class Inventory:
    """The installed backends of one host."""

    def __init__(
        self, configuration: Configuration, apart: Callable[[Callable[[], Any]], Any]
    ) -> None:
        self._configuration = configuration
        self._reading = RLock()
        self._verdicts: tuple[Verdict, ...] | None = None
        self._unsaid: list[BackendWarning] = []
        self.blocked: frozenset[str] = frozenset()
        self.faults: tuple[Fault, ...] = ()
        self._outcomes: dict[Source, Outcome] = {}
        self._apart = apart
        self._turns = Turns()
        self.descriptions = Descriptions(configuration)

    def verdicts(self) -> tuple[Verdict, ...]:
        """Judge what is installed; metadata is read when this is first asked."""
        found = self.look()
        if self._unsaid:
            with self._reading:
                unsaid, self._unsaid = self._unsaid, []
            for warning in unsaid:
                messages.warn(warning)
        return found

    def look(self) -> tuple[Verdict, ...]:
        """Judge as `verdicts` does, and leave what there is to warn of to whoever asks that."""
        if self._verdicts is None:
            with self._reading:
                if self._verdicts is None:
                    self._unsaid = self.refresh()
        return self._verdicts or ()

    def refresh(self) -> list[BackendWarning]:
        """Read the metadata anew; errors are forgotten, loaded adapters still installed stay.

        Returns
        -------
        What the caller should warn of, once it is done.
        """
        candidates, faults = discover(self._configuration.group)
        self.faults = faults
        blocked = blocked_labels()
        verdicts = judge(self._configuration, candidates, blocked)
        usable = {verdict.candidate.source for verdict in verdicts if not verdict.refused}
        with self._reading:
            self._verdicts, self.blocked, self._unsaid = verdicts, blocked, []
            for known, outcome in [*self._outcomes.items()]:
                if known not in usable or isinstance(outcome, BackendError):
                    del self._outcomes[known]
            self.descriptions.forget()
        warnings: list[BackendWarning] = [
            self._registration(f.distribution, None, f"its metadata cannot be read ({f.problem})")
            for f in faults
        ]
        impostors = [
            self._about(UntrustedBackendWarning, verdict, reason=verdict.refused)
            for verdict in verdicts
            if verdict.impostor
        ]
        for warning in impostors:
            messages.log(messages.WARNING, "%s", warning)
        return warnings + impostors

    def outcome(self, candidate: Candidate) -> Outcome | None:
        """Tell what became of loading a backend; ``None`` if it was not tried."""
        return self._outcomes.get(candidate.source) if self._outcomes else None

    def describe(self, verdict: Verdict) -> Description:
        """Tell what its manifest says of a backend; nothing if the host refuses it."""
        if verdict.refused:
            return Description()
        return self.descriptions.read(verdict, self.blocked)

    def owners(self) -> dict[str, Source]:
        """Tell whose each entry point's name is; of several, the first one's."""
        verdicts = [v for v in reversed(self.look()) if not v.refused]
        return {key(v.candidate.name): v.candidate.source for v in verdicts}

    def infos(
        self, names: Callable[[Candidate], str], *, quietly: bool = False
    ) -> Iterator[BackendInfo]:
        """Describe every installed backend under the name that it goes by; nothing is imported."""
        for verdict in self.look() if quietly else self.verdicts():
            candidate, outcome = verdict.candidate, self.outcome(verdict.candidate)
            yield BackendInfo(
                name=names(candidate),
                state=_state(verdict, outcome),
                trusted=bool(verdict.trusted_as) and not verdict.refused,
                distribution=candidate.distribution,
                version=candidate.version,
                entry_point=candidate.value,
                reason=verdict.refused
                or (str(outcome) if isinstance(outcome, BackendError) else None),
            )

    def load(self, verdict: Verdict) -> LoadedBackend:
        """Load a backend, once.

        Raises
        ------
        UntrustedBackendError
            If it is refused; then none of its code ran.
        BackendLoadError
            If it failed to load, now or before.
        """
        if verdict.refused:
            refusal = self._about(UntrustedBackendError, verdict, reason=verdict.refused)
            messages.log(messages.WARNING, "%s", refusal)
            raise refusal
        outcome = self._outcomes.get(verdict.candidate.source) or self._load_in_turn(verdict)
        if isinstance(outcome, BackendError):
            raise outcome.anew()
        return outcome

    def _load_in_turn(self, verdict: Verdict) -> Outcome:
        """Load unless another thread did while this one waited."""
        candidate, source = verdict.candidate, verdict.candidate.source
        try:
            with self._turns.turn(source):
                known = self._outcomes.get(source)
                if known is not None:
                    return known
                started = perf_counter()
                attempt: tuple[Outcome, tuple[str, ...]] = self._apart(
                    partial(self._attempt, verdict)
                )
                outcome, problems = attempt
                seconds = perf_counter() - started
                if not _is_passing(outcome):
                    self._outcomes[source] = outcome
        except CircularWaitError as error:
            return self._failure(verdict, error)
        self._log(verdict, outcome, seconds)
        for problem in self.descriptions.untold(candidate, problems):
            messages.warn(
                self._registration(
                    candidate.distribution, candidate.version, problem, candidate.name
                )
            )
        return outcome

    def _attempt(self, verdict: Verdict) -> tuple[Outcome, tuple[str, ...]]:
        """Import and describe an adapter; whatever it raises becomes its error."""
        described = self.describe(verdict)
        if described.blocked:
            return self._about(UntrustedBackendError, verdict, reason=described.blocked), ()
        try:
            source = import_reference(verdict.candidate.value)
            loaded = describe(source, verdict.candidate)
            claims = review(self._configuration, verdict, loaded, self.blocked)
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:  # noqa: BLE001 - SystemExit must not end the host either
            return self._failure(verdict, error), ()
        if claims.refused:
            return self._about(UntrustedBackendError, verdict, reason=claims.refused), ()
        problems = (*described.problems, *claims.problems, self.descriptions.compare(loaded))
        return loaded.under(loaded.name, claims.aliases), tuple(filter(None, problems))

    def _log(self, verdict: Verdict, outcome: Outcome, seconds: float) -> None:
        """Log what became of loading a backend."""
        if isinstance(outcome, BackendError):
            refused = isinstance(outcome, UntrustedBackendError)
            messages.log(messages.WARNING if refused else messages.INFO, "%s", outcome)
            return
        unknown = "" if verdict.trusted_as else ", for which it does not vouch,"
        where = f"{outcome.distribution} {outcome.version}, {verdict.candidate.value}"
        host, name = self._configuration.host, outcome.name
        message = "%s loaded backend %r (%s)%s in %.3f s"
        messages.log(messages.INFO, message, host, name, where, unknown, seconds)

    def _failure(self, verdict: Verdict, error: BaseException) -> BackendError:
        return load_error(
            error,
            backend=verdict.candidate.name,
            host=self._configuration.host,
            candidate=verdict.candidate,
        )

    def _about(self, kind: Callable[..., Any], verdict: Verdict, **data: Any) -> Any:
        """Make an error or warning about one candidate."""
        candidate = verdict.candidate
        return kind(
            candidate.name,
            host=self._configuration.host,
            distribution=candidate.distribution,
            version=candidate.version,
            **data,
        )

    def _registration(
        self, distribution: str | None, version: str | None, problem: str, name: str | None = None
    ) -> BackendRegistrationWarning:
        return BackendRegistrationWarning(
            name or str(distribution),
            host=self._configuration.host,
            distribution=distribution,
            version=version,
            problem=problem,
        )


def _is_passing(outcome: Outcome) -> bool:
    """Whether a failure is due to who waited for whom, and another try may succeed."""
    cause = outcome.__cause__ if isinstance(outcome, BackendError) else None
    # Not by isinstance: what an adapter raises may fail when asked for its class.
    return type(cause) is BackendLoadError and type(cause.__cause__) is CircularWaitError


def _state(verdict: Verdict, outcome: Outcome | None) -> BackendState:
    if verdict.refused or isinstance(outcome, UntrustedBackendError):
        return "refused"
    if isinstance(outcome, BackendError):
        return "broken"
    return "loaded" if outcome else "installed"


def load_error(
    error: BaseException, *, backend: str, host: str, candidate: Candidate | None
) -> BackendLoadError:
    """Make what an adapter raised into an error that names it."""
    failure = BackendLoadError(
        backend,
        host=host,
        distribution=candidate.distribution if candidate else None,
        version=candidate.version if candidate else None,
        entry_point=candidate.value if candidate else None,
        problem=_in_one_line(error),
    )
    failure.__cause__ = error
    return failure


def _in_one_line(error: BaseException) -> str:
    """Say what went wrong; an error of ours says so without its class."""
    ours = type(error) in (AdapterError, CircularWaitError)
    return safe_repr.error_text(error) if ours else safe_repr.describe_error(error)
