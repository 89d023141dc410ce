"""Docstrings: reading the parameter lists of numpydoc, and adding to them.

Text is only ever inserted: what was there stays, in its order. A docstring
without a section that numpydoc or napoleon reads as parameters is left alone.
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

PARAMETERS, OTHER = "Parameters", "Other Parameters"

_TITLES = {PARAMETERS: PARAMETERS, "Params": PARAMETERS, OTHER: OTHER}
"""Titles of sections that list parameters, each with what it stands for."""

_BEFORE_OTHER = (PARAMETERS, "Attributes", "Methods", "Returns", "Yields", "Receives")
"""The sections that numpydoc wants ahead of Other Parameters."""

_FIRST_TITLE = re.compile(r"(Param(?:eter)?s)[^\S\n]*\n([^\S\n]*)(-+|=+)[^\S\n]*(?:\n|\Z)")
"""The last word of a title that lists parameters, and below it an indentation and a rule."""

_HEADER = re.compile(r"([^\n]*)\n([^\S\n]*)(-+|=+)[^\S\n]*(?:\n|\Z)")
"""A title, and below it an indentation and a rule."""

_FIRST_NAME = re.compile(r"(?:[ \t]*\n)*([ \t]*)\\?\*{0,2}[^\W\d]")


class Entry(NamedTuple):
    """One documented parameter: its name, what stands behind the colon, the description."""

    name: str
    type: str = ""
    text: str = ""


class Section(NamedTuple):
    """Where a section is: its body, and the next section's header."""

    title: str
    indent: str
    margin: str
    """What its entries are indented by; more than its title where the whole list is."""
    body: int
    end: int


class Span(NamedTuple):
    """Where an entry is: its header line, and the end of its last line that is not empty."""

    names: tuple[str, ...]
    type: str
    margin: str
    start: int
    body: int
    end: int


@lru_cache(maxsize=64)
def selector_entry(name: str, labels: tuple[str, ...]) -> Entry:
    """Document the parameter that chooses a backend for one call."""
    known = "".join(f", ``{label!r}``" for label in labels)
    text = (
        f"Where to run: ``'cpu'`` for the host's own code{known} or another installed "
        "backend.\nDefaults to the current selection."
    )
    return Entry(name, "str or sequence of str, optional", text)


def option_entry(name: str, kind: str, text: str, providers: Sequence[str]) -> Entry:
    """Document a parameter that only backends have."""
    named = ", ".join(f"``{provider!r}``" for provider in providers)
    only = f"Only with backend{'s' if len(providers) > 1 else ''} {named}."
    # Behind a sentence, a list or a directive would not be one.
    gap = " " if text[:1].isalnum() else "\n\n"
    return Entry(name, kind, f"{only}{gap}{text}" if text else only)


def default_note(name: str, provider: str, default: str) -> str:
    """Say that a backend's default is not the host's."""
    return f"With backend ``{provider!r}``, ``{name}`` is ``{default}`` by default."


@lru_cache(maxsize=256)
def read_parameters(doc: str | None) -> Mapping[str, Entry]:
    """Read what a docstring says of each parameter."""
    from inspect import cleandoc  # here, because a host that only decorates needs it not

    doc = cleandoc(doc or "")
    found: dict[str, Entry] = {}
    for span in _parameter_spans(doc, [*_sections(doc)]):
        text = cleandoc(doc[span.body : span.end])
        for name in span.names:
            found.setdefault(name, Entry(name, span.type, text))
    return found


def write_entries(entries: Iterable[Entry]) -> str:
    """Write entries as the body of a section, from which `read_parameters` reads them again."""
    return "".join(_render(entry, "", typed=True) for entry in entries).lstrip("\n")


def with_selector(doc: str | None, selector: str, labels: tuple[str, ...]) -> str | None:
    """Give a docstring as it is before any backend is known, quickly: a host pays this at import."""
    indent, header = _first_header(doc) if doc and selector else ("", None)
    if not doc or header is None or header[0] != PARAMETERS:
        return doc
    section = _section(doc, indent, header, _next_header(doc, indent, header[1])[1])
    entry = selector_entry(selector, labels)
    if _may_document(doc, section, selector):
        return merge(doc, entry)
    place, text = _last_place(doc, section, entry)
    return doc[:place] + text + doc[place:]


