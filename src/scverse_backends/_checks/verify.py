"""Verification: whether a backend can be trusted with a host's functions, told without a call."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.records import Verdict, release
from scverse_backends._ground.rendering import Paint, aligned
from scverse_backends.dispatcher import BackendDispatcher, parts
from scverse_backends.exceptions import BackendLoadError

from .findings import SEVERITIES, Finding, Fit, Severity, at_least
from .inspection import inspected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scverse_backends._backends.registry import Registry
    from scverse_backends._ground.records import LoadedBackend
    from scverse_backends._ground.rendering import Cell

STYLES = {"error": "bad", "warning": "doubtful", "info": "dim"}
NOT_IMPLEMENTED = "not-implemented"


class Verification(NamedTuple):
    """What is to be said of one backend, found without a call.

    Parameters
    ----------
    host
        Name of the host.
    backend
        Canonical name of the backend.
    distribution, version
        What is installed; ``None`` for a backend registered in this process.
    functions
        One for each function of the host, by its dispatch name.
    findings
        Everything that was found: of the adapter's own names, then function by function.
    """

    host: str
    backend: str
    distribution: str | None
    version: str | None
    functions: tuple[Fit, ...]
    findings: tuple[Finding, ...]

    @property
    def implemented(self) -> tuple[str, ...]:
        """The functions whose calls can go there."""
        return tuple(item.function for item in self.functions if item.implemented)

    def failures(self, fail_on: Severity = "error") -> tuple[Finding, ...]:
        """Select the findings that are as severe as this, or more.

        Parameters
        ----------
        fail_on
            ``"error"``, ``"warning"`` or ``"info"``.
        """
        return at_least(fail_on, self.findings)

    def to_json(self) -> str:
        """Write it for machines: an object with the host, the backend and all findings."""
        value: dict[str, Any] = {
            "host": self.host,
            "backend": self.backend,
            "distribution": self.distribution,
            "version": self.version,
            "functions": {item.function: item.implemented for item in self.functions},
            "counts": _counted(self.findings),
            "findings": [finding._asdict() for finding in self.findings],
        }
        return json.dumps(value, indent=2)

    def to_junit(self, fail_on: Severity = "error") -> str:
        """Write it as JUnit XML, with one test case for each function.

        Parameters
        ----------
        fail_on
            Findings as severe as this, or more, are failures; a function that is
            not implemented is skipped.
        """
        # Imported here: XML is only for those who ask for it.
        from .junit import as_junit

        return as_junit([self], fail_on)

    def text(self, paint: Paint = lambda _, text: text) -> str:
        """Write it for people, in styles where `paint` knows some."""
        return "\n".join(_lines(self, paint))

    def __str__(self) -> str:
        return self.text()


def verify(dispatcher: BackendDispatcher, backend: str) -> Verification:
    """Compare what a backend offers with what its host dispatches; no function is called.

    Parameters
    ----------
    dispatcher
        The host's dispatcher. What the host decorates later is not seen.
    backend
        Any label of an installed or registered backend; it is imported. If that fails
        and it ships a manifest, the manifest is compared.

    Returns
    -------
    Verification
        What was found; it prints well, and writes itself as JSON and JUnit XML.

    Raises
    ------
    ValueError
        If the label names the host itself.
    UnknownBackendError, BackendNotInstalledError, BackendLoadError, UntrustedBackendError
        As for `Settings.backend`.

    Examples
    --------
    >>> from scverse_backends import BackendDispatcher
    >>> from scverse_backends.testing import verify
    >>> dispatcher = BackendDispatcher(
    ...     entrypoint_group="example.backends", host_name="example"
    ... )
    >>> @dispatcher.backend_dispatch
    ... def cluster(data, n_clusters=8, *, seed=0):
    ...     return [0 for _ in data]
    >>> class Fast:
    ...     name = "fast"
    ...     __all__ = ["cluster"]
    ...
    ...     def cluster(self, data, n_clusters=10):
    ...         return [0 for _ in data]
    >>> with dispatcher.register(Fast):
    ...     print(verify(dispatcher, "fast"))
    fast of example: implements 1 of 1 functions; no errors, 2 warnings
    <BLANKLINE>
    cluster
      warning  does not take 'seed', so calls that set it go elsewhere
      warning  has 10 as the default of 'n_clusters', the host 8
    """
    registry = parts(dispatcher).registry
    located = registry.locate(backend)
    if located is None:
        msg = f"{backend!r} is the host itself; name a backend to verify."
        raise ValueError(msg)
    subject, notice = _load(registry, located)
    found = inspected(dispatcher, subject)
    return Verification(
        registry.configuration.host,
        found.backend,
        found.distribution,
        found.version,
        found.functions,
        (*notice, *found.everything),
    )


def _load(
    registry: Registry, located: LoadedBackend | Verdict
) -> tuple[LoadedBackend, tuple[Finding, ...]]:
    """Load a backend; where that fails, its manifest can say what it offers."""
    try:
        return registry.load(located), ()
    except BackendLoadError as error:
        described = registry.described(located) if isinstance(located, Verdict) else None
        if described is None:
            raise
        text = f"cannot be loaded here, so its manifest was read instead: {error.problem}"
        return described, (Finding("warning", "not-loaded", described.name, text),)


def _counted(findings: tuple[Finding, ...]) -> dict[str, int]:
    counter = Counter(finding.severity for finding in findings)
    return {severity: counter[severity] for severity in SEVERITIES}


def _lines(result: Verification, paint: Paint) -> Iterator[str]:
    counts = _counted(result.findings)
    source = release(result.distribution, result.version) if result.distribution else ""
    yield (
        f"{paint('bold', result.backend)}{f' ({source})' if source else ''} of {result.host}: "
        f"implements {len(result.implemented)} of {len(result.functions)} functions; "
        f"{_number(counts['error'], 'error')}, {_number(counts['warning'], 'warning')}"
    )
    absent = [found.function for found in result.findings if found.kind == NOT_IMPLEMENTED]
    if absent:
        yield f"not implemented: {', '.join(absent)}"
    groups: dict[str, list[Finding]] = {}
    for finding in result.findings:
        if finding.kind != NOT_IMPLEMENTED:
            groups.setdefault(finding.function, []).append(finding)
    for function, findings in groups.items():
        yield f"\n{paint('bold', function)}"
        rows: list[list[Cell]] = [
            ["", (STYLES[f.severity], f.severity), f.message] for f in findings
        ]
        yield from aligned(rows, paint)


def _number(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"
