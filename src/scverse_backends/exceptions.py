"""Every error and warning of the library, with its data as attributes.

A message is rendered from the attributes when it is shown, and every class
pickles, so that a worker's error reaches the process that asked.

Examples
--------
>>> from scverse_backends.exceptions import UnknownBackendError
>>> error = UnknownBackendError("cudaa", host="example_host", known=("cuda", "jax"))
>>> print(error)
example_host has no backend 'cudaa'. Did you mean 'cuda'? Known: 'cuda', 'jax'.
>>> error.known
('cuda', 'jax')
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ._ground.labels import CPU, closest, key, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._ground.records import Refusal

__all__ = [
    "AmbiguousBackendError",
    "BackendConfigurationError",
    "BackendError",
    "BackendFallbackError",
    "BackendFallbackWarning",
    "BackendLoadError",
    "BackendNotInstalledError",
    "BackendRegistrationWarning",
    "BackendSnapshotError",
    "BackendWarning",
    "ReservedBackendError",
    "UnknownBackendError",
    "UntrustedBackendError",
    "UntrustedBackendWarning",
]


def _restore(kind: type[BaseException], data: dict[str, Any]) -> BaseException:
    """Rebuild an error or warning from its attributes."""
    error = kind.__new__(kind)
    error.__dict__.update(data)
    return error


class _Described:
    """An exception whose text comes from its attributes."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), dict(vars(self)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class _AboutBackend(_Described):
    """An error or warning about one backend, installed or registered."""

    def __init__(
        self, backend: str, *, host: str, distribution: str | None, version: str | None
    ) -> None:
        super().__init__()
        self.backend = backend
        self.host = host
        self.distribution = distribution
        self.version = version


def release(distribution: str | None, version: str | None) -> str:
    """Name a distribution and its version as a person would."""
    return " ".join(part for part in (distribution, version) if part) or "an unnamed distribution"


class BackendError(_Described, Exception):
    """Base of every error that the library raises on its own account.

    Attributes
    ----------
    origin
        Where the label came from, if not from the caller's own line.
    machine
        Name of the machine on which a snapshot failed; ``None`` for every other error.
    """

    origin: str | None = None
    machine: str | None = None

    def _source(self) -> str:
        return f" (from {self.origin})" if self.origin else ""

    def anew(self) -> BackendError:
        """Copy an error that is kept, so that each raise has a traceback of its own."""
        copied = cast("BackendError", _restore(type(self), dict(vars(self))))
        copied.__cause__ = self.__cause__
        return copied


class BackendConfigurationError(BackendError, ValueError):
    """A host configured its dispatcher wrongly; every mistake is listed.

    Parameters
    ----------
    host
        Name of the host.
    mistakes
        One sentence for each mistake.
    """

    def __init__(self, host: str, mistakes: Sequence[str]) -> None:
        super().__init__()
        self.host = host
        self.mistakes = tuple(mistakes)

    def __str__(self) -> str:
        lines = "".join(f"\n  - {mistake}" for mistake in self.mistakes)
        return f"The dispatcher of {self.host!r} is configured wrongly:{lines}"


class UnknownBackendError(BackendError, ValueError):
    """Nobody known to the host answers to this label.

    Parameters
    ----------
    label
        The label as it was asked for.
    host
        Name of the host.
    known
        Labels that would have been understood.
    broken
        Installed backends that could not be loaded, and so could not be asked for their aliases.
    origin
        Where the label came from, if not from the caller's own line.
    problem
        What keeps it from being a label at all, if anything does.
    """

    def __init__(
        self,
        label: object,
        *,
        host: str,
        known: Sequence[str] = (),
        broken: Sequence[str] = (),
        origin: str | None = None,
        problem: str | None = None,
    ) -> None:
        super().__init__()
        self.label = label if isinstance(label, str) else repr(label)
        self.host = host
        self.known = tuple(known)
        self.broken = tuple(broken)
        self.origin = origin
        self.problem = problem

    @property
    def suggestion(self) -> str | None:
        """The known label nearest to the one asked for, if any is near."""
        return closest(self.label, self.known)

    def __str__(self) -> str:
        parts = [f"{self.host} has no backend {self.label!r}{self._source()}."]
        if self.problem:
            parts.append(f"{self.problem[0].upper()}{self.problem[1:]}.")
        if self.suggestion:
            parts.append(f"Did you mean {self.suggestion!r}?")
        if any(label != CPU for label in self.known):
            parts.append(f"Known: {quoted(self.known)}.")
        else:
            parts.append("No backend is installed.")
        if self.broken:
            parts.append(f"Installed but failing to load: {quoted(self.broken)}.")
        return " ".join(parts)


