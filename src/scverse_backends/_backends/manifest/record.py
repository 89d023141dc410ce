"""The record: what a manifest says, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

SCHEMA = 1
"""The format that this release writes, and the only one that it reads."""

Kind = Literal["function", "class"]
KINDS: dict[str, Kind] = {"functions": "function", "classes": "class"}
"""What each table of a manifest holds."""


class ManifestError(Exception):
    """A manifest is not what a manifest must be; the text completes "its manifest ..."."""


class Offer(NamedTuple):
    """One function or class that an adapter offers.

    Parameters
    ----------
    kind
        What it is.
    signature
        As text; ``None`` where it has none that could be read.
    coroutine
        Whether calling it gives a coroutine.
    parameters
        The documentation of its parameters, as the body of a numpydoc section.
    """

    kind: Kind
    signature: str | None
    coroutine: bool = False
    parameters: str = ""


class Manifest(NamedTuple):
    """What an adapter says of itself, and what it offers by dispatch name."""

    adapter: str | None
    """The object reference it was written for, where the file says so."""
    name: str
    aliases: tuple[str, ...]
    renames: Mapping[str, Mapping[str, str]]
    offers: Mapping[str, Offer]
