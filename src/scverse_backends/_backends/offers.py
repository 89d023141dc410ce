"""Offers: what a loaded adapter offers, and the manifest that says so, as TOML."""

from __future__ import annotations

import inspect
import json
import re
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.code import ANNOTATIONS_AS_TEXT, gives_coroutine, signature_of
from scverse_backends._ground.docstrings import read, written
from scverse_backends._ground.foreign import attempt

from . import signature_text
from .loading import ABSENT, describe, fetch, import_reference
from .manifest import KINDS, SCHEMA, Manifest, Offer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from inspect import Signature

    from scverse_backends._ground.records import LoadedBackend

ABOUT_ITSELF = ("name", "aliases", "renames", "can_run")
_DEEPEST = 5  # namespaces in one another; dispatch names have two parts

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_NOT_LITERAL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_HALVES = re.compile(r"[\ud800-\udfff]")
"""Halves of a character, for which a file has no bytes."""


def describe_adapter(reference: str) -> Manifest:
    """Import an adapter, and say what it offers.

    Parameters
    ----------
    reference
        As an entry point names it, ``package.module`` or ``package.module:attribute``.

    Raises
    ------
    AdapterError
        If it is no adapter, or does not have what it lists.
    Exception
        Whatever it raises when it is imported.
    """
    loaded = describe(import_reference(reference), None)
    package = reference.partition(":")[0].partition(".")[0]
    found = _implementations(loaded.adapter, package)
    return Manifest(
        adapter=reference,
        name=loaded.name,
        aliases=_in_order(loaded),
        renames=loaded.renames,
        offers={name: offer(implementation) for name, implementation in found},
    )


def _in_order(loaded: LoadedBackend) -> tuple[str, ...]:
    """List the aliases, always in the same order."""
    aliases = [*map(str, loaded.aliases)]
    is_set = isinstance(loaded.adapter.aliases, (set, frozenset)) if aliases else False
    return tuple(sorted(aliases) if is_set else aliases)


def offer(implementation: Any) -> Offer:
    """Describe one function or class."""
    signature = attempt(lambda: signature_of(implementation, ANNOTATIONS_AS_TEXT), lambda _: None)
    return Offer(
        kind="class" if inspect.isclass(implementation) else "function",
        signature=_written(signature),
        coroutine=gives_coroutine(implementation),
        parameters=_parameters(implementation, signature),
    )


def disagreement(said: Offer | None, found: Any) -> str | None:
    """Tell what a manifest has for one function that is not so, for those who call it.

    Annotations and documentation change no call: ``manifest check`` compares those.
    """
    if found is ABSENT or said is None:
        if said is not None:
            return f"has the signature {said.signature}, and the adapter nothing,"
        return (
            None if found is ABSENT else f"has nothing, and the adapter {offer(found).signature},"
        )
    now = offer(found)
    if now.kind != said.kind:
        return f"has a {said.kind}, and the adapter a {now.kind},"
    if now.coroutine != said.coroutine or _shape(now) != _shape(said):
        return f"has {_sketch(said)}, and the adapter {_sketch(now)},"
    return None


def _sketch(described: Offer) -> str:
    text = described.signature or "no signature"
    return f"async {text}" if described.coroutine else text


def _shape(described: Offer) -> list[tuple[Any, ...]] | None:
    """Take from a signature what calls depend on."""
    if described.signature is None:
        return None
    parameters = signature_text.read(described.signature).parameters.values()
    return [(p.name, p.kind, _weight(p.default)) for p in parameters]


def _weight(default: Any) -> str:
    """Compare literals by how they are written; of others, only that there is one."""
    if default is inspect.Parameter.empty:
        return "required"
    opaque = isinstance(default, signature_text.Opaque)
    return "opaque" if opaque else signature_text.default_text(default)


def _written(signature: Signature | None) -> str | None:
    try:
        return None if signature is None else signature_text.write(signature)
    except ValueError:
        return None


def _parameters(implementation: Any, signature: Signature | None) -> str:
    """Write what its docstring says of the parameters that it has."""
    documented = attempt(lambda: read(implementation.__doc__), lambda _: {})
    names = signature.parameters if signature else ()
    return written(entry for name, entry in documented.items() if name in names)