class ReservedBackendError(UnknownBackendError):
    """The label is reserved, by the library or by the host, and names no backend.

    Parameters
    ----------
    label
        The label as it was asked for.
    host
        Name of the host.
    reason
        Why it is reserved and what to write instead.
    origin
        Where the label came from, if not from the caller's own line.
    """

    def __init__(self, label: str, *, host: str, reason: str, origin: str | None = None) -> None:
        super().__init__(label, host=host, origin=origin)
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"Backend name {self.label!r}{self._source()} is reserved by {self.host}. {self.reason}"
        )


class AmbiguousBackendError(UnknownBackendError):
    """Several installed packages offer a backend of this name, and the host trusts none of them.

    Parameters
    ----------
    label
        The label as it was asked for.
    host
        Name of the host.
    distributions
        Name and version of each package.
    origin
        Where the label came from, if not from the caller's own line.
    """

    def __init__(
        self,
        label: str,
        *,
        host: str,
        distributions: Sequence[tuple[str, str | None]],
        origin: str | None = None,
    ) -> None:
        super().__init__(label, host=host, origin=origin)
        self.distributions = tuple(distributions)

    def __str__(self) -> str:
        packages = " and ".join(release(*found) for found in self.distributions)
        names = [name for name, _ in self.distributions]
        others = [name for name in names if key(name) != key(self.label)]
        return (
            f"{packages} each provide a backend {self.label!r}{self._source()} of {self.host}. "
            f"Name the package instead ({quoted(others)}), uninstall one, or keep one from being "
            f"used, such as with SCVERSE_BACKENDS_BLOCK={others[0]}."
        )


class BackendNotInstalledError(BackendError, ImportError):
    """A backend that the host knows is not installed here.

    Parameters
    ----------
    label
        The label as it was asked for.
    host
        Name of the host.
    backend
        Canonical name of the backend.
    package
        What to ask ``pip`` for.
    refused
        Distributions that claim the name and were refused.
    origin
        Where the label came from, if not from the caller's own line.
    """

    def __init__(
        self,
        label: str,
        *,
        host: str,
        backend: str,
        package: str,
        refused: Sequence[str] = (),
        origin: str | None = None,
    ) -> None:
        super().__init__()
        self.origin = origin
        self.label = label
        self.host = host
        self.backend = backend
        self.package = package
        self.refused = tuple(refused)

    def __str__(self) -> str:
        known_as = "" if self.label == self.backend else f" ({self.backend})"
        text = (
            f"Backend {self.label!r}{known_as} of {self.host} is not installed{self._source()}. "
            f"Install it with: pip install {self.package}"
        )
        if self.refused:
            text += f" (refused because it is not who it claims to be: {quoted(self.refused)})"
        return text


class BackendLoadError(_AboutBackend, BackendError, ImportError):
    """An installed backend could not be loaded; ``__cause__`` says what it raised.

    Parameters
    ----------
    backend
        Name of the backend, or of its entry point.
    host
        Name of the host.
    distribution, version
        What is installed.
    entry_point
        The object reference that was loaded.
    problem
        What went wrong, in one line.
    """

    def __init__(
        self,
        backend: str,
        *,
        host: str,
        distribution: str | None,
        version: str | None,
        entry_point: str | None,
        problem: str,
    ) -> None:
        super().__init__(backend, host=host, distribution=distribution, version=version)
        self.entry_point = entry_point
        self.problem = problem

    def __str__(self) -> str:
        reference = f", entry point {self.entry_point!r}" if self.entry_point else ""
        who = f"{release(self.distribution, self.version)}{reference}"
        return f"Backend {self.backend!r} of {self.host} ({who}) {self.trouble}"

    @property
    def trouble(self) -> str:
        """What happened and what to do, for a text that has said of whom it speaks."""
        return (
            f"is installed but could not be loaded{self._source()}: {self.problem}. "
            "Fix or reinstall it. The next use tries again."
        )


class UntrustedBackendError(_AboutBackend, BackendError, ImportError):
    """A backend is refused: from its metadata, before any of its code ran, or for what it then claims.

    Parameters
    ----------
    backend
        Name of the backend, or of its entry point.
    host
        Name of the host.
    distribution, version
        What is installed.
    reason
        Why it was refused.
    """

    def __init__(
        self,
        backend: str,
        *,
        host: str,
        distribution: str | None,
        version: str | None,
        reason: str,
    ) -> None:
        super().__init__(backend, host=host, distribution=distribution, version=version)
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"{self.host} refuses backend {self.backend!r}{self._source()} "
            f"({release(self.distribution, self.version)}): {self.reason}"
        )


