"""The stand-in: an object that looks as the adapter would, made from its manifest.

It has the adapter's name, aliases and renames, and under each dispatch name a
callable with the signature and the documentation of the implementation, which
does nothing: to run something, the adapter is loaded.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.docstrings import PARAMETERS

from .manifest import signatures

if TYPE_CHECKING:
    from inspect import Signature
    from typing import NoReturn

    from .manifest import Manifest, Offer

_MOST_PARTS = 8  # of a dispatch name; known ones have three


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
    vars(adapter).update(
        name=manifest.name,
        aliases=manifest.aliases,
        renames=manifest.renames,
        can_run=None,
        __all__=frozenset(manifest.offers),
    )
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
