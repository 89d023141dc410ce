"""The manifest: what a backend offers, in a file that is read without importing the backend.

It lies beside the adapter's module and has its name: ``pkg/sub/adapter.toml``
for ``pkg.sub.adapter``. It is found, and read, within a budget: whatever the
file says, that takes well under a tenth of a second.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import accumulate, chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from scverse_backends._ground.safe_repr import (
    attempt,
    describe_error,
    error_text,
    one_line,
    short_repr,
)

from .discovery import installed_file
from .facts import FACTS
from .signature_text import read_signature, read_value, size

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from inspect import Signature

    from scverse_backends._ground.records import Candidate

SCHEMA = 1
"""The format that this release writes, and the only one that it reads."""
SUFFIX = ".toml"

LARGEST = 256 * 2**10
"""Bytes in the largest manifest that is read."""
MOST_ESCAPES, MOST_STRUCTURE, MOST_WORDS = 5_000, 12_000, 20_000
"""Backslashes; characters outside of strings and comments; words and signs in all signatures."""
MOST_LINES = 10_000
MOST_ALIASES = 50
"""Each may be told of by a warning of its own."""

Kind = Literal["function", "class"]
KINDS: dict[str, Kind] = {"functions": "function", "classes": "class"}
"""What each table of a manifest holds."""

# A string or a comment. What begins as a string and does not end is taken to the end of the file.
_TEXT = re.compile(
    r"""
    \#[^\n]*+
    | '{3}(?:[^']++|''?(?!'))*+'{3,5}
    | "{3}(?:[^"\\]++|\\.|""?(?!"))*+"{3,5}
    | (?:'{3}|"{3}).*
    | '[^'\n]*+'
    | "(?:[^"\\\n]++|\\.)*+"
    | ['"].*
    """,
    re.VERBOSE | re.DOTALL,
)
_BRACKET = re.compile(r"[\[\]{}]")
_MOST_BRACKETS = 8  # in one another
_LONG_KEY = re.compile(r"(?:\.[^.,=\n]*+){5}")

_TYPES: dict[type, str] = {
    str: "a string",
    int: "an integer",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


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
    facts: Mapping[str, Any]
    """By name, what it states about itself, as the file holds it."""
    offers: Mapping[str, Offer]


def find(candidate: Candidate) -> bytes | None:
    """Read the file of a candidate's manifest; ``None`` if it ships none.

    Raises
    ------
    ManifestError
        If it is there and cannot be read.
    """
    module = candidate.module
    if not all(part.isidentifier() for part in module.split(".")):
        return None
    found = map(_content, _places(module, candidate.distribution))
    return next((data for data in found if data is not None), None)


def beside(module: str) -> Path | None:
    """Tell where the manifest of a module belongs, if that is in a folder."""
    name = module.rpartition(".")[2] + SUFFIX
    return next((Path(f, name) for f in _folders(module) if Path(f).is_dir()), None)


def _places(module: str, distribution: str | None) -> Iterator[Any]:
    """List where a manifest may be; a place is a path, or like one inside a zip file."""
    installed = installed_file(distribution, module.replace(".", "/") + SUFFIX)
    if installed is not None:
        yield installed
    # An editable install keeps its files elsewhere, where an import would find them.
    for folder in _folders(module):
        yield from _inside(Path(folder), module.rpartition(".")[2] + SUFFIX)


def _inside(folder: Path, name: str) -> Iterator[Any]:
    """Give the path of a file in a folder, which may be in a zip file."""
    yield folder / name
    for archive in () if folder.exists() else folder.parents:
        if archive.is_file():
            import zipfile

            with suppress(OSError, zipfile.BadZipFile):
                yield zipfile.Path(archive, (folder.relative_to(archive) / name).as_posix())


def _folders(module: str) -> list[str]:
    """Ask the import system for the folders that a module is in; no code of its package runs."""
    *packages, _ = module.split(".")
    if not packages:
        spec = _spec(module, None)
        # A module that is a package has a manifest beside its folder.
        origins = [] if spec is None else spec.submodule_search_locations or [spec.origin or ""]
        return [str(Path(origin).parent) for origin in origins if origin]
    folders: list[str] | None = None
    for end in range(1, len(packages) + 1):
        spec = _spec(".".join(packages[:end]), folders)
        if spec is None or spec.submodule_search_locations is None:
            return []
        folders = [*spec.submodule_search_locations]
    return folders or []


def _spec(name: str, path: list[str] | None) -> ModuleSpec | None:
    """Find a module as an import would, without importing the modules that it is in."""

    def ask(finder: Any) -> Any:
        return finder.find_spec(name, path)

    found = (attempt(partial(ask, finder), lambda _: None) for finder in [*sys.meta_path])
    return next((spec for spec in found if spec is not None), None)


def _content(place: Any) -> bytes | None:
    """Read a file, though no more than shows that it is too large."""

    def read() -> bytes | None:
        if not place.is_file():
            return None
        with place.open("rb") as file:
            data: bytes = file.read(LARGEST + 1)
        return data

    def failed(error: BaseException) -> bytes | None:
        msg = f"cannot be read: {describe_error(error)}"
        raise ManifestError(msg) from error

    return attempt(read, failed)


def loads(data: bytes) -> Manifest:
    """Read a manifest, and check all of it.

    Raises
    ------
    ManifestError
        If it is not a manifest, is of another schema, or says too much.
    """
    manifest = parse(data)
    signatures(manifest)
    stated_facts(manifest)
    return manifest


def signatures(manifest: Manifest) -> dict[str, Signature | None]:
    """Read the signatures of everything that is offered; ``None`` where there is none.

    Raises
    ------
    ManifestError
        If one of them is not a signature, or they are too long to be read.
    """
    texts = {name: offer.signature for name, offer in manifest.offers.items()}
    tables = [manifest.facts[fact.name].values() for fact in FACTS if fact.is_code]
    values = chain.from_iterable(given.values() for given in chain.from_iterable(tables))
    found = sum(size(text) for text in chain(texts.values(), values) if text)
    _check(found <= MOST_WORDS, f"has more than {MOST_WORDS} words and signs in its signatures")
    return {
        name: None if text is None else _read(name, text, read_signature)
        for name, text in texts.items()
    }


def stated_facts(manifest: Manifest) -> dict[str, Any]:
    """Read the facts as the adapter states them, where `signatures` are not too long.

    Raises
    ------
    ManifestError
        If one of them is not a value.
    """
    stated = {fact.name: fact.default for fact in FACTS} | dict(manifest.facts)
    for fact in FACTS:
        if fact.is_code:
            stated[fact.name] = {
                function: {name: _read(function, text, read_value) for name, text in given.items()}
                for function, given in stated[fact.name].items()
            }
    return stated


def _read(name: str, text: str, how: Callable[[str], Any]) -> Any:
    try:
        return how(text)
    except ValueError as error:
        msg = f"is wrong about {short_repr(name)}: {error}"
        raise ManifestError(msg) from error


def parse(data: bytes) -> Manifest:
    """Read a manifest, but for its signatures, which stay text.

    Raises
    ------
    ManifestError
        If it is not a manifest, is of another schema, or says too much.
    """
    _check(len(data) <= LARGEST, f"is larger than {LARGEST // 2**10} KiB")
    try:
        text = data.decode()
        _check_structure(text)
        found = tomllib.loads(text)
    except ValueError as error:
        msg = f"cannot be read: {one_line(error_text(error), 300)}"
        raise ManifestError(msg) from error
    schema = _value(found, "schema", int)
    reads = f"this release of scverse-backends reads schema {SCHEMA}"
    _check(schema == SCHEMA, f"has schema {short_repr(schema)}, and {reads}")
    offers = dict(_offers(found))
    promised = _value(found, "offers", int, len(offers))
    holds = f"should hold {short_repr(promised)} functions and classes, and holds {len(offers)}"
    _check(promised == len(offers), holds)
    return Manifest(
        adapter=_value(found, "adapter", str, None),
        facts=dict(_facts(found)),
        offers=offers,
    )


def _facts(found: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for fact in FACTS:
        if fact.held_as is dict:
            yield fact.name, _texts(found, fact.name)
        elif fact.held_as is list:
            yield fact.name, _strings(found, fact.name)
        elif fact.held_as:
            default = ... if fact.default is None else fact.default
            yield fact.name, _value(found, fact.name, fact.held_as, default)


def _check_structure(text: str) -> None:
    """Refuse what would take `tomllib` long: it needs more than linear time for some texts."""
    _check(text.count("\\") <= MOST_ESCAPES, f"has more than {MOST_ESCAPES} backslashes")
    structure = _TEXT.sub("_", text)
    limit = f"has more than {MOST_STRUCTURE} characters outside of its strings"
    _check(len(structure) <= MOST_STRUCTURE, limit)
    steps = (1 if bracket in "[{" else -1 for bracket in _BRACKET.findall(structure))
    _check(max(accumulate(steps), default=0) <= _MOST_BRACKETS, "nests its values too deep")
    _check(not _LONG_KEY.search(structure), "has a key of too many parts")
    _check(text.count("\n") <= MOST_LINES, f"has more than {MOST_LINES} lines")


def _offers(found: dict[str, Any]) -> Iterator[tuple[str, Offer]]:
    for table, kind in KINDS.items():
        for name, entry in _tables(found, table):
            yield (
                name,
                Offer(
                    kind,
                    signature=_value(entry, "signature", str, None),
                    coroutine=_value(entry, "coroutine", bool, default=False),
                    parameters=_value(entry, "parameters", str, "").strip("\n"),
                ),
            )


def _texts(found: dict[str, Any], table: str) -> dict[str, dict[str, str]]:
    return {
        function: {name: _value(pairs, name, str) for name in pairs}
        for function, pairs in _tables(found, table)
    }


def _tables(found: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    tables: dict[str, Any] = _value(found, name, dict, {})
    for key in tables:
        yield key, _value(tables, key, dict)


def _strings(found: dict[str, Any], name: str) -> list[str]:
    values: list[Any] = _value(found, name, list, [])
    _check(len(values) <= MOST_ALIASES, f"has more than {MOST_ALIASES} {name}")
    are_strings = all(isinstance(value, str) for value in values)
    _check(are_strings, f"must hold strings in {name!r}, not {short_repr(values)}")
    return values


def _value(found: dict[str, Any], name: str, kind: type, default: Any = ...) -> Any:
    """Take one value of a table, of one type; it must be there if it has no default."""
    value = found.get(name, default)
    if value is ...:
        msg = f"does not say {name!r}"
        raise ManifestError(msg)
    if value is not default and type(value) is not kind:
        msg = f"must say {_TYPES[kind]} for {short_repr(name)}, not {short_repr(value)}"
        raise ManifestError(msg)
    return value


def _check(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - what is checked comes first
    if not holds:
        raise ManifestError(otherwise)
