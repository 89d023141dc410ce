"""The registered: backends that this process added itself."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.labels import fault, key
from scverse_backends._ground.safe_repr import safe_repr
from scverse_backends.exceptions import BackendConfigurationError

from .loading import AdapterError, describe

if TYPE_CHECKING:
    from scverse_backends._ground.labels import Configuration
    from scverse_backends._ground.records import LoadedBackend


class Registered:
    """The adapters registered for one host; a later one stands before an earlier one.

    Attributes
    ----------
    backends
        All of them, in the order of their registration.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.backends: tuple[LoadedBackend, ...] = ()
        self._configuration = configuration
        self._lock = Lock()

    def add(self, adapter: Any) -> LoadedBackend:
        """Take in an adapter.

        Raises
        ------
        BackendConfigurationError
            If it is none, or a label is reserved or taken.
        """
        try:
            backend = describe(adapter, None)
        except AdapterError as error:
            mistake = f"the adapter {safe_repr(adapter)} cannot be registered: {error}"
            raise BackendConfigurationError(self._configuration.host, [mistake]) from error
        with self._lock:
            taken = set(map(key, self.labels()))
            problems = [self._objection(label, taken) for label in _labels(backend)]
            mistakes = [problem for problem in problems if problem]
            if mistakes:
                raise BackendConfigurationError(self._configuration.host, mistakes)
            self.backends = (*self.backends, backend)
        return backend

    def remove(self, backend: LoadedBackend) -> None:
        """Take one out; twice does no harm."""
        with self._lock:
            self.backends = tuple(found for found in self.backends if found is not backend)

    def answering(self, folded: str) -> LoadedBackend | None:
        """Find the backend that answers to a label."""
        answers = (one for one in reversed(self.backends) if folded in map(key, _labels(one)))
        return next(answers, None)

    def named(self, name: str) -> LoadedBackend | None:
        """Find the backend of a canonical name."""
        return next((one for one in reversed(self.backends) if one.name == name), None)

    def labels(self) -> tuple[str, ...]:
        """List every label, as it was written."""
        return tuple(label for one in self.backends for label in _labels(one))

    def _objection(self, label: Any, taken: set[str]) -> str | None:
        """Say why an adapter may not use a label."""
        problem = fault(label)
        if problem:
            return problem
        if key(label) in self._configuration.reserved:
            return f"{label!r} is reserved. {self._configuration.reserved[key(label)]}"
        return (
            f"{label!r} is registered already; remove that first" if key(label) in taken else None
        )


def _labels(backend: LoadedBackend) -> tuple[str, ...]:
    return (backend.name, *backend.aliases)
