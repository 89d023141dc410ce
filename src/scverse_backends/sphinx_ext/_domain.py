"""What is known of a host's backends while documentation is built, kept with it by a Sphinx domain.

The records are frozen and hold plain values, so that a later build sees whether
anything changed.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

from sphinx.addnodes import pending_xref
from sphinx.domains import Domain
from sphinx.util.logging import getLogger
from sphinx.util.nodes import make_refnode
from typing_extensions import override

from scverse_backends._backends.discovery import project_url
from scverse_backends._checks.verify import inspected
from scverse_backends._cli.arguments import MisuseError, dispatcher_at
from scverse_backends._ground.labels import fold
from scverse_backends._ground.records import release
from scverse_backends.dispatcher import parts

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from docutils.nodes import Element
    from sphinx.application import Sphinx
    from sphinx.builders import Builder
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

    from scverse_backends import BackendDispatcher
    from scverse_backends._checks.findings import Fit

FUNCTION, BACKEND, PAGE = "function", "backend", "page"
"""What can be linked: functions and backends, by host and name, and whole pages."""

OUTSIDE = ("https://", "http://")
"""How a link to another site begins."""

TYPE = "scverse_backends"
"""The type of this extension's warnings, for ``suppress_warnings``."""

logger = getLogger(__name__)


class Backend(NamedTuple):
    """One backend of one host.

    Parameters
    ----------
    host
        Name of the host.
    name
        Canonical name, as far as it is known.
    labels
        Every label that names it, its name first.
    release
        What is installed: a distribution and its version.
    install
        What to install; ``None`` if it is installed.
    url
        The project's page, by its metadata.
    functions
        What it has for each of the host's functions, by name; ``None`` if that is not known.
    """

    host: str
    name: str
    labels: tuple[str, ...]
    release: str = ""
    install: str | None = None
    url: str | None = None
    functions: Mapping[str, Fit] | None = None

    def fit(self, function: str) -> Fit | None:
        """Find what it has for one function, as far as that is known."""
        return (self.functions or {}).get(function)


class Host(NamedTuple):
    """One host: its name, what it dispatches, and who implements it."""

    name: str
    functions: tuple[str, ...]
    backends: tuple[Backend, ...]

    def backend(self, label: str) -> Backend | None:
        """Find the backend that a label names."""
        folded = fold(label)
        return next((b for b in self.backends if folded in map(fold, b.labels)), None)


def read_host(dispatcher: BackendDispatcher, *, load: bool) -> Host:
    """Read what is known of a host's backends; signatures and docstrings then show it too.

    Parameters
    ----------
    dispatcher
        The host's dispatcher.
    load
        Whether backends may be imported.
    """
    registry, catalogue, _ = parts(dispatcher)
    if load:
        dispatcher.discover()
    else:
        registry.read_manifests()
        catalogue.ask_all(report=True)
    host = dispatcher.host_name
    # What is refused here is shown as what is not installed: readers may have it.
    installed = [*_installed(dispatcher)]
    taken = {fold(label) for backend in installed for label in backend.labels}
    missing = (
        Backend(host, rule.name, rule.labels, install=rule.package)
        for rule in registry.configuration.rules
        if taken.isdisjoint(map(fold, rule.labels))
    )
    backends = {backend.name: backend for backend in (*missing, *installed)}
    functions = tuple(sorted(dispatcher.dispatched))
    return Host(host, functions, tuple(backends[name] for name in sorted(backends)))


def _installed(dispatcher: BackendDispatcher) -> Iterator[Backend]:
    """Describe what is installed or registered, without what the host refuses."""
    for info, found, labels in parts(dispatcher).registry.listed(quietly=True):
        if info.state == "refused":
            continue
        fits = inspected(dispatcher, found).functions if found else ()
        yield Backend(
            dispatcher.host_name,
            info.name,
            labels or (info.name,),
            release=release(info.distribution, info.version) if info.distribution else "",
            url=project_url(info.distribution) if info.distribution else None,
            functions={fit.function: fit for fit in fits} if found else None,
        )


