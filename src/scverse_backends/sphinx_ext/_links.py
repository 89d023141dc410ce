"""Links: from a backend's label to its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import ReferenceRole
from sphinx.util.logging import getLogger

from scverse_backends._ground.labels import CPU, closest, fault, key

from ._domain import BACKEND, OUTSIDE, PAGE, TYPE, domain_of

if TYPE_CHECKING:
    from docutils.nodes import Element, Node, system_message
    from sphinx.environment import BuildEnvironment

    from ._domain import BackendsDomain
    from ._known import Backend

logger = getLogger(__name__)

ALIKE = 0.75
"""How like a known label an unknown one must be to be taken for a slip."""


class BackendRole(ReferenceRole):
    """Links a backend by any of its labels."""

    def run(self) -> tuple[list[Node], list[system_message]]:
        """Give the link, or the bare label where there is nothing to link to."""
        domain = domain_of(self.env)
        domain.note()
        label = self.target.strip()
        doubt_label(domain, label, self.get_location())
        backend = next(filter(None, (host.backend(label) for host in domain.hosts)), None)
        text = nodes.inline if self.has_explicit_title else nodes.literal
        return [link_backend(self.env, label, backend, text("", self.title))], []


def doubt_label(domain: BackendsDomain, label: str, location: str) -> None:
    """Warn of a label that cannot be meant; a backend that is not installed is no mistake."""
    known = [label for host in domain.hosts for one in host.backends for label in one.labels]
    if key(label) in {CPU, *domain.links, *map(key, known)}:
        return
    problem, meant = fault(label), closest(label, known, ALIKE)
    hint = problem or (f"did you mean {meant!r}? If not, link it in {TYPE}_links" if meant else "")
    if hint:
        text = "no backend is called %r: %s"
        logger.warning(text, label, hint, type=TYPE, subtype="label", location=location)


def link_backend(
    env: BuildEnvironment, label: str, backend: Backend | None, text: Element
) -> Element:
    """Link a text to a backend's page: the host's own, else the project's, else the table."""
    labels = (label, *backend.labels) if backend else (label,)
    links = domain_of(env).links
    page = next((links[key(name)] for name in labels if key(name) in links), None)
    if page is not None and not page.startswith(OUTSIDE):
        return domain_of(env).link((PAGE, page, ""), text)
    url = page or (backend.url if backend else None)
    if url:
        return nodes.reference("", "", text, internal=False, refuri=url)
    return domain_of(env).link((BACKEND, backend.host, backend.name), text) if backend else text
