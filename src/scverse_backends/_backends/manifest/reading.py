"""Reading: from the bytes of a file to a manifest, or to what is wrong with it."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from . import outlines as _outlines
from .record import KINDS, SCHEMA, Manifest, ManifestError, Offer
from .tables import split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .outlines import Outline
    from .record import Kind

_UNREADABLE = (ValueError, RecursionError)
_TYPES: dict[type, str] = {
    str: "a string",
    int: "an integer",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


def loads(data: bytes) -> Manifest:
    """Read a manifest, and check all of it.

    Raises
    ------
    ManifestError
        If it is none, or one of another schema.
    """
    manifest = parse(data)
    outlines(manifest)
    return manifest


def outlines(manifest: Manifest) -> dict[str, Outline | None]:
    """Read the signatures of everything that is offered; ``None`` where there is none.

    Raises
    ------
    ManifestError
        If one of them is no signature.
    """
    return {name: _outline(name, offer.signature) for name, offer in manifest.offers.items()}


def _outline(name: str, signature: str | None) -> Outline | None:
    try:
        return None if signature is None else _outlines.outline(signature)
    except ValueError as error:
        msg = f"is wrong about {name!r}: {error}"
        raise ManifestError(msg) from error


def parse(data: bytes) -> Manifest:
    """Read a manifest, but for its signatures, which stay text.

    Raises
    ------
    ManifestError
        If it is none, or one of another schema.
    """
    try:
        found, offers = _read(data.decode())
    except _UNREADABLE as error:
        msg = f"cannot be read: {error}"
        raise ManifestError(msg) from error
    schema = _value(found, "schema", int)
    if schema != SCHEMA:
        msg = f"has schema {schema!r}, and this release of scverse-backends reads schema {SCHEMA}"
        raise ManifestError(msg)
    offers = dict(_offers(found)) if offers is None else offers
    if _value(found, "offers", int, len(offers)) != len(offers):
        msg = f"should hold {found['offers']} functions and classes, and holds {len(offers)}"
        raise ManifestError(msg)
    return Manifest(
        adapter=_value(found, "adapter", str, None),
        name=_value(found, "name", str),
        aliases=tuple(_strings(found, "aliases")),
        renames={
            function: {name: _value(pairs, name, str) for name in pairs}
            for function, pairs in _tables(found, "renames")
        },
        offers=offers,
    )


def _read(text: str) -> tuple[dict[str, Any], dict[str, Offer] | None]:
    """Read the values of a manifest; what it offers may be among them, or apart."""
    parts = split(text)
    if parts:
        head, offers = parts
        # A head that is cut off in the midst of something cannot be read.
        with suppress(*_UNREADABLE):
            found = tomllib.loads(head)
            if KINDS.keys().isdisjoint(found):
                return found, offers
    return tomllib.loads(text), None


def _offers(found: dict[str, Any]) -> Iterator[tuple[str, Offer]]:
    for table, kind in KINDS.items():
        for name, entry in _tables(found, table):
            yield name, _offer(kind, entry)


def _offer(kind: Kind, entry: dict[str, Any]) -> Offer:
    return Offer(
        kind,
        signature=_value(entry, "signature", str, None),
        coroutine=_value(entry, "coroutine", bool, False),  # noqa: FBT003 - the default of a value
        parameters=_value(entry, "parameters", str, "").strip("\n"),
    )


def _tables(found: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    tables: dict[str, Any] = _value(found, name, dict, {})
    for key in tables:
        yield key, _value(tables, key, dict)


def _strings(found: dict[str, Any], name: str) -> list[str]:
    values: list[Any] = _value(found, name, list, [])
    if not all(isinstance(value, str) for value in values):
        msg = f"must hold strings in {name!r}, not {values!r}"
        raise ManifestError(msg)
    return values


def _value(found: dict[str, Any], name: str, kind: type, default: Any = ...) -> Any:
    """Take one value of a table, of one type; it must be there if it has no default."""
    value = found.get(name, default)
    if value is ...:
        msg = f"does not say {name!r}"
        raise ManifestError(msg)
    if value is not default and type(value) is not kind:
        msg = f"must say {_TYPES[kind]} for {name!r}, not {value!r}"
        raise ManifestError(msg)
    return value
