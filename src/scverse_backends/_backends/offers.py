"""Offers: what a loaded adapter offers, the manifest that says so, and what stands in for the adapter.

The stand-in is made from the manifest. It states the adapter's facts, and has under each
dispatch name a callable with the signature and the documentation of the implementation, which
does nothing: to run something, the adapter is loaded.
"""

from __future__ import annotations

import inspect
import re
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.callables import ANNOTATIONS_AS_TEXT, gives_coroutine, signature_of
from scverse_backends._ground.docstrings import PARAMETERS, read_parameters, write_entries
from scverse_backends._ground.records import ABSENT
from scverse_backends._ground.safe_repr import attempt

from .facts import ABOUT_ITSELF, FACTS, facts_as_held
from .loading import describe, exported, fetch, import_reference
from .manifest import KINDS, SCHEMA, Manifest, Offer, signatures, stated_facts
from .signature_text import literal_text, read_signature, value_text, write_signature

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from inspect import Signature
    from typing import NoReturn

_DEEPEST = 5  # namespaces in one another; dispatch names have two parts

_MOST_PARTS = 8  # of a dispatch name; known ones have three

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
        If it is not an adapter, or does not have what it lists.
    Exception
        Whatever it raises when it is imported.
    """
    loaded = describe(import_reference(reference), None)
    package = reference.partition(":")[0].partition(".")[0]
    found = _implementations(loaded.adapter, package)
    return Manifest(
        adapter=reference,
        facts=facts_as_held(loaded, value_text),
        offers={name: offer(implementation) for name, implementation in found},
    )


def offer(implementation: Any) -> Offer:
    """Describe one function or class."""
    signature = attempt(partial(_signature, implementation), lambda _: None)
    return Offer(
        kind="class" if inspect.isclass(implementation) else "function",
        signature=signature,
        coroutine=gives_coroutine(implementation),
        parameters=_parameters(implementation, signature) if signature else "",
    )


def _signature(implementation: Any) -> str:
    return write_signature(signature_of(implementation, ANNOTATIONS_AS_TEXT))


def _parameters(implementation: Any, signature: str) -> str:
    """Write what its docstring says of the parameters that it has."""
    documented = attempt(lambda: read_parameters(implementation.__doc__), lambda _: {})
    names = read_signature(signature).parameters
    return write_entries(entry for name, entry in documented.items() if name in names)


def disagreement(said: Offer | None, found: Any) -> str | None:
    """Tell where a manifest and its adapter differ about one function, if calls depend on it.

    Annotations and documentation change no call: ``manifest check`` compares those.
    """
    now = None if found is ABSENT else offer(found)
    if _as_called(said) == _as_called(now):
        return None
    return f"has {_sketch(said)}, and the adapter {_sketch(now)},"


def _sketch(described: Offer | None) -> str:
    if described is None:
        return "nothing"
    marks = ("class " if described.kind == "class" else "", "async " if described.coroutine else "")
    return f"{''.join(marks)}{described.signature or 'no signature'}"


def _as_called(described: Offer | None) -> tuple[Any, ...] | None:
    """Take from an offer what calls depend on."""
    if described is None or described.signature is None:
        return described and described[:3]
    parameters = read_signature(described.signature).parameters.values()
    shape = [(p.name, p.kind, _weight(p.default)) for p in parameters]
    return described.kind, shape, described.coroutine


def _weight(default: Any) -> str:
    """Compare literals by how they are written; of others, only that there is one."""
    return "required" if default is inspect.Parameter.empty else literal_text(default)


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
    listed = exported(namespace)
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
    """Whether to look for implementations inside: not in other people's, and not in a circle."""
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
    text = "\n".join([*_head(manifest), *_tables(manifest)]) + "\n"
    return _HALVES.sub("\ufffd", text)


def _head(manifest: Manifest) -> Iterator[str]:
    yield "# What this backend offers. Hosts read it here and need not import the backend."
    if manifest.adapter and manifest.adapter.isascii() and manifest.adapter.isprintable():
        yield f"# Written by: scverse-backends manifest write {manifest.adapter}"
    yield f"schema = {SCHEMA}"
    if manifest.adapter is not None:
        yield f"adapter = {_string(manifest.adapter)}"
    for name, held in _held(manifest, tables=False):
        yield f"{name} = {_plain(held)}"
    yield f"offers = {len(_in_order(manifest.offers))}"


