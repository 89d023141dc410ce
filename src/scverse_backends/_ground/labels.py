"""Labels: what they may look like, when two are the same, which one was meant."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

CPU = "cpu"
"""The label that always means the host's own code."""

RESERVED = {
    CPU: "It always means the host's own code.",
    "auto": "Name the backend you want; none is chosen for you.",
}
"""Labels that no backend may claim, each with what to know about it."""

LONGEST = 128

_GRAMMAR = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?", re.ASCII)
_SEPARATORS = re.compile(r"[-_.]+")


@lru_cache(maxsize=1024)
def key(label: str) -> str:
    """Fold a label so that spellings which mean the same compare equal (PEP 503)."""
    folded = _SEPARATORS.sub("-", label)
    # Names are ASCII: a letter outside of it, such as the KELVIN SIGN, has no lower case here.
    return folded.lower() if folded.isascii() else folded


def fault(label: object) -> str | None:
    """Say what keeps a value from being a label, or ``None`` if nothing does."""
    if not isinstance(label, str):
        return f"a label is a string, not {type(label).__name__}"
    if len(label) > LONGEST:
        return f"a label has at most {LONGEST} characters, not {len(label)}"
    if not _GRAMMAR.fullmatch(label):
        return (
            f"{label!r} is no label: use ASCII letters, digits, '.', '_' and '-', "
            "begin with a letter or digit and do not end with '.' or '-'"
        )
    return None


def closest(label: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Find the known label that was most likely meant, if one is as like it as this."""
    # Imported here: only a mistake needs it, and the import is slow.
    import difflib

    by_key = {key(name): name for name in known}
    found = difflib.get_close_matches(key(label[:LONGEST]), by_key, cutoff=likeness)
    return by_key[found[0]] if found else None


def quoted(names: Iterable[str]) -> str:
    """List names for a sentence, each in quotes."""
    return ", ".join(repr(name) for name in names)
