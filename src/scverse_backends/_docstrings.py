"""Docstrings: reading numpydoc parameters, and the one place that adds to them.

Text is only ever inserted: what the host wrote stays, in its order. A
docstring without a Parameters section that numpydoc would find is left alone.
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from . import _foreign

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

PARAMETERS, OTHER = "Parameters", "Other Parameters"

_LONGEST_DEFAULT = 60
_SHORT = (bool, float, type(None))
"""What their values show is always one short line."""
_STARS = ("**", "\\*\\*")
_BEFORE_OTHER = (PARAMETERS, "Attributes", "Methods", "Returns", "Yields", "Receives")
"""The sections that numpydoc wants ahead of Other Parameters."""


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


class _Section(NamedTuple):
    """Where a section is: its body, and the next section's header."""

    title: str
    indent: str
    body: int
    end: int


class _Span(NamedTuple):
    """Where an entry is: its header line, and the end of its last line that is not empty."""

    names: tuple[str, ...]
    type: str
    start: int
    body: int
    end: int


@lru_cache(maxsize=64)
def selector_entry(name: str, labels: tuple[str, ...]) -> Entry:
    """Document the parameter that chooses a backend for one call."""
    known = "".join(f", ``{label!r}``" for label in labels)
    text = (
        f"Where to run: ``'cpu'`` for the host's own code{known} or another installed "
        "backend.\nBy default what is selected."
    )
    return Entry(name, "str or sequence of str, optional", text)


def default_note(name: str, provider: str, default: str) -> str:
    """Say that a backend's default is not the host's."""
    return f"With backend ``{provider!r}``, ``{name}`` is ``{default}`` by default."


def shown(value: object) -> str:
    """Write a default value on one line, without what differs from run to run."""
    if type(value) in _SHORT:
        return repr(value)
    text = _foreign.qualname(value) or re.sub(r" at 0x[0-9a-fA-F]+", "", _foreign.written(value))
    return text if len(text) <= _LONGEST_DEFAULT else f"{text[: _LONGEST_DEFAULT - 3]}..."


@lru_cache(maxsize=256)
def read(doc: str | None) -> Mapping[str, Entry]:
    """Read what a numpydoc docstring says of each parameter."""
    from inspect import cleandoc  # here, because a host that only decorates needs it not

    doc = cleandoc(doc or "")
    found: dict[str, Entry] = {}
    for span in _spans_of_parameters(doc, [*_sections(doc)]):
        text = cleandoc(doc[span.body : span.end])
        for name in span.names:
            found.setdefault(name, Entry(name, span.type, text))
    return found


def opening(doc: str | None, selector: str, labels: tuple[str, ...]) -> str | None:
    """Give a docstring as it is before any backend is known."""
    return add_selector(doc, selector_entry(selector, labels)) if doc and selector else doc


def written(entries: Iterable[Entry]) -> str:
    """Write entries as the body of a section, from which `read` reads them again."""
    return "".join(_render(entry, "") for entry in entries).lstrip("\n")


def add_selector(doc: str, entry: Entry) -> str:
    """Add the selector at the end of Parameters, as `merge` does; a host pays this at import."""
    indent, header = _first(doc)
    if header is None or header[0] != PARAMETERS:
        return doc
    section = _Section(PARAMETERS, indent, header[1], _next_header(doc, indent, header[1])[1])
    if doc.find(entry.name, section.body) >= 0:
        return merge(doc, entry)
    place, text = _last_place(doc, section, entry)
    return doc[:place] + text + doc[place:]


def merge(
    doc: str,
    selector: Entry | None = None,
    options: Sequence[Entry] = (),
    notes: Mapping[str, Sequence[str]] | None = None,
) -> str:
    r"""Add to a docstring what backends make of its function.

    Parameters
    ----------
    doc
        The host's own docstring.
    selector
        The parameter that chooses a backend, for the end of Parameters.
    options
        Parameters that only backends have, for Other Parameters.
    notes
        Sentences to add to the host's own parameters.

    Returns
    -------
    The docstring with whatever of these it does not have yet; as it was if it
    has no Parameters section.

    Examples
    --------
    >>> doc = "Scale.\n\nParameters\n----------\nfactor\n    By how much.\n"
    >>> merged = merge(doc, options=[Entry("tiles", "int", "How many.", ("tiled",))])
    >>> print(merged.partition("----------------\n")[2])
    tiles (tiled) : int
        How many.
    <BLANKLINE>

    """
    sections = [*_sections(doc)]
    if not sections or sections[0].title != PARAMETERS:
        return doc
    spans = [*_spans_of_parameters(doc, sections)]
    taken = {name for span in spans for name in span.names}
    added = [*_notes(doc, spans, sections[0].indent, notes or {})]
    if selector and selector.name not in taken:
        added.append(_last_place(doc, sections[0], selector))
    wanted = [option for option in options if option.name not in taken]
    if wanted:
        added.append(_other_place(doc, sections, wanted))
    return _insert(doc, added)