class BackendsDomain(Domain):
    """What is known of the hosts, and which page shows what.

    A page's functions and backends are kept by kind, host and name, each with
    the node to which a link can go.
    """

    name = TYPE
    label = "Backends"
    initial_data: ClassVar[dict[str, Any]] = {"hosts": (), "pages": {}}
    data_version = 1

    @property
    def hosts(self) -> tuple[Host, ...]:
        """What is known of each host."""
        return cast("tuple[Host, ...]", self.data["hosts"])

    @property
    def links(self) -> dict[str, str]:
        """Where the configuration says that backends are documented, by folded labels."""
        found = self.env.config.scverse_backends_links.items()
        return {fold(label): page for label, page in found if self.has(page)}

    def has(self, page: str) -> bool:
        """Whether a configured link leads to another site, or to a page that is there."""
        return page.startswith(OUTSIDE) or page in self.env.found_docs

    def host(self, name: str) -> Host | None:
        """Find a host by its name."""
        return next((host for host in self.hosts if host.name == name), None)

    def update(self, hosts: tuple[Host, ...]) -> Collection[str]:
        """Keep what is known now; gives the pages that show what was known before."""
        stale = self.data["pages"] if hosts != self.hosts else ()
        self.data["hosts"] = hosts
        return [*stale]

    def note(self, place: tuple[str, str, str] | None = None, node: Element | None = None) -> None:
        """Note that the page being read shows what is known, and where on it a link can go."""
        page = self.data["pages"].setdefault(self.env.docname, {})
        if place and node is not None and node.get("ids"):
            page.setdefault(place, node["ids"][0])

    def link(self, place: tuple[str, str, str], text: Element) -> Element:
        """Link a text to the place where something is shown."""
        return pending_xref("", text, refdomain=self.name, reftype="place", reftarget=place)

    def clear_doc(self, docname: str) -> None:
        """Forget a page."""
        self.data["pages"].pop(docname, None)

    def merge_domaindata(self, docnames: AbstractSet[str], otherdata: dict[str, Any]) -> None:
        """Add what another process noted of the pages that it read."""
        pages = otherdata["pages"]
        self.data["pages"].update({name: pages[name] for name in docnames if name in pages})

    @override
    def resolve_xref(
        self,
        env: BuildEnvironment,
        fromdocname: str,
        builder: Builder,
        typ: str,
        target: Any,
        node: pending_xref,
        contnode: Element,
    ) -> Any:
        """Link to a place; gives the bare text if it is shown nowhere."""
        if target[0] == PAGE:
            return make_refnode(builder, fromdocname, target[1], "", contnode)
        for docname, places in sorted(self.data["pages"].items()):
            if target in places:
                return make_refnode(builder, fromdocname, docname, places[target], contnode)
        return contnode


def domain_of(env: BuildEnvironment) -> BackendsDomain:
    """Give the domain of a documentation."""
    return cast("BackendsDomain", env.domains[TYPE])


def refresh(app: Sphinx, env: BuildEnvironment, *_: AbstractSet[str]) -> Collection[str]:
    """Read what is known now, before all pages; gives the pages that must be read again."""
    domain = domain_of(env)
    for label, page in app.config.scverse_backends_links.items():
        if not domain.has(page):
            _complain("links", f"{label!r} is linked to {page!r}, which is no page here and no URL")
    return domain.update(tuple(_hosts(app.config)))


def _hosts(config: Config) -> Iterator[Host]:
    """Read each host that there is."""
    addresses = config.scverse_backends_dispatchers
    for address in [addresses] if isinstance(addresses, str) else addresses:
        try:
            with _warnings_as_information():
                dispatcher = dispatcher_at(address, config.scverse_backends_imports)
                yield read_host(dispatcher, load=config.scverse_backends_load)
        except MisuseError as error:
            _complain("dispatchers", str(error))


def _complain(value: str, problem: str) -> None:
    """Warn of a mistake in the configuration."""
    logger.warning("%s_%s: %s", TYPE, value, problem, type=TYPE, subtype=value)


@contextmanager
def _warnings_as_information() -> Generator[None]:
    """Log Python's warnings as information: what is installed breaks no build."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        logger.info("%s: %s", warning.category.__name__, warning.message)