def _tables(manifest: Manifest) -> Iterator[str]:
    for table, held in _held(manifest, tables=True):
        for function, pairs in _in_order(held):
            yield f"\n[{table}.{_key(function)}]"
            yield from (f"{_key(name)} = {_string(text)}" for name, text in _in_order(pairs))
    for table, kind in KINDS.items():
        for name, offered in _in_order(manifest.offers):
            if offered.kind == kind:
                yield f"\n[{table}.{_key(name)}]"
                yield from _values(offered)


def _held(manifest: Manifest, *, tables: bool) -> Iterator[tuple[str, Any]]:
    """Give the facts of a manifest in their order, those that are tables or the others."""
    for fact in FACTS:
        if fact.name in manifest.facts and (fact.held_as is dict) is tables:
            yield fact.name, manifest.facts[fact.name]


def _in_order(table: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Sort a table by its keys as they are written, each once."""
    return sorted({_HALVES.sub("\ufffd", key): value for key, value in table.items()}.items())


def _values(offered: Offer) -> Iterator[str]:
    if offered.signature is not None:
        yield f"signature = {_string(offered.signature)}"
    if offered.coroutine:
        yield "coroutine = true"
    if offered.parameters:
        yield f"parameters = {_lines(offered.parameters)}"


def _plain(held: Any) -> str:
    """Write what is not a table, on one line."""
    if isinstance(held, list):
        return f"[{', '.join(map(_string, held))}]"
    return _string(held) if isinstance(held, str) else _escaped(held)


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


def _escaped(value: Any) -> str:
    """Write a value as JSON does; TOML takes the same, but for one character."""
    import json  # here, because what is only read needs it not

    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


class _Missing:
    """Stands where a signature would be; an instance's own signature comes before it."""

    def __get__(self, instance: object, owner: type) -> NoReturn:
        msg = "its manifest gives none"
        raise ValueError(msg)


class Described:
    # Shows one function of a manifest; its documentation is that function's.

    __signature__: Any = _Missing()

    def __init__(self, offer: Offer, signature: Signature | None) -> None:
        self.__doc__ = _documentation(offer)
        if signature is not None:
            self.__signature__ = signature

    def __repr__(self) -> str:
        return "<function that a manifest describes>"

    # Only ever looked at: to run something, the adapter is loaded.
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


class DescribedCoroutine(Described):
    # Shows one coroutine function of a manifest.

    async def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


def stand_in(manifest: Manifest) -> tuple[SimpleNamespace, dict[str, Described | None]]:
    """Make what stands in for the adapter of a manifest.

    Returns
    -------
    The stand-in, and by dispatch name what it has for each plain function that
    has a signature; ``None`` for anything else, which is more work.

    Raises
    ------
    ManifestError
        If one of its signatures is not a signature.
    """
    read = signatures(manifest)
    described = {
        name: _described(name, offer, read[name])
        for name, offer in sorted(manifest.offers.items())  # a namespace before what is in it
        if _is_dispatch_name(name)
    }
    adapter = SimpleNamespace()
    for name, found in described.items():
        _put(adapter, name, found)
    vars(adapter).update(stated_facts(manifest), __all__=frozenset(manifest.offers))
    plain = {
        name: found if type(found) is Described and read[name] else None
        for name, found in described.items()
    }
    return adapter, plain


def _is_dispatch_name(name: str) -> bool:
    """Whether a host's function may have this name; Python's own attributes stay as they are."""
    parts = name.split(".", _MOST_PARTS)
    return all(part.isidentifier() and not part.startswith("__") for part in parts)


def _put(adapter: SimpleNamespace, name: str, found: Any) -> None:
    *path, last = name.split(".")
    home: Any = adapter
    for part in path:
        if not hasattr(home, part):
            setattr(home, part, SimpleNamespace())
        home = getattr(home, part)
    setattr(home, last, found)


def _described(name: str, offer: Offer, signature: Signature | None) -> Any:
    if offer.kind == "function":
        return (DescribedCoroutine if offer.coroutine else Described)(offer, signature)
    shown = {"__doc__": _documentation(offer), "__signature__": signature or _Missing()}
    return type(name.rpartition(".")[2], (), shown)


def _documentation(offer: Offer) -> str | None:
    """Write what a manifest says of a function as the docstring of that function."""
    if not offer.parameters:
        return None
    return f"{PARAMETERS}\n{'-' * len(PARAMETERS)}\n{offer.parameters}\n"
