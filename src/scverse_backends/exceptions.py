"""Every error and warning of the library, with its data as attributes.

A message is written from the attributes when it is shown, and every class
pickles, so that a worker's error reaches the process that asked.

Notes
-----
The same name means the same everywhere: ``host`` is the host's name; ``label``
the label as it was asked for, and ``origin`` where it came from, if not from
the caller's own line; ``backend`` a canonical name, or that of an entry point;
``distribution`` and ``version`` what is installed; ``function`` a dispatch
name; ``refusals`` each backend's reason, in the order of asking. A class
describes the rest of its data.

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

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ._ground.labels import CPU, closest, fold, quoted
from ._ground.records import Refusal, reasons, release

__all__ = [
    "AmbiguousBackendError",
    "BackendConfigurationError",
    "BackendError",
    "BackendFallbackError",
    "BackendFallbackWarning",
    "BackendLoadError",
    "BackendNotInstalledError",
    "BackendRegistrationWarning",
    "BackendSelectionWarning",
    "BackendSnapshotError",
    "BackendWarning",
    "ReservedBackendError",
    "UnknownBackendError",
    "UnknownFunctionError",
    "UnknownOptionError",
    "UntrustedBackendError",
    "UntrustedBackendWarning",
    "UnusedBlockWarning",
]


def _restore(kind: type[_Described], args: tuple[Any, ...], data: dict[str, Any]) -> Any:
    """Rebuild an error or warning from its attributes, or from a text if it has only that."""
    error = kind.__new__(kind, *args)
    vars(error).update(data)
    return error


class _Described(BaseException):
    """An exception whose text comes from its attributes."""

    origin: str | None = None

    @property
    def _source(self) -> str:
        return f" (from {self.origin})" if self.origin else ""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, dict(vars(self)))

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

    @property
    def _release(self) -> str:
        return release(self.distribution, self.version)


class _Untrusted(_AboutBackend):
    """An error or warning about a backend that the host does not trust, or refuses for a reason."""

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
        named = f"backend {self.backend!r}{self._source} ({self._release})"
        if self.reason is None:
            return f"{self.host} does not trust {named}; its code runs in your process."
        return f"{self.host} refuses {named}: {self.reason}"


class _AboutCall(_Described):
    """An error or warning about a call that no selected backend can take."""

    def __init__(self, function: str, *, host: str, refusals: Sequence[Refusal]) -> None:
        super().__init__()
        self.function = function
        self.host = host
        self.refusals = tuple(refusals)

    @property
    def _reasons(self) -> str:
        return f"{self.function}: {reasons(self.refusals)}."


class BackendError(_Described, Exception):
    """Base of every error of the library.

    Attributes
    ----------
    machine
        Name of the machine on which a snapshot failed; ``None`` for every other error.
    """

    machine: str | None = None

    def anew(self) -> BackendError:
        """Copy an error that is kept, so that each raise has a traceback of its own."""
        copied: BackendError = _restore(type(self), self.args, dict(vars(self)))
        copied.__cause__ = self.__cause__
        return copied


class BackendConfigurationError(BackendError, ValueError):
    """A host configured its dispatcher wrongly.

    Parameters
    ----------
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


def _frozen(package: str) -> list[str]:
    """Say what an application may lack that was frozen, as by PyInstaller."""
    said = (
        f"This is a frozen application. If {package} is in it, its metadata must be too: "
        f"pyinstaller --copy-metadata {package}"
    )
    return [said] if getattr(sys, "frozen", False) else []


