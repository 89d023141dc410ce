"""What a reader sees: a list of backends on each function's page, a table of all, and links.

A function's page may come from autodoc, from autosummary or from a directive
written by hand, and napoleon or numpydoc may have read its docstring. The list
is added after all of that.
"""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.addnodes import desc_signature
from sphinx.util.docutils import ReferenceRole, SphinxDirective
from sphinx.util.logging import getLogger
from sphinx.util.nodes import make_id

from scverse_backends._checks.findings import STATES, remarks
from scverse_backends._ground.labels import CPU, closest, fault, fold
from scverse_backends._ground.safe_repr import attempt
from scverse_backends._selection.blocks import DISPATCH

from ._domain import BACKEND, FUNCTION, OUTSIDE, PAGE, TYPE, domain_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from docutils.nodes import Element, Node, system_message
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

    from scverse_backends._checks.findings import Fit, State

    from ._domain import Backend, BackendsDomain, Host

logger = getLogger(__name__)

FIELD = "Backends"
ALIKE = 0.75
"""How like a known label an unknown one must be to be taken for a slip."""

OPTIONS: dict[str, Callable[[str], Any]] = {
    "functions": directives.unchanged_required,
    "backends": directives.unchanged_required,
    "caption": directives.unchanged_required,
    "class": directives.class_option,
}


def show_backends(app: Sphinx, domain: str, objtype: str, content: Element) -> None:
    """Add the backends to the description of a dispatched function or class."""
    del objtype
    description: Any = content.parent
    signature = description.next_node(desc_signature) if domain == "py" else None
    if signature is None:
        return
    known = domain_of(app.env)
    host_name, function = _dispatched(signature.get("module"), signature.get("fullname"))
    host = known.host(host_name)
    if host is None:
        return
    known.note((FUNCTION, host.name, function), signature)
    fits = [(backend, backend.fit(function)) for backend in host.backends]
    items = [_item(app.env, backend, fit) for backend, fit in fits if fit and fit.implemented]
    if items:
        body = nodes.field_body("", nodes.bullet_list("", *items))
        _place(content, nodes.field("", nodes.field_name("", FIELD), body))


def _dispatched(module: str | None, name: str | None) -> tuple[str, str]:
    """Find the host of a documented name, and the name under which it is dispatched."""
    considered: Any = getattr(_object(module, name or ""), DISPATCH, None)
    function = getattr(considered, "function", None)
    if function is None:
        return "", ""
    return considered.selector.registry.configuration.host, function.name


def _object(module: str | None, name: str) -> Any:
    """Find what has a documented name, in the modules that are imported."""
    parts = (f"{module}.{name}" if module else name).split(".")
    for end in range(len(parts) - 1, 0, -1):
        home = sys.modules.get(".".join(parts[:end]))
        if home is not None:
            return attempt(partial(reduce, getattr, parts[end:], home), lambda _: None)
    return None


def _place(content: Element, field: Element) -> None:
    """Put a field behind the others, where there are some; else at the end."""
    lists = [node for node in content.children if isinstance(node, nodes.field_list)]
    if not lists:
        lists = [nodes.field_list()]
        content += lists
    lists[-1] += field


def _item(env: BuildEnvironment, backend: Backend, found: Fit) -> Element:
    """Draw what one backend has for the function."""
    name = link_backend(env, backend.name, backend, nodes.literal("", backend.name))
    head = nodes.paragraph("", "", name)
    if backend.release:
        head += nodes.Text(f" ({backend.release})")
    item = nodes.list_item("", head)
    told = [nodes.list_item("", line) for line in _lines(found)]
    if told:
        item += nodes.bullet_list("", *told)
    return item


def _lines(found: Fit) -> Iterator[Element]:
    """Draw a line for each remark that names parameters; the others are for backend authors."""
    for remark in remarks(found):
        if not remark.names:
            continue
        line = nodes.paragraph("", f"{remark.words} ")
        for place, (code, words) in enumerate(remark.names):
            line += nodes.Text(", " * bool(place))
            line += [nodes.literal("", code)] if code else []
            line += nodes.Text(words)
        line += nodes.Text(remark.end)
        yield line


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
    if fold(label) in {CPU, *domain.links, *map(fold, known)}:
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
    page = next((links[fold(name)] for name in labels if fold(name) in links), None)
    if page is not None and not page.startswith(OUTSIDE):
        return domain_of(env).link((PAGE, page, ""), text)
    url = page or (backend.url if backend else None)
    if url:
        return nodes.reference("", "", text, internal=False, refuri=url)
    return domain_of(env).link((BACKEND, backend.host, backend.name), text) if backend else text


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
        cells: dict[str, list[State]] = {
            name: [fit.state for b in columns if (fit := b.fit(name))] for name in functions
        }
        if columns and functions:
            yield self._table(host, columns, cells)
        if any("partly" in row for row in cells.values()):
            legend = f": {STATES['partly']}. The function's page says which."
            yield nodes.paragraph("", "", nodes.emphasis("", "partly"), nodes.Text(legend))
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
        """List the backends to show; an empty list means all."""
        return _words(self.options.get("backends", ""))

    def _wants(self, backend: Backend) -> bool:
        wanted = set(map(fold, self._labels()))
        return not wanted or not wanted.isdisjoint(map(fold, backend.labels))

    def _warn(self, subtype: str, problem: str) -> None:
        where = self.get_location()
        logger.warning("%s: %s", self.name, problem, type=TYPE, subtype=subtype, location=where)

    def _table(
        self, host: Host, columns: Sequence[Backend], cells: dict[str, list[State]]
    ) -> Element:
        """Draw the table itself."""
        names = [self._name(backend) for backend in columns]
        widths = [max(map(len, cells)), *(max(len(b.name), len("partly")) for b in columns)]
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


def _row(cells: Sequence[Node]) -> Element:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()
