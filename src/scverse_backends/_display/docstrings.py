"""Docstrings: the one place that adds to them.

Text is only ever inserted: what the host wrote stays, in its order. A
docstring without a Parameters section that numpydoc would find is left alone.
"""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING

from scverse_backends._ground.docstrings import (
    OTHER,
    PARAMETERS,
    Entry,
    Section,
    deeper,
    entries_end,
    first_header,
    next_header,
    parameter_spans,
    render,
    sections,
    spans,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scverse_backends._ground.docstrings import Span

_STARS = ("**", "\\*\\*")
_BEFORE_OTHER = (PARAMETERS, "Attributes", "Methods", "Returns", "Yields", "Receives")
"""The sections that numpydoc wants ahead of Other Parameters."""


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


def opening(doc: str | None, selector: str, labels: tuple[str, ...]) -> str | None:
    """Give a docstring as it is before any backend is known."""
    return add_selector(doc, selector_entry(selector, labels)) if doc and selector else doc


def add_selector(doc: str, entry: Entry) -> str:
    """Add the selector at the end of Parameters, as `merge` does; a host pays this at import."""
    indent, header = first_header(doc)
    if header is None or header[0] != PARAMETERS:
        return doc
    section = Section(PARAMETERS, indent, header[1], next_header(doc, indent, header[1])[1])
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
    found = [*sections(doc)]
    if not found or found[0].title != PARAMETERS:
        return doc
    documented = [*parameter_spans(doc, found)]
    taken = {name for span in documented for name in span.names}
    added = [*_notes(doc, documented, found[0].indent, notes or {})]
    if selector and selector.name not in taken:
        added.append(_last_place(doc, found[0], selector))
    wanted = [option for option in options if option.name not in taken]
    if wanted:
        added.append(_other_place(doc, found, wanted))
    return _insert(doc, added)


def _last_place(doc: str, section: Section, entry: Entry) -> tuple[int, str]:
    """Place an entry last in a section, but for ``**kwargs``, as the signature has it."""
    end, text = entries_end(doc, section), render(entry, section.indent)
    if doc.find("*", section.body, end) >= 0:
        last = max((span.start for span in spans(doc, section)), default=-1)
        if last >= 0 and doc.startswith(_STARS, last + len(section.indent)):
            return last, text[1:] + "\n"
    return end, text


def _other_place(doc: str, found: Sequence[Section], options: Sequence[Entry]) -> tuple[int, str]:
    """Place entries in Other Parameters, which is made where numpydoc wants it."""
    indent = found[0].indent
    entries = "".join(render(option, indent) for option in options)
    for section in found:
        if section.title == OTHER:
            return entries_end(doc, section), entries
    before = [section for section in found if section.title in _BEFORE_OTHER][-1]
    end = entries_end(doc, before) if before is found[0] else len(doc[: before.end].rstrip())
    return end, f"\n\n{indent}{OTHER}\n{indent}{'-' * len(OTHER)}{entries}"


def _notes(
    doc: str, documented: Sequence[Span], indent: str, notes: Mapping[str, Sequence[str]]
) -> Iterator[tuple[int, str]]:
    """Place each note as a paragraph of its own at the end of its parameter's entry."""
    for span in documented:
        said = doc[span.start : span.end]
        wanted = [note for name in span.names for note in notes.get(name, ()) if note not in said]
        if wanted:
            gap = "\n" if span.body < span.end else ""
            yield span.end, gap + "".join(f"\n{deeper(indent)}{note}" for note in wanted)


def _insert(doc: str, added: Sequence[tuple[int, str]]) -> str:
    """Insert texts, each at its place in the original, in the given order where it is the same."""
    pieces: list[str] = []
    done = 0
    for place, text in sorted(added, key=itemgetter(0)):
        pieces += (doc[done:place], text)
        done = place
    return "".join((*pieces, doc[done:]))