def _sections(doc: str) -> Iterator[_Section]:
    """Find the sections of a docstring, from the first that lists parameters on."""
    indent, header = _first(doc)
    while header is not None:
        title, body = header
        following, end = _next_header(doc, indent, body)
        yield _Section(title, indent, body, end)
        header = following


def _first(doc: str) -> tuple[str, tuple[str, int] | None]:
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


def _next_header(doc: str, indent: str, start: int) -> tuple[tuple[str, int] | None, int]:
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


def _spans_of_parameters(doc: str, sections: Sequence[_Section]) -> Iterator[_Span]:
    """Find every entry that documents parameters."""
    for section in sections:
        if section.title in (PARAMETERS, OTHER):
            yield from _spans(doc, section)


def _spans(doc: str, section: _Section) -> Iterator[_Span]:
    """Find the entries of one section: lines at its margin, each with what is indented below."""
    stop = _entries_end(doc, section)
    margin = re.compile(rf"^{section.indent}(?=\S).*$", re.MULTILINE)
    heads = [*margin.finditer(doc, section.body, stop)]
    ends = [*(head.start() for head in heads[1:]), stop]
    for head, end in zip(heads, ends, strict=False):
        names, _, kind = head[0].strip().partition(":")
        yield _Span(
            tuple(_bare(name) for name in names.split(",")),
            kind.strip(),
            head.start(),
            head.end(),
            len(doc[:end].rstrip()),
        )


def _bare(name: str) -> str:
    """Take stars, escapes and a provider off a name."""
    return name.strip().partition(" (")[0].lstrip("\\*")


def _entries_end(doc: str, section: _Section) -> int:
    """Find the end of a section's last entry; a directive at the margin belongs to none."""
    directive = doc.find(f"\n{section.indent}.. ", section.body - 1, section.end)
    return len(doc[: section.end if directive < 0 else directive].rstrip())


def _last_place(doc: str, section: _Section, entry: Entry) -> tuple[int, str]:
    """Place an entry last in a section, but for ``**kwargs``, as the signature has it."""
    end, text = _entries_end(doc, section), _render(entry, section.indent)
    if doc.find("*", section.body, end) >= 0:
        last = max((span.start for span in _spans(doc, section)), default=-1)
        if last >= 0 and doc.startswith(_STARS, last + len(section.indent)):
            return last, text[1:] + "\n"
    return end, text


def _other_place(
    doc: str, sections: Sequence[_Section], options: Sequence[Entry]
) -> tuple[int, str]:
    """Place entries in Other Parameters, which is made where numpydoc wants it."""
    indent = sections[0].indent
    entries = "".join(_render(option, indent) for option in options)
    for section in sections:
        if section.title == OTHER:
            return _entries_end(doc, section), entries
    before = [section for section in sections if section.title in _BEFORE_OTHER][-1]
    end = _entries_end(doc, before) if before is sections[0] else len(doc[: before.end].rstrip())
    return end, f"\n\n{indent}{OTHER}\n{indent}{'-' * len(OTHER)}{entries}"


def _notes(
    doc: str, spans: Sequence[_Span], indent: str, notes: Mapping[str, Sequence[str]]
) -> Iterator[tuple[int, str]]:
    """Place each note as a paragraph of its own at the end of its parameter's entry."""
    for span in spans:
        said = doc[span.start : span.end]
        wanted = [note for name in span.names for note in notes.get(name, ()) if note not in said]
        if wanted:
            gap = "\n" if span.body < span.end else ""
            yield span.end, gap + "".join(f"\n{_deeper(indent)}{note}" for note in wanted)


@lru_cache(maxsize=256)
def _render(entry: Entry, indent: str) -> str:
    """Write an entry, each of its lines behind a line break."""
    providers = f" ({', '.join(entry.providers)})" if entry.providers else ""
    kind = f" : {entry.type}" if entry.type else ""
    lines = [f"{indent}{entry.name}{providers}{kind}"]
    lines += [line and f"{_deeper(indent)}{line}" for line in entry.text.split("\n")]
    return "".join(f"\n{line}" for line in lines)


def _deeper(indent: str) -> str:
    return indent + ("\t" if "\t" in indent else "    ")


def _insert(doc: str, added: Sequence[tuple[int, str]]) -> str:
    """Insert texts, each at its place in the original, in the given order where it is the same."""
    pieces: list[str] = []
    done = 0
    for place, text in sorted(added, key=itemgetter(0)):
        pieces += (doc[done:place], text)
        done = place
    return "".join((*pieces, doc[done:]))
