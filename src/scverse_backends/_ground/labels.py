"""Labels: what they may look like, which are the same, and when what they mean changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from weakref import WeakMethod

SELECTOR_TYPE = Any
"""What a call's selector is said to take at run time: a label, a sequence of labels, or nothing.

Said exactly, FastAPI takes it for the body of a request and Typer refuses the whole function.
"""

ByFunction = Mapping[str, str | Sequence[str]]
"""What selects by function: from dispatch names, or patterns over them, to labels."""

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
def fold(label: str) -> str:
    """Fold a label so that spellings which mean the same compare equal (PEP 503)."""
    folded = _SEPARATORS.sub("-", label)
    # Names are ASCII: a letter outside of it, such as the KELVIN SIGN, has no lower case here.
    return folded.lower() if folded.isascii() else folded


def fault(label: object) -> str | None:
    """Say what keeps a value from being a label, or ``None`` if nothing does."""
    if label is None:
        return "a backend name must be a string; use 'cpu' for the host"
    if not isinstance(label, str):
        by_function = "; give use_backend what selects by function" * isinstance(label, dict)
        return f"a backend name must be a string, not {type(label).__name__}{by_function}"
    if len(label) > LONGEST:
        return f"a backend name has at most {LONGEST} characters, not {len(label)}"
    if "," in label:
        several = [part.strip() for part in label.split(",")]
        return f"{label!r} is not a valid backend name; write several as a list, {several}"
    if not _GRAMMAR.fullmatch(label):
        return (
            f"{label!r} is not a valid backend name: use ASCII letters, digits, '.', '_' and '-', "
            "begin with a letter or digit and do not end with '.' or '-'"
        )
    return None


def closest(label: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Find the known label that was most likely meant, if one is as like it as this."""
    # Imported here: only a mistake needs it, and the import is slow.
    import difflib

    by_key = {fold(name): name for name in known}
    found = difflib.get_close_matches(fold(label[:LONGEST]), by_key, cutoff=likeness)
    return by_key[found[0]] if found else None


def did_you_mean(meant: str | None) -> str:
    """Ask whether a name was meant, as the end of a sentence; empty if none is near."""
    return f"; did you mean {meant!r}?" if meant else ""


def quoted(names: Iterable[str]) -> str:
    """List names for a sentence, each in quotes."""
    return ", ".join(repr(name) for name in names)


class Changes:
    """When what one host's labels mean changes, and who must then forget what it derived.

    Attributes
    ----------
    generation
        Another object after every change; what was made under another one is stale.
    """

    def __init__(self) -> None:
        self.generation = object()
        self._watchers: dict[WeakMethod[Callable[[], None]], None] = {}

    def watch(self, forget: Callable[[], None]) -> None:
        """Call a method after every change, for as long as its object lives.

        A function that is decorated again, in a notebook's cell say, leaves nothing behind.
        """
        watchers = self._watchers
        watchers[WeakMethod(forget, lambda gone: watchers.pop(gone, None))] = None

    def __reduce__(self) -> tuple[type[Changes], tuple[()]]:
        """Go without those who watch; what cannot be copied says so itself."""
        return Changes, ()

    def happen(self) -> None:
        """Begin another generation."""
        self.generation = object()
        # Last, so that what is derived from the old generation cannot outlive it.
        for forget in filter(None, [watcher() for watcher in (*self._watchers,)]):
            forget()