def _implementations(adapter: Any, package: str) -> Iterator[tuple[str, Any]]:
    """Walk an adapter's namespaces, as far as they are its own."""
    pending: list[tuple[str, Any, tuple[Any, ...]]] = [("", adapter, ())]
    while pending:
        prefix, namespace, outer = pending.pop()
        within = (*outer, namespace)
        for name, listed in _names(namespace):
            if not prefix and name in ABOUT_ITSELF:
                continue
            found = _fetch(adapter, prefix + name, listed=listed)
            if found is not ABSENT and callable(found):
                yield prefix + name, found
            inner = attempt(partial(getattr, namespace, name), lambda _: None)
            if len(within) < _DEEPEST and _is_namespace(inner, package, within, listed=listed):
                pending.append((f"{prefix}{name}.", inner, within))


def _fetch(adapter: Any, name: str, *, listed: bool) -> Any:
    """Fetch what is offered; what is only there may fail without harm."""

    def failed(error: BaseException) -> Any:
        if listed:
            raise error
        return ABSENT

    return attempt(lambda: fetch(adapter, name), failed)


def _names(namespace: Any) -> Iterator[tuple[str, bool]]:
    """Give the names that a namespace lists, or else those that are there."""
    listed = getattr(namespace, "__all__", None)
    if listed is not None:
        yield from ((name, True) for name in sorted(listed))
        return
    for name in dir(namespace):
        is_open = not inspect.isclass(namespace) or _is_shared(namespace, name)
        if is_open and not name.startswith("_"):
            yield name, False


def _is_shared(cls: type, name: str) -> bool:
    """Whether something can be called on a class, without an instance of it."""
    return isinstance(inspect.getattr_static(cls, name), (staticmethod, classmethod))


def _is_namespace(found: Any, package: str, outer: tuple[Any, ...], *, listed: bool) -> bool:
    """Whether to look for implementations inside: not in what others wrote, nor in a circle."""
    if any(found is one for one in outer):
        return False
    if isinstance(found, ModuleType):
        return listed or _is_within(found.__name__, package)
    if hasattr(found, "__all__") or isinstance(found, SimpleNamespace):
        return True
    kind = found if inspect.isclass(found) else type(found)
    return not inspect.isroutine(found) and _is_within(kind.__module__, package)


def _is_within(module: str, package: str) -> bool:
    return module.partition(".")[0] == package


def dumps(manifest: Manifest) -> str:
    """Write a manifest; the same one is always written the same way."""
    text = "\n".join([*_head(manifest), *_lines_of_tables(manifest)]) + "\n"
    return _HALVES.sub("\ufffd", text)


def _head(manifest: Manifest) -> Iterator[str]:
    yield "# What this backend offers. Hosts read it here and need not import the backend."
    if manifest.adapter and manifest.adapter.isascii() and manifest.adapter.isprintable():
        yield f"# Written by: scverse-backends manifest write {manifest.adapter}"
    yield f"schema = {SCHEMA}"
    if manifest.adapter is not None:
        yield f"adapter = {_string(manifest.adapter)}"
    yield f"name = {_string(manifest.name)}"
    yield f"aliases = [{', '.join(map(_string, manifest.aliases))}]"
    yield f"offers = {len(manifest.offers)}"


def _lines_of_tables(manifest: Manifest) -> Iterator[str]:
    for function, pairs in sorted(manifest.renames.items()):
        yield from _table("renames", function, _pairs(pairs))
    for table, kind in KINDS.items():
        for name, offered in sorted(manifest.offers.items()):
            if offered.kind == kind:
                yield from _table(table, name, _values(offered))


def _table(kind: str, name: str, lines: Iterable[str]) -> list[str]:
    return ["", f"[{kind}.{_key(name)}]", *lines]


def _pairs(pairs: Mapping[str, str]) -> Iterator[str]:
    for name, target in sorted(pairs.items()):
        yield f"{_key(name)} = {_string(target)}"


def _values(offered: Offer) -> Iterator[str]:
    if offered.signature is not None:
        yield f"signature = {_string(offered.signature)}"
    if offered.coroutine:
        yield "coroutine = true"
    if offered.parameters:
        yield f"parameters = {_lines(offered.parameters)}"


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _escaped(name)


def _string(text: str) -> str:
    """Write a string on one line, as it is if it can be."""
    is_plain = "'" not in text and "\n" not in text and not _NOT_LITERAL.search(text)
    return f"'{text}'" if is_plain else _escaped(text)


def _lines(text: str) -> str:
    """Write text of several lines as it is, if it can be."""
    is_plain = "'''" not in text and not _NOT_LITERAL.search(text)
    return f"'''\n{text}\n'''" if is_plain else _escaped(text)


def _escaped(text: str) -> str:
    """Write a string as JSON does; TOML takes the same, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