def _may_document(doc: str, section: Section, name: str) -> bool:
    """Whether an entry of the first section, or of another one that lists parameters, may have a name."""
    body, end = section.body - 1, section.end
    if name in doc and _line(section.margin, rf"(?=\S)[^:\n]*{name}").search(doc, body, end):
        return True
    return doc.find(name, section.end) >= 0 and doc.find("Param", section.end) >= 0


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
        The host's own docstring. Where its parameters carry no types, those
        that are added carry none either.
    selector
        The parameter that chooses a backend, for the end of Parameters.
    options
        Parameters that only backends have, for Other Parameters.
    notes
        Sentences to add to the host's own parameters.

    Returns
    -------
    The docstring with everything that it did not have yet; as it was if it
    has no Parameters section.

    Examples
    --------
    >>> doc = "Scale.\n\nParameters\n----------\nfactor : float\n    By how much.\n"
    >>> merged = merge(doc, options=[Entry("tiles", "int", "How many.")])
    >>> print(merged.partition("----------------\n")[2])
    tiles : int
        How many.
    <BLANKLINE>

    """
    found = [*_sections(doc)]
    if not found or found[0].title != PARAMETERS:
        return doc
    documented = [*_parameter_spans(doc, found)]
    present = {name for span in documented for name in span.names}
    added = [*_notes(doc, documented, notes or {})]
    if selector and selector.name not in present:
        added.append(_last_place(doc, found[0], selector))
    wanted = [one for one in options if one.name not in present]
    if wanted:
        added.append(_other_place(doc, found, wanted))
    return _insert(doc, added)


def _has_types(doc: str, section: Section) -> bool:
    """Whether any parameter of a section carries a type."""
    typed = _line(section.margin, r"[^\s:(][^:(\n]*:")
    return typed.search(doc, section.body - 1, section.end) is not None


def _last_place(doc: str, section: Section, entry: Entry) -> tuple[int, str]:
    """Place an entry last in a section, but for ``**kwargs``, as the signature has it."""
    margin, end = section.margin, _entries_end(doc, section)
    text = _render(entry, margin, typed=_has_types(doc, section))
    before = section.body - 1
    starred = doc.rfind(f"\n{margin}**", before, end), doc.rfind(f"\n{margin}\\*\\*", before, end)
    last = max(starred) + 1
    if last and not _line(margin, r"\S").search(doc, last, end):
        return last, text[1:] + "\n"
    return end, text


def _other_place(doc: str, found: Sequence[Section], options: Sequence[Entry]) -> tuple[int, str]:
    """Place entries in Other Parameters, which is made where numpydoc wants it."""
    typed = _has_types(doc, found[0])
    for section in found:
        if section.title == OTHER:
            entries = "".join(_render(option, section.margin, typed=typed) for option in options)
            return _entries_end(doc, section), entries
    indent = found[0].indent
    before = [section for section in found if section.title in _BEFORE_OTHER][-1]
    end = _entries_end(doc, before) if before is found[0] else len(doc[: before.end].rstrip())
    entries = "".join(_render(option, indent, typed=typed) for option in options)
    return end, f"\n\n{indent}{OTHER}\n{indent}{'-' * len(OTHER)}{entries}"


def _notes(
    doc: str, documented: Sequence[Span], notes: Mapping[str, Sequence[str]]
) -> Iterator[tuple[int, str]]:
    """Place each note as a paragraph of its own at the end of its parameter's entry."""
    for span in documented:
        said = doc[span.start : span.end]
        wanted = [note for name in span.names for note in notes.get(name, ()) if note not in said]
        if wanted:
            gap = "\n" if span.body < span.end else ""
            yield span.end, gap + "".join(f"\n{_deeper(span.margin)}{note}" for note in wanted)


def _insert(doc: str, added: Sequence[tuple[int, str]]) -> str:
    """Insert texts, each at its place in the original, in the given order where it is the same."""
    pieces: list[str] = []
    done = 0
    for place, text in sorted(added, key=itemgetter(0)):
        pieces += (doc[done:place], text)
        done = place
    return "".join((*pieces, doc[done:]))


