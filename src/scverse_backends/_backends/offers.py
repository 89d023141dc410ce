"""Offers: what a loaded adapter offers, as its manifest should say it."""

from __future__ import annotations

import inspect
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.code import gives_coroutine
from scverse_backends._ground.docstrings import read, written

from .facts import ABOUT_ITSELF
from .loading import ABSENT, describe, fetch, import_reference
from .manifest import outlines, signature_text
from .manifest.record import Manifest, Offer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from inspect import Signature

    from scverse_backends._ground.records import LoadedBackend

_DEEPEST = 5  # namespaces in one another; dispatch names have two parts


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
    signature = _signature(implementation)
    return Offer(
        kind="class" if inspect.isclass(implementation) else "function",
        signature=_written(signature),
        coroutine=gives_coroutine(implementation),
        parameters=_parameters(implementation, signature),
    )


def disagreement(said: Offer | None, found: Any) -> str | None:
    """Tell what a manifest has for one function that is not so, for those who call it.

    What annotations and documentation say changes no call, and is left to
    whoever keeps the manifest.
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


def _weight(default: Any) -> object:
    """Compare literals by what they are; of others, only that there is one."""
    if default is inspect.Parameter.empty:
        return "required"
    opaque = isinstance(default, outlines.Opaque)
    return "opaque" if opaque else (type(default), repr(default))


def _signature(implementation: Any) -> Signature | None:
    try:
        return inspect.signature(implementation)
    except Exception:  # noqa: BLE001 - a foreign __signature__ may raise anything
        return None


def _written(signature: Signature | None) -> str | None:
    try:
        return None if signature is None else signature_text.write(signature)
    except ValueError:
        return None


def _parameters(implementation: Any, signature: Signature | None) -> str:
    """Write what its docstring says of the parameters that it has."""
    try:
        documented = read(implementation.__doc__)
    except Exception:  # noqa: BLE001 - a foreign object may raise anything
        return ""
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
            inner = _attribute(namespace, name)
            if len(within) < _DEEPEST and _is_namespace(inner, package, within, listed=listed):
                pending.append((f"{prefix}{name}.", inner, within))


def _fetch(adapter: Any, name: str, *, listed: bool) -> Any:
    """Fetch what is offered; what is only there may fail without harm."""
    try:
        return fetch(adapter, name)
    except Exception:
        if listed:
            raise
        return ABSENT


def _attribute(namespace: Any, name: str) -> Any:
    try:
        return getattr(namespace, name, None)
    except Exception:  # noqa: BLE001 - a property of the adapter may raise anything
        return None


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
