"""The domain: what is known of backends while a documentation is built, and where it is shown."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, cast

from sphinx.addnodes import pending_xref
from sphinx.domains import Domain
from sphinx.util.logging import getLogger
from sphinx.util.nodes import make_refnode
from typing_extensions import override

from scverse_backends._cli.arguments import MisuseError, dispatcher_at
from scverse_backends._ground.labels import key

from ._known import read_host

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator
    from collections.abc import Set as AbstractSet

    from docutils.nodes import Element
    from sphinx.application import Sphinx
    from sphinx.builders import Builder
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

    from ._known import Host

FUNCTION, BACKEND, PAGE = "function", "backend", "page"
"""What can be linked; the first two are shown in places, which are noted with host and name."""

OUTSIDE = ("https://", "http://")
"""How a link begins that does not lead to a page of the documentation itself."""

TYPE = "scverse_backends"
"""The type of this extension's warnings, for ``suppress_warnings``."""

logger = getLogger(__name__)


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
        return {key(label): page for label, page in found if self._is_there(page)}

    def _is_there(self, page: str) -> bool:
        return page.startswith(OUTSIDE) or page in self.env.found_docs

    def host(self, name: str) -> Host | None:
        """Find a host by its name."""
        return next((host for host in self.hosts if host.name == name), None)

    def update(self, hosts: tuple[Host, ...]) -> Collection[str]:
        """Take in what is known now; gives the pages that show what was known before."""
        stale = self.data["pages"] if hosts != self.hosts else ()
        self.data["hosts"] = hosts
        return [*stale]

    def note(self, place: tuple[str, str, str] | None = None, node: Element | None = None) -> None:
        """Note that the page being read shows what is known, and where on it a link can go."""
        page = self.data["pages"].setdefault(self.env.docname, {})
        if place and node is not None and node.get("ids"):
            page.setdefault(place, node["ids"][0])

    def link(self, place: tuple[str, str, str], text: Element) -> Element:
        """Link a text to wherever something is shown."""
        return pending_xref("", text, refdomain=self.name, reftype="place", reftarget=place)

    def clear_doc(self, docname: str) -> None:
        """Forget a page."""
        self.data["pages"].pop(docname, None)

    def merge_domaindata(self, docnames: AbstractSet[str], otherdata: dict[str, Any]) -> None:
        """Take in what another process noted of the pages that it read."""
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
        """Give the link to a place; the bare text if it is shown nowhere."""
        if target[0] == PAGE:
            return make_refnode(builder, fromdocname, target[1], "", contnode)
        for docname, places in sorted(self.data["pages"].items()):
            if target in places:
                return make_refnode(builder, fromdocname, docname, places[target], contnode)
        return contnode

    @override
    def resolve_any_xref(
        self,
        env: BuildEnvironment,
        fromdocname: str,
        builder: Builder,
        target: str,
        node: pending_xref,
        contnode: Element,
    ) -> list[Any]:
        """Answer nothing to roles that look everywhere."""
        return []


def domain_of(env: BuildEnvironment) -> BackendsDomain:
    """Give the domain of a documentation."""
    return cast("BackendsDomain", env.domains[TYPE])


def refresh(app: Sphinx, env: BuildEnvironment, *_: AbstractSet[str]) -> Collection[str]:
    """Read what is known now, ahead of all pages; gives those that must be read again."""
    for label, page in app.config.scverse_backends_links.items():
        if not page.startswith(OUTSIDE) and page not in env.found_docs:
            _complain("links", f"{label!r} is linked to {page!r}, which is no page here and no URL")
    return domain_of(env).update(tuple(_hosts(app.config)))


def _hosts(config: Config) -> Iterator[Host]:
    """Read each host that there is."""
    addresses = config.scverse_backends_dispatchers
    for address in [addresses] if isinstance(addresses, str) else addresses:
        try:
            with _muttering():
                dispatcher = dispatcher_at(address, config.scverse_backends_imports)
                yield read_host(dispatcher, load=config.scverse_backends_load)
        except MisuseError as error:
            _complain("dispatchers", str(error))


def _complain(value: str, problem: str) -> None:
    """Warn of a mistake in the configuration."""
    logger.warning("%s_%s: %s", TYPE, value, problem, type=TYPE, subtype=value)


@contextmanager
def _muttering() -> Generator[None]:
    """Say what Python would warn of as information: what is installed breaks no build."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        logger.info("%s: %s", warning.category.__name__, warning.message)