class UnknownBackendError(BackendError, ValueError):
    """No backend has this label.

    Parameters
    ----------
    known
        Labels that exist.
    broken
        Installed backends that could not be loaded, so that their aliases are unknown.
    problem
        Why it is not a valid label at all, if it is not.
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
        self._is_text = isinstance(label, str)
        self.label = label if isinstance(label, str) else repr(label)
        self.host = host
        self.known = tuple(known)
        self.broken = tuple(broken)
        self.origin = origin
        self.problem = problem

    @property
    def suggestion(self) -> str | None:
        """The known label nearest to the one asked for, if any is near."""
        return closest(self.label, self.known) if self._is_text else None

    def __str__(self) -> str:
        shown = repr(self.label) if self._is_text else self.label
        parts = [f"{self.host} has no backend {shown}{self._source}."]
        if self.problem:
            parts.append(f"{self.problem[0].upper()}{self.problem[1:]}.")
        if self.suggestion:
            parts.append(f"Did you mean {self.suggestion!r}?")
        if any(label != CPU for label in self.known):
            parts.append(f"Known: {quoted(self.known)}.")
        else:
            parts += ["No backend is installed.", *_frozen("PACKAGE")]
        if self.broken:
            parts.append(f"Installed but failing to load: {quoted(self.broken)}.")
        return " ".join(parts)


class ReservedBackendError(UnknownBackendError):
    """The label is reserved, by the library or by the host, and names no backend.

    Parameters
    ----------
    reason
        Why it is reserved and what to write instead.
    """

    def __init__(self, label: str, *, host: str, reason: str, origin: str | None = None) -> None:
        super().__init__(label, host=host, origin=origin)
        self.reason = reason

    def __str__(self) -> str:
        named = f"Backend name {self.label!r}{self._source}"
        return f"{named} is reserved by {self.host}. {self.reason}"


class UnknownFunctionError(BackendError, ValueError):
    """A selection by function names a function that the host does not dispatch.

    Parameters
    ----------
    function
        The dispatch name, or the pattern, as it was written.
    known
        The dispatch names that there are by now.
    """

    def __init__(
        self, function: str, *, host: str, known: Sequence[str] = (), origin: str | None = None
    ) -> None:
        super().__init__()
        self.function = function
        self.host = host
        self.known = tuple(known)
        self.origin = origin

    @property
    def suggestion(self) -> str | None:
        """The known name, or pattern of a namespace, nearest to it, if any is near."""
        spaces = {f"{name.rpartition('.')[0]}.*" for name in self.known if "." in name}
        if self.function in spaces:  # it stands where only names may
            return next(name for name in self.known if name.startswith(self.function[:-1]))
        return closest(self.function, spaces if self.function.endswith("*") else self.known)

    def __str__(self) -> str:
        meant = f"Did you mean {self.suggestion!r}? " if self.suggestion else ""
        return (
            f"{self.host} dispatches no function {self.function!r}{self._source}. {meant}"
            f"The names are those of the dispatcher's `dispatched`. If {self.host} imports that "
            "function late, import its module first."
        )


class UnknownOptionError(BackendError, TypeError):
    """A block gives an option that no selected backend's function has.

    Parameters
    ----------
    option
        Its name.
    backends
        Canonical names of what is selected for the function.
    known
        The options that it has there.
    """

    def __init__(
        self,
        option: str,
        *,
        function: str,
        host: str,
        backends: Sequence[str],
        known: Sequence[str],
    ) -> None:
        super().__init__()
        self.option = option
        self.function = function
        self.host = host
        self.backends = tuple(backends)
        self.known = tuple(known)

    @property
    def suggestion(self) -> str | None:
        """The option nearest to it, if any is near."""
        return closest(self.option, self.known)

    def __str__(self) -> str:
        meant = f" Did you mean {self.suggestion!r}?" if self.suggestion else ""
        options = f"Options: {quoted(self.known)}." if self.known else "It has no options."
        return (
            f"{self.option!r} is no option of {self.function} of {self.host} on "
            f"{quoted(self.backends)}.{meant} {options}"
        )


class AmbiguousBackendError(UnknownBackendError):
    """Several installed packages offer a backend of this name, and the host trusts none of them.

    Parameters
    ----------
    distributions
        Name and version of each package.
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
        others = [name for name in names if fold(name) != fold(self.label)]
        return (
            f"{packages} each provide a backend {self.label!r}{self._source} of {self.host}. "
            f"Name the package instead ({quoted(others)}), uninstall one, or keep one from being "
            f"used, such as with SCVERSE_BACKENDS_BLOCK={others[0]}."
        )


class BackendNotInstalledError(BackendError, ImportError):
    """A backend that the host knows is not installed here.

    Parameters
    ----------
    package
        What ``pip`` installs it from.
    refused
        Distributions that claim the name and were refused.
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
        self.label = label
        self.host = host
        self.backend = backend
        self.package = package
        self.refused = tuple(refused)
        self.origin = origin

    def __str__(self) -> str:
        alias = "" if self.label == self.backend else f" ({self.backend})"
        named = f"Backend {self.label!r}{alias} of {self.host}"
        refused = f" (refused, because it is not the trusted package: {quoted(self.refused)})"
        return (
            f"{named} is not installed{self._source}. Install it with: pip install {self.package}"
            f"{refused if self.refused else ''}{''.join(map('. {}'.format, _frozen(self.package)))}"
        )


class BackendLoadError(_AboutBackend, BackendError, ImportError):
    """A backend could not be loaded; ``__cause__`` is what it raised.

    Parameters
    ----------
    entry_point
        The object reference that was loaded; ``None`` for an adapter that this process registered.
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
        installed = f"{self._release}, entry point {self.entry_point!r}"
        origin = installed if self.entry_point else "this process"
        return f"Backend {self.backend!r} of {self.host} ({origin}) {self.trouble}"

    @property
    def trouble(self) -> str:
        """What happened and what to do, for a text that has named the backend."""
        state, advice = (
            ("installed", "or reinstall it") if self.entry_point else ("registered", "it")
        )
        return (
            f"is {state} but could not be loaded{self._source}: {self.problem}. "
            f"Fix {advice}. The next use tries again."
        )


