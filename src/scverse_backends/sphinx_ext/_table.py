"""The table: which backend implements which function."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective
from sphinx.util.logging import getLogger
from sphinx.util.nodes import make_id

from scverse_backends._ground.labels import key

from ._domain import BACKEND, FUNCTION, TYPE, domain_of
from ._links import doubt_label, link_backend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from docutils.nodes import Element, Node

    from scverse_backends._checks.findings import Fit

    from ._known import Backend, Host

logger = getLogger(__name__)

YES, PARTLY, NO = "yes", "partly", "no"
LEGEND = (
    ": calls that the backend cannot take in full run elsewhere; the function's page says which."
)
LIMITS = ("missing-parameter", "required-parameter", "required-option")


OPTIONS: dict[str, Callable[[str], Any]] = {
    "functions": directives.unchanged_required,
    "backends": directives.unchanged_required,
    "caption": directives.unchanged_required,
    "class": directives.class_option,
}


class MatrixDirective(SphinxDirective):
    """Draws the table of functions and backends, and lists the backends below it."""

    optional_arguments = 1
    option_spec = OPTIONS

    def run(self) -> list[Node]:
        """Draw it for the host that is named, or for each."""
        domain = domain_of(self.env)
        domain.note()
        for label in self._labels():
            doubt_label(domain, label, self.get_location())
        hosts = [host for host in domain.hosts if host.name in (self.arguments or [host.name])]
        if not hosts:
            known = ", ".join(host.name for host in domain.hosts)
            self._warn("host", f"no such host; the configuration names {known or 'none'}")
        return [node for host in hosts for node in self._draw(host)]

    def _draw(self, host: Host) -> Iterator[Element]:
        """Draw one host's table, with what it does not say by itself."""
        functions = self._functions(host)
        backends = [backend for backend in host.backends if self._wants(backend)]
        columns = [backend for backend in backends if backend.functions is not None]
        cells = {name: [_cell(b.fit(name)) for b in columns] for name in functions}
        if columns and functions:
            yield self._table(host, columns, cells)
        if any(PARTLY in row for row in cells.values()):
            yield nodes.paragraph("", "", nodes.emphasis("", PARTLY), nodes.Text(LEGEND))
        if backends:
            yield nodes.bullet_list("", *(self._entry(backend) for backend in backends))
        else:
            yield nodes.paragraph("", f"No backend of {host.name} is known.")

    def _functions(self, host: Host) -> list[str]:
        """Choose the functions that the patterns name."""
        patterns = _words(self.options.get("functions", "*"))
        found = [n for n in host.functions if any(fnmatchcase(n, p) for p in patterns)]
        if host.functions and not found:
            self._warn("function", f"{host.name} dispatches nothing named {' or '.join(patterns)}")
        return found

    def _labels(self) -> list[str]:
        """Name the backends that are wanted; none if all are."""
        return _words(self.options.get("backends", ""))

    def _wants(self, backend: Backend) -> bool:
        wanted = set(map(key, self._labels()))
        return not wanted or not wanted.isdisjoint(map(key, backend.labels))

    def _warn(self, subtype: str, problem: str) -> None:
        where = self.get_location()
        logger.warning("%s: %s", self.name, problem, type=TYPE, subtype=subtype, location=where)

    def _table(
        self, host: Host, columns: Sequence[Backend], cells: dict[str, list[str]]
    ) -> Element:
        """Draw the table itself."""
        names = [self._name(backend) for backend in columns]
        widths = [max(map(len, cells)), *(max(len(b.name), len(PARTLY)) for b in columns)]
        group = nodes.tgroup("", cols=len(widths))
        group += [nodes.colspec(colwidth=width + 2) for width in widths]
        group += nodes.thead("", _row([nodes.Text("Function"), *names]))
        body = nodes.tbody()
        for function, words in cells.items():
            place = (FUNCTION, host.name, function)
            linked = domain_of(self.env).link(place, nodes.literal("", function))
            body += _row([linked, *map(nodes.Text, words)])
        group += body
        caption = self.options.get("caption")
        title = [nodes.title("", caption)] if caption else []
        classes = ["backend-matrix", "colwidths-auto", *self.options.get("class", ())]
        return nodes.table("", *title, group, classes=classes)

    def _name(self, backend: Backend) -> Element:
        return link_backend(self.env, backend.name, backend, nodes.literal("", backend.name))

    def _entry(self, backend: Backend) -> Element:
        """Say what one backend is: its names, what to install, and what is known of it."""
        document = self.state.document
        target = nodes.target(ids=[make_id(self.env, document, "backend", backend.name)])
        document.note_explicit_target(target)
        domain_of(self.env).note((BACKEND, backend.host, backend.name), target)
        entry = nodes.paragraph("", "", target, self._name(backend))
        for alias in backend.labels[1:]:
            entry += [nodes.Text(" or "), nodes.literal("", alias)]
        if backend.install:
            entry += [nodes.Text(": "), nodes.literal("", f"pip install {backend.install}")]
        elif backend.release:
            entry += nodes.Text(f": {backend.release}")
        if not backend.install and backend.functions is None:
            entry += nodes.Text("; what it implements is not known here")
        return nodes.list_item("", entry)


def _cell(found: Fit | None) -> str:
    """Say in a word whether a backend takes the calls of a function."""
    if found is None:
        return NO
    return PARTLY if found.of(*LIMITS) else YES


def _row(cells: Sequence[Node]) -> Element:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()
