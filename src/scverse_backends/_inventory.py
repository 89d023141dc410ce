"""The inventory: what is installed, what the host thinks of it, and what became of loading it.

Each adapter is loaded once, whatever number of threads ask; whatever it raises
is kept as its error and hides no other.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from threading import RLock, get_ident
from typing import TYPE_CHECKING, Any

from . import _caller
from ._configuration import blocked_labels
from ._discovery import discover
from ._loading import AdapterError, describe, import_adapter
from ._trust import judge, review
from .exceptions import (
    BackendError,
    BackendLoadError,
    BackendRegistrationWarning,
    UntrustedBackendError,
    UntrustedBackendWarning,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import FrameType

    from ._model import Candidate, Configuration, LoadedBackend, Verdict

    Outcome = LoadedBackend | BackendError


class Inventory:
    """The installed backends of one host."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._lock = RLock()
        self._verdicts: tuple[Verdict, ...] | None = None
        self._blocked: frozenset[str] = frozenset()
        self._outcomes: dict[Candidate, Outcome] = {}
        self._turns: dict[Candidate, RLock] = {}
        self._loading: set[tuple[Candidate, int]] = set()

    def verdicts(self) -> tuple[Verdict, ...]:
        """Judge what is installed; metadata is read when this is first asked."""
        if self._verdicts is None:
            self.refresh()
        return self._verdicts or ()

    def refresh(self) -> None:
        """Read the metadata anew; errors are forgotten, loaded adapters still installed stay."""
        candidates, faults = discover(self._configuration.group)
        blocked = blocked_labels()
        verdicts = tuple(judge(self._configuration, found, blocked) for found in candidates)
        usable = {verdict.candidate for verdict in verdicts if not verdict.refused}
        with self._lock:
            self._verdicts, self._blocked = verdicts, blocked
            self._outcomes = {
                candidate: outcome
                for candidate, outcome in self._outcomes.items()
                if candidate in usable and not isinstance(outcome, BackendError)
            }
        for fault in faults:
            self._warn(fault.distribution, None, f"its metadata cannot be read ({fault.problem})")
        for verdict in verdicts:
            if verdict.impostor:
                _caller.warn(self._about(UntrustedBackendWarning, verdict, reason=verdict.refused))

    def outcome(self, verdict: Verdict) -> Outcome | None:
        """Tell what became of loading a backend; ``None`` if it was not tried."""
        return self._outcomes.get(verdict.candidate)

    def loaded(self) -> tuple[LoadedBackend, ...]:
        """List the backends that loaded, in the order in which they did."""
        found = tuple(self._outcomes.values())
        return tuple(outcome for outcome in found if not isinstance(outcome, BackendError))

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
            raise self._about(UntrustedBackendError, verdict, reason=verdict.refused)
        outcome = self._outcomes.get(verdict.candidate) or self._load_in_turn(verdict)
        if isinstance(outcome, BackendError):
            raise outcome.anew()
        return outcome

    def _load_in_turn(self, verdict: Verdict) -> Outcome:
        """Load unless another thread did while this one waited."""
        candidate, me = verdict.candidate, (verdict.candidate, get_ident())
        if me in self._loading:
            return self._failure(verdict, RecursionError("it asks for itself while it is loaded"))
        with self._turn(candidate):
            known = self._outcomes.get(candidate)
            if known is not None:
                return known
            self._loading.add(me)
            try:
                outcome, problems = self._attempt(verdict)
            finally:
                self._loading.discard(me)
            with self._lock:
                outcome = self._outcomes.setdefault(candidate, outcome)
        for problem in problems:
            self._warn(candidate.distribution, candidate.version, problem, candidate.name)
        return outcome

    def _turn(self, candidate: Candidate) -> AbstractContextManager[Any]:
        """Make threads wait for one another, except one that may be waited for itself.

        A thread in the midst of an import holds import locks, which the
        loading thread may need; were it to wait here, both would wait forever.
        """
        if _is_importing():
            return nullcontext()
        with self._lock:
            return self._turns.setdefault(candidate, RLock())

    def _attempt(self, verdict: Verdict) -> tuple[Outcome, tuple[str, ...]]:
        """Import and describe an adapter; whatever it raises becomes its error."""
        try:
            source = import_adapter(verdict.candidate.value)
            loaded = describe(source, verdict.candidate)
            claims = review(
                self._configuration, verdict, loaded.name, loaded.aliases, self._blocked
            )
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:  # noqa: BLE001 - SystemExit must not end the host either
            return self._failure(verdict, error), ()
        if claims.refused:
            return self._about(UntrustedBackendError, verdict, reason=claims.refused), ()
        return loaded._replace(aliases=claims.aliases), claims.problems

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

    def _warn(
        self, distribution: str | None, version: str | None, problem: str, name: str | None = None
    ) -> None:
        _caller.warn(
            BackendRegistrationWarning(
                name or str(distribution),
                host=self._configuration.host,
                distribution=distribution,
                version=version,
                problem=problem,
            )
        )


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
    """Say what an error is; its own text may be empty, long, or raise."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - a foreign __str__ may raise anything
        text = "its message cannot be shown"
    if isinstance(error, AdapterError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _is_importing() -> bool:
    """Whether this thread is inside an import statement."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - there is no other way to one's stack
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False
