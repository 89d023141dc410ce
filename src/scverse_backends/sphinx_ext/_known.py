"""The known: what can be told of a host's backends while its documentation is built.

Frozen records of plain values: they are kept with the documentation, so that a
later build sees whether anything changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scverse_backends._backends.discovery import project_url
from scverse_backends._checks.inspection import inspected
from scverse_backends._display.overview import backends_with_labels
from scverse_backends._ground.labels import key
from scverse_backends._ground.records import release
from scverse_backends.dispatcher import parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scverse_backends import BackendDispatcher
    from scverse_backends._checks.findings import Fit
    from scverse_backends._ground.labels import Configuration


class Backend(NamedTuple):
    """One backend of one host.

    Parameters
    ----------
    host
        Name of the host.
    name
        Canonical name, as far as it is known.
    labels
        What it answers to, its name first.
    release
        What is installed: a distribution and its version.
    install
        What to install; ``None`` if it is installed.
    url
        The project's page, by its metadata.
    functions
        What it has for each of the host's functions; ``None`` if that is not known.
    """

    host: str
    name: str
    labels: tuple[str, ...]
    release: str = ""
    install: str | None = None
    url: str | None = None
    functions: tuple[Fit, ...] | None = None

    def fit(self, function: str) -> Fit | None:
        """Tell what it has for one function; ``None`` if it does not implement it."""
        found = (item for item in self.functions or () if item.function == function)
        return next((item for item in found if item.implemented), None)


class Host(NamedTuple):
    """One host: its name, what it dispatches, and who implements it."""

    name: str
    functions: tuple[str, ...]
    backends: tuple[Backend, ...]

    def backend(self, label: str) -> Backend | None:
        """Find the backend that a label names."""
        folded = key(label)
        return next((b for b in self.backends if folded in map(key, b.labels)), None)


def read_host(dispatcher: BackendDispatcher, *, load: bool) -> Host:
    """Read what is known of a host's backends, and show it in signatures and docstrings.

    Parameters
    ----------
    dispatcher
        The host's dispatcher.
    load
        Whether backends may be imported to be asked.
    """
    registry, catalogue = parts(dispatcher)
    if load:
        dispatcher.discover()
    else:
        registry.read_manifests()
        catalogue.ask_all(report=True)
    installed = [*_installed(dispatcher)]
    taken = {key(label) for backend in installed for label in backend.labels}
    missing = [b for b in _vouched(registry.configuration) if taken.isdisjoint(map(key, b.labels))]
    backends = {backend.name: backend for backend in (*missing, *installed)}
    return Host(
        registry.configuration.host,
        tuple(sorted(dispatcher.dispatched)),
        tuple(backends[name] for name in sorted(backends)),
    )


def _installed(dispatcher: BackendDispatcher) -> Iterator[Backend]:
    """Describe what is installed or registered, but for what the host refuses."""
    registry = parts(dispatcher).registry
    known = {backend.name: backend for backend in registry.known()}
    for info, labels in backends_with_labels(registry):
        if info.state == "refused":
            continue
        found = known.get(info.name)
        yield Backend(
            registry.configuration.host,
            info.name,
            labels or (info.name,),
            release=release(info.distribution, info.version) if info.distribution else "",
            url=project_url(info.distribution) if info.distribution else None,
            functions=inspected(dispatcher, found).functions if found else None,
        )


def _vouched(configuration: Configuration) -> Iterator[Backend]:
    """Describe what the host vouches for, installed or not."""
    for rule in dict.fromkeys(configuration.trusted.values()):
        yield Backend(
            configuration.host, rule.name, (rule.name, *rule.aliases), install=rule.package
        )