@lru_cache(maxsize=256)
def _render(entry: Entry, margin: str, *, typed: bool) -> str:
    """Write an entry, each of its lines behind a line break; without a type where none is carried."""
    kind = f" : {entry.type}" if typed and entry.type else ""
    lines = [f"{margin}{entry.name}{kind}"]
    lines += [line and f"{_deeper(margin)}{line}" for line in entry.text.split("\n")]
    return "".join(f"\n{line}" for line in lines)


def _deeper(indent: str) -> str:
    return indent + ("\t" if "\t" in indent else "    ")


def _sections(doc: str) -> Iterator[Section]:
    """Find the sections of a docstring, from the first that lists parameters on."""
    indent, header = _first_header(doc)
    while header is not None:
        following, end = _next_header(doc, indent, header[1])
        yield _section(doc, indent, header, end)
        header = following


def _section(doc: str, indent: str, header: tuple[str, int], end: int) -> Section:
    """Describe a section, whose list may be indented below its title as a whole."""
    title, body = header
    first = _FIRST_NAME.match(doc, body, end)
    margin = indent
    if first and len(first[1]) > len(indent):
        at_title = _line(indent, r"(?!\.\. )\S").search(doc, body - 1, end)
        margin = indent if at_title else first[1]
    return Section(_TITLES.get(title, title), indent, margin, body, end)


def _first_header(doc: str) -> tuple[str, tuple[str, int] | None]:
    """Find the indentation of the sections, and the first header that lists parameters."""
    for found in _FIRST_TITLE.finditer(doc):
        title = doc[doc.rfind("\n", 0, found.start()) + 1 : found.end(1)].strip()
        if title in _TITLES and len(found[3]) >= len(title):
            return found[2], (_TITLES[title], found.end())
    return "", None


def _next_header(doc: str, indent: str, start: int) -> tuple[tuple[str, int] | None, int]:
    """Find the next title and where its body begins, and where its own line begins."""
    while (rule := _next_rule(doc, indent, start)) >= 0:
        header = _HEADER.match(doc, doc.rfind("\n", 0, rule) + 1)
        title = header[1].removeprefix(indent).rstrip() if header else ""
        if header and title and not title[0].isspace() and len(header[3]) >= len(title):
            return (title, header.end()), header.start()
        start = rule + 1
    return None, len(doc)


def _next_rule(doc: str, indent: str, start: int) -> int:
    """Find the next line that could underline a title; -1 if there is none."""
    single = doc.find(f"\n{indent}---", start)
    double = doc.find(f"\n{indent}===", start, len(doc) if single < 0 else single)
    return single if double < 0 else double


def _parameter_spans(doc: str, found: Sequence[Section]) -> Iterator[Span]:
    """Find every entry that documents parameters."""
    for section in found:
        if section.title in (PARAMETERS, OTHER):
            yield from _spans(doc, section)


def _spans(doc: str, section: Section) -> Iterator[Span]:
    """Find the entries of one section: lines at its margin, each with what is indented below."""
    stop = _entries_end(doc, section)
    heads = [*_line(section.margin, r"(?=\S)[^\n]*").finditer(doc, section.body - 1, stop)]
    ends = [*(head.start() + 1 for head in heads[1:]), stop]
    for head, end in zip(heads, ends, strict=False):
        names, _, kind = head[0].strip().partition(":")
        yield Span(
            tuple(_bare(name) for name in names.split(",")),
            kind.strip(),
            section.margin,
            head.start() + 1,
            head.end(),
            len(doc[:end].rstrip()),
        )


def _bare(name: str) -> str:
    """Take stars, escapes and what stands in parentheses off a name."""
    return name.strip().partition(" (")[0].lstrip("\\*")


def _entries_end(doc: str, section: Section) -> int:
    """Find the end of a section's last entry; a directive at the margin belongs to none."""
    directive = doc.find(f"\n{section.indent}.. ", section.body - 1, section.end)
    return len(doc[: section.end if directive < 0 else directive].rstrip())


@lru_cache(maxsize=256)
def _line(margin: str, rest: str) -> re.Pattern[str]:
    """Compile what finds the line break in front of a line that stands at a margin.

    A literal beginning makes a search several times as fast as ``^``.
    """
    return re.compile(f"\n{margin}{rest}")