class BackendSnapshotError(BackendError, ImportError):
    """A process does not have what a snapshot, or settings, of another process ask for.

    Parameters
    ----------
    host
        Name of the host.
    label
        The backend that was selected; empty where it is the host that is missing.
    problem
        What is missing or different, and what to do.
    machine
        Name of the machine.
    process
        Number of the process on that machine.
    """

    def __init__(self, host: str, *, label: str, problem: str, machine: str, process: int) -> None:
        super().__init__()
        self.host = host
        self.label = label
        self.problem = problem
        self.machine = machine
        self.process = process

    def __str__(self) -> str:
        where = f"on {self.machine!r} (process {self.process})"
        if not self.label:
            return f"{self.host} cannot be found {where}: {self.problem}"
        return (
            f"{self.host} cannot select {self.label!r} {where}, as a snapshot asks: {self.problem}"
        )


class BackendFallbackError(BackendError, NotImplementedError):
    """No selected backend can take the call, and the host must not run it instead.

    Parameters
    ----------
    function
        Dispatch name of the function.
    host
        Name of the host.
    refusals
        Each backend's reason, in the order in which they were asked.
    """

    def __init__(self, function: str, *, host: str, refusals: Sequence[Refusal]) -> None:
        super().__init__()
        self.function = function
        self.host = host
        self.refusals = tuple(refusals)

    def __str__(self) -> str:
        return (
            f"{_because(self.function, self.refusals)} Nothing ran, because fallback is 'error'. "
            "Change the call, or pass backend='cpu' to run it on the host."
        )


class BackendWarning(_Described, UserWarning):
    """Base of every warning that the library gives."""


class BackendFallbackWarning(BackendWarning):
    """A backend was selected, and the host's own code ran.

    Parameters
    ----------
    function
        Dispatch name of the function.
    host
        Name of the host.
    refusals
        Each backend's reason, in the order in which they were asked.
    """

    def __init__(self, function: str, *, host: str, refusals: Sequence[Refusal]) -> None:
        super().__init__()
        self.function = function
        self.host = host
        self.refusals = tuple(refusals)

    def __str__(self) -> str:
        return f"{_because(self.function, self.refusals)} It runs on {self.host} (cpu) instead."


class UntrustedBackendWarning(_AboutBackend, BackendWarning):
    """A backend that the host does not vouch for is used, or was refused for a false claim.

    Parameters
    ----------
    backend
        Name of the backend, or of its entry point.
    host
        Name of the host.
    distribution, version
        What is installed.
    reason
        What the host objects to; ``None`` when it only does not know the backend.
    """

    def __init__(
        self,
        backend: str,
        *,
        host: str,
        distribution: str | None,
        version: str | None,
        reason: str | None = None,
    ) -> None:
        super().__init__(backend, host=host, distribution=distribution, version=version)
        self.reason = reason

    def __str__(self) -> str:
        who = f"backend {self.backend!r} ({release(self.distribution, self.version)})"
        if self.reason is None:
            return f"{self.host} does not vouch for {who}; its code runs in your process."
        return f"{self.host} refuses {who}: {self.reason}"


class BackendRegistrationWarning(_AboutBackend, BackendWarning):
    """Something that a backend declares about itself was not accepted.

    Parameters
    ----------
    backend
        Name of the backend, or of its entry point.
    host
        Name of the host.
    distribution, version
        What is installed.
    problem
        What was not accepted, and what happens instead.
    """

    def __init__(
        self,
        backend: str,
        *,
        host: str,
        distribution: str | None,
        version: str | None,
        problem: str,
    ) -> None:
        super().__init__(backend, host=host, distribution=distribution, version=version)
        self.problem = problem

    def __str__(self) -> str:
        return (
            f"Backend {self.backend!r} of {self.host} "
            f"({release(self.distribution, self.version)}): {self.problem}"
        )


def _because(function: str, refusals: Sequence[Refusal]) -> str:
    """Say which backends could not take a call, and why."""
    return f"{function}: {reasons(refusals)}."


def reasons(refusals: Sequence[Refusal]) -> str:
    """List who could not take a call, each with its reason."""
    return "; ".join(f"{refusal.backend!r} {refusal.reason}" for refusal in refusals)