class UntrustedBackendError(_Untrusted, BackendError, ImportError):
    """A backend is refused, before any of its code ran or because of a name that it then claims.

    Parameters
    ----------
    reason
        Why it was refused.
    """


class BackendSnapshotError(BackendError, ImportError):
    """A snapshot, or settings, of another process ask for what is not there.

    Parameters
    ----------
    label
        The backend that was selected; empty where the host itself is missing.
    problem
        What is missing or different, and what to do.
    machine, process
        Name of the machine, and number of the process on it.
    """

    def __init__(self, host: str, *, label: str, problem: str, machine: str, process: int) -> None:
        super().__init__()
        self.host = host
        self.label = label
        self.problem = problem
        self.machine = machine
        self.process = process

    def __str__(self) -> str:
        here = f"on {self.machine!r} (process {self.process})"
        if not self.label:
            return f"{self.host} cannot be found {here}: {self.problem}"
        return (
            f"{self.host} cannot select {self.label!r} {here}, as a snapshot asks: {self.problem}"
        )


class BackendFallbackError(_AboutCall, BackendError, NotImplementedError):
    """No selected backend can take the call, and the host must not run it instead."""

    def __str__(self) -> str:
        return (
            f"{self._reasons} Nothing ran, because fallback is 'error'. "
            "Change the call, or pass backend='cpu' to run it on the host."
        )


class BackendWarning(_Described, UserWarning):
    """Base of every warning of the library."""


class BackendFallbackWarning(_AboutCall, BackendWarning):
    """A backend was selected, and the host's own code ran."""

    def __str__(self) -> str:
        return f"{self._reasons} It runs on {self.host} (cpu) instead."


class UntrustedBackendWarning(_Untrusted, BackendWarning):
    """A backend that the host does not trust is used, or was refused for a false claim.

    Parameters
    ----------
    reason
        Why the host refuses it; ``None`` if the host only does not know it.
    """


class BackendRegistrationWarning(_AboutBackend, BackendWarning):
    """Something that a backend declares about itself was not accepted.

    Parameters
    ----------
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
        return f"Backend {self.backend!r} of {self.host} ({self._release}): {self.problem}"


class UnusedBlockWarning(BackendWarning):
    """What `Settings.use_backend` gave was thrown away, so nothing was selected.

    Parameters
    ----------
    labels
        The backends that were asked for.
    fallback
        The policy that was asked for, if any.
    options
        The options that were to be given, by function.
    """

    def __init__(
        self,
        labels: Sequence[Any],
        fallback: str | None,
        *,
        host: str,
        options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        self.labels = tuple(labels)
        self.fallback = fallback
        self.host = host
        self.options = options or {}

    def __str__(self) -> str:
        named = {"fallback": self.fallback, "options": self.options}
        given = [f"{name}={value!r}" for name, value in named.items() if value]
        call = f"use_backend({', '.join([*map(repr, self.labels), *given])})"
        name = "backend" if self.labels else "fallback"
        value = self.labels[0] if len(self.labels) == 1 else self.labels or self.fallback
        setting = (
            f"decorate a function with it, or set settings.{name} = {value!r} for the whole process"
        )
        is_all = value and not self.options  # the setting would not hold those
        return (
            f"{call} alone selects nothing for {self.host}. Write 'with settings.{call}:'"
            f"{f', {setting}' if is_all else ' or decorate a function with it'}."
        )


class BackendSelectionWarning(BackendWarning):
    """Something was selected and has no effect here.

    Parameters
    ----------
    problem
        What has no effect, and why.
    """

    def __init__(self, problem: str, *, host: str) -> None:
        super().__init__()
        self.problem = problem
        self.host = host

    def __str__(self) -> str:
        return self.problem
