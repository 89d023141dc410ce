"""Pages: on a function's page stands which backends implement it, and what each makes of it.

The page may come from autodoc, from autosummary or from a directive written by
hand, and its docstring may have been through napoleon or numpydoc: the field is
added once all of that is done.
"""

from __future__ import annotations

import sys
from functools import reduce
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.addnodes import desc_signature

from scverse_backends._selection.blocks import DISPATCH

from ._domain import FUNCTION, domain_of
from ._links import link_backend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docutils.nodes import Element, Node
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

    from scverse_backends._checks.findings import Finding, Fit

    from ._known import Backend

FIELD = "Backends"
REQUIRED = "required"
"""Stands for the default of an option that has none; another line tells of it."""

LINES = (
    (("added-parameter",), "adds", ""),
    (("differing-default",), "has other defaults:", ""),
    (("required-parameter", "required-option"), "must be given", "; other calls run elsewhere"),
    (("missing-parameter",), "does not take", "; such calls run elsewhere"),
    (("ignored-parameter",), "ignores", ""),
)
"""What users should know: kinds of findings, and what is written around their parameters."""


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
    pairs = [(backend, backend.fit(function)) for backend in host.backends]
    items = [_item(app.env, backend, found) for backend, found in pairs if found]
    if items:
        _place(content, nodes.field("", nodes.field_name("", FIELD), _body(items)))


def _dispatched(module: str | None, name: str | None) -> tuple[str, str]:
    """Tell which host's function has a documented name, and under which name it is dispatched."""
    considered = getattr(_object(module, name or ""), DISPATCH, None)
    function = getattr(considered, "function", None)
    if considered is None or function is None:
        return "", ""
    return considered.selector.registry.configuration.host, function.name


def _object(module: str | None, name: str) -> Any:
    """Find what has a documented name, among what is imported."""
    parts = (f"{module}.{name}" if module else name).split(".")
    for end in range(len(parts) - 1, 0, -1):
        home = sys.modules.get(".".join(parts[:end]))
        if home is not None:
            try:
                return reduce(getattr, parts[end:], home)
            except AttributeError:
                return None
    return None


def _place(content: Element, field: Element) -> None:
    """Put a field behind the others, wherever they are; else at the end."""
    lists = [node for node in content.children if isinstance(node, nodes.field_list)]
    if not lists:
        lists = [nodes.field_list()]
        content += lists
    lists[-1] += field


def _body(items: list[Element]) -> Element:
    return nodes.field_body("", nodes.bullet_list("", *items))


def _item(env: BuildEnvironment, backend: Backend, found: Fit) -> Element:
    """Draw what one backend makes of the function."""
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
    """Tell what users should know of an implementation, a line for each kind of thing."""
    for kinds, words, end in LINES:
        findings = [finding for kind in kinds for finding in found.of(kind)]
        named = [_named(finding) for finding in findings if finding.backend != REQUIRED]
        if named:
            line = nodes.paragraph("", f"{words} ", *named[0])
            for others in named[1:]:
                line += [nodes.Text(", "), *others]
            line += nodes.Text(end)
            yield line


def _named(finding: Finding) -> list[Node]:
    """Name a parameter, and the defaults that it has."""
    name, theirs = str(finding.parameter), finding.backend
    if name.startswith("**"):
        return [nodes.Text("other keywords")]
    if finding.kind not in ("added-parameter", "differing-default"):
        return [nodes.literal("", name)]
    default = nodes.literal("", f"{name}={theirs}")
    if finding.host is None:
        return [default]
    return [default, nodes.Text(" (not "), nodes.literal("", finding.host), nodes.Text(")")]
