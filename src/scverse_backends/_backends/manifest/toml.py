"""TOML: writing a manifest, in the few forms of the language that it takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from .record import KINDS, SCHEMA, Manifest, Offer

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f]')
_NOT_LITERAL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_HALVES = re.compile(r"[\ud800-\udfff]")
"""Halves of a character, for which a file has no bytes."""


def dumps(manifest: Manifest) -> str:
    """Write a manifest; the same one is always written the same way."""
    text = "\n".join([*_head(manifest), *_tables(manifest)]) + "\n"
    return _HALVES.sub("\ufffd", text)


def _head(manifest: Manifest) -> Iterator[str]:
    yield "# What this backend offers, for whoever must not import it to know."
    if manifest.adapter and manifest.adapter.isascii() and manifest.adapter.isprintable():
        yield f"# Written by: scverse-backends manifest write {manifest.adapter}"
    yield f"schema = {SCHEMA}"
    if manifest.adapter is not None:
        yield f"adapter = {_string(manifest.adapter)}"
    yield f"name = {_string(manifest.name)}"
    yield f"aliases = [{', '.join(map(_string, manifest.aliases))}]"
    yield f"offers = {len(manifest.offers)}"


def _tables(manifest: Manifest) -> Iterator[str]:
    for function, pairs in sorted(manifest.renames.items()):
        yield from _table("renames", function, _pairs(pairs))
    for table, kind in KINDS.items():
        for name, offer in sorted(manifest.offers.items()):
            if offer.kind == kind:
                yield from _table(table, name, _offer(offer))


def _table(kind: str, name: str, lines: Iterable[str]) -> list[str]:
    return ["", f"[{kind}.{_key(name)}]", *lines]


def _pairs(pairs: Mapping[str, str]) -> Iterator[str]:
    for name, target in sorted(pairs.items()):
        yield f"{_key(name)} = {_string(target)}"


def _offer(offer: Offer) -> Iterator[str]:
    if offer.signature is not None:
        yield f"signature = {_string(offer.signature)}"
    if offer.coroutine:
        yield "coroutine = true"
    if offer.parameters:
        yield f"parameters = {_text(offer.parameters)}"


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _escaped(name)


def _string(text: str) -> str:
    """Write a string on one line; one without escapes is read, by people too, much faster."""
    if "\n" in text or _NOT_LITERAL.search(text):
        return _escaped(text)
    if "'" not in text:
        return f"'{text}'"
    return f"'''{text}'''" if _may_be_tripled(text) else _escaped(text)


def _text(text: str) -> str:
    """Write text of several lines as it is, if it can be."""
    if _NOT_LITERAL.search(text) or not _may_be_tripled(text):
        return _escaped(text)
    return f"'''\n{text}\n'''"


def _may_be_tripled(text: str) -> bool:
    return "'''" not in text and not text.startswith("'") and not text.endswith("'")


def _escaped(text: str) -> str:
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
