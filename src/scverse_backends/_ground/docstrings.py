"""Docstrings: reading what numpydoc parameter lists say, and writing their entries."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

PARAMETERS, OTHER = "Parameters", "Other Parameters"


class Entry(NamedTuple):
    """One documented parameter.

    Parameters
    ----------
    name
        The parameter.
    type
        What stands behind the colon.
    text
        The description, not indented.
    providers
        The backends that have this parameter, where the host has not.
    """

    name: str
    type: str = ""
    text: str = ""
    providers: tuple[str, ...] = ()


class Section(NamedTuple):
    """Where a section is: its body, and the next section's header."""

    title: str
    indent: str
    body: int
    end: int


class Span(NamedTuple):
    """Where an entry is: its header line, and the end of its last line that is not empty."""

    names: tuple[str, ...]
    type: str
    start: int
    body: int
    end: int


@lru_cache(maxsize=256)
def read_parameters(doc: str | None) -> Mapping[str, Entry]:
    """Read what a numpydoc docstring says of each parameter."""
    from inspect import cleandoc  # here, because a host that only decorates needs it not

    doc = cleandoc(doc or "")
    found: dict[str, Entry] = {}
    for span in parameter_spans(doc, [*sections(doc)]):
        text = cleandoc(doc[span.body : span.end])
        for name in span.names:
            found.setdefault(name, Entry(name, span.type, text))
    return found


def write_entries(entries: Iterable[Entry]) -> str:
    """Write entries as the body of a section, from which `read_parameters` reads them again."""
    return "".join(render(entry, "") for entry in entries).lstrip("\n")


def sections(doc: str) -> Iterator[Section]:
    """Find the sections of a docstring, from the first that lists parameters on."""
    indent, header = first_header(doc)
    while header is not None:
        title, body = header
        following, end = next_header(doc, indent, body)
        yield Section(title, indent, body, end)
        header = following


def first_header(doc: str) -> tuple[str, tuple[str, int] | None]:
    """Find the indentation of the sections, and the first header that lists parameters."""
    found = doc.find(PARAMETERS)
    while found >= 0:
        end = _line_end(doc, found)
        title = doc[doc.rfind("\n", 0, found) + 1 : end].strip()
        if title in (PARAMETERS, OTHER):
            stop = _line_end(doc, end + 1)
            rule = doc[end + 1 : stop]
            if _underlines(rule.lstrip(), title):
                return rule[: len(rule) - len(rule.lstrip())], (title, stop + 1)
        found = doc.find(PARAMETERS, end)
    return "", None


def next_header(doc: str, indent: str, start: int) -> tuple[tuple[str, int] | None, int]:
    """Find the next title and where its body begins, and where its own line begins."""
    margin = len(indent) + 1
    while (rule := _next_rule(doc, indent, start)) >= 0:
        header, end = doc.rfind("\n", 0, rule) + 1, _line_end(doc, rule + 1)
        title = doc[header:rule].removeprefix(indent).rstrip()
        if title and not title[0].isspace() and _underlines(doc[rule + margin : end], title):
            return (title, end + 1), header
        start = rule + 1
    return None, len(doc)


def _next_rule(doc: str, indent: str, start: int) -> int:
    """Find the next line that could underline a title; -1 if there is none."""
    single = doc.find(f"\n{indent}---", start)
    double = doc.find(f"\n{indent}===", start, len(doc) if single < 0 else single)
    return single if double < 0 else double


def _underlines(line: str, title: str) -> bool:
    """Whether a line underlines a title, which it must do in full."""
    line = line.rstrip()
    return len(line) >= len(title) and line[0] in "-=" and not line.strip(line[0])


def _line_end(doc: str, start: int) -> int:
    end = doc.find("\n", start)
    return len(doc) if end < 0 else end


def parameter_spans(doc: str, found: Sequence[Section]) -> Iterator[Span]:
    """Find every entry that documents parameters."""
    for section in found:
        if section.title in (PARAMETERS, OTHER):
            yield from spans(doc, section)


def spans(doc: str, section: Section) -> Iterator[Span]:
    """Find the entries of one section: lines at its margin, each with what is indented below."""
    stop = entries_end(doc, section)
    margin = re.compile(rf"^{section.indent}(?=\S).*$", re.MULTILINE)
    heads = [*margin.finditer(doc, section.body, stop)]
    ends = [*(head.start() for head in heads[1:]), stop]
    for head, end in zip(heads, ends, strict=False):
        names, _, kind = head[0].strip().partition(":")
        yield Span(
            tuple(_bare(name) for name in names.split(",")),
            kind.strip(),
            head.start(),
            head.end(),
            len(doc[:end].rstrip()),
        )


def _bare(name: str) -> str:
    """Take stars, escapes and a provider off a name."""
    return name.strip().partition(" (")[0].lstrip("\\*")


def entries_end(doc: str, section: Section) -> int:
    """Find the end of a section's last entry; a directive at the margin belongs to none."""
    directive = doc.find(f"\n{section.indent}.. ", section.body - 1, section.end)
    return len(doc[: section.end if directive < 0 else directive].rstrip())


@lru_cache(maxsize=256)
def render(entry: Entry, indent: str) -> str:
    """Write an entry, each of its lines behind a line break."""
    providers = f" ({', '.join(entry.providers)})" if entry.providers else ""
    kind = f" : {entry.type}" if entry.type else ""
    lines = [f"{indent}{entry.name}{providers}{kind}"]
    lines += [line and f"{deeper(indent)}{line}" for line in entry.text.split("\n")]
    return "".join(f"\n{line}" for line in lines)


def deeper(indent: str) -> str:
    return indent + ("\t" if "\t" in indent else "    ")
