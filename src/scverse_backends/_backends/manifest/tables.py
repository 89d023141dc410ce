"""Tables: what a manifest offers, read fast where it is written as this library writes it.

A parser of all of TOML takes most of the time that reading a manifest takes.
What `dumps` writes is a small part of that language, of which a regular
expression reads the same. Anything else is left to the parser.
"""

from __future__ import annotations

import re

from .record import KINDS, Offer

_ON_LINE = r"[^'\x00-\x08\x0a-\x1f\x7f]*+"
_ON_LINES = r"[^'\x00-\x08\x0b-\x1f\x7f]*+"
_TABLE = re.compile(
    rf"""
    \n\[(functions|classes)\.(?:([A-Za-z0-9_-]++)|"([^"\\\x00-\x1f\x7f]++)")\]\n
    (?:signature\ =\ (?:'({_ON_LINE})'|'''({_ON_LINE}(?:'(?!''){_ON_LINE})*+)''')\n)?+
    (coroutine\ =\ true\n)?+
    (?:parameters\ =\ '''\n({_ON_LINES}(?:'(?!''){_ON_LINES})*+)'''\n)?+
    """,
    re.VERBOSE,
)


def split(text: str) -> tuple[str, dict[str, Offer]] | None:
    """Split a manifest into its head and what it offers.

    Returns
    -------
    TOML that is not read yet, which has to be all of it that stands before the
    tables, and the tables; ``None`` if they are written in another way.
    """
    tables = [*_TABLE.finditer(text)]
    if not tables:
        return None
    starts, ends = zip(*(table.span() for table in tables), strict=True)
    if (*ends,) != (*starts[1:], len(text)):
        return None
    offers = dict(map(_offer, tables))
    return (text[: starts[0]], offers) if len(offers) == len(tables) else None


def _offer(table: re.Match[str]) -> tuple[str, Offer]:
    kind, bare, quoted, line, tripled, coroutine, parameters = table.groups()
    signature = tripled if line is None else line
    documented = parameters.strip("\n") if parameters else ""
    return bare or quoted, Offer(KINDS[kind], signature, coroutine is not None, documented)
