"""The stand-in: an object that looks as the adapter would, made from its manifest.

It has the adapter's name, aliases and renames, and under each dispatch name a
callable with the signature and the documentation of the implementation, which
does nothing: whoever wants to run something loads the adapter.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from scverse_backends._docstrings import PARAMETERS

from ._reading import signature_of

if TYPE_CHECKING:
    from inspect import Signature

    from ._record import Manifest, Offer


class Described:
    """Shows one function of a manifest."""

    def __init__(self, name: str, offer: Offer) -> None:
        self.offer = offer
        self.known = signature_of(name, offer)
        self.__doc__ = _documentation(offer)

    @property
    def __signature__(self) -> Signature:
        return _there(self.known)

    def __repr__(self) -> str:
        return f"<{self.offer.kind} of a manifest: {self.offer.signature}>"

    # Only ever looked at: whoever runs something loads the adapter.
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


class DescribedCoroutine(Described):
    """Shows one coroutine function of a manifest."""

    async def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


class _DescribedClass(type):
    """The class of what shows a class of a manifest."""

    known: Signature | None

    @property
    def __signature__(cls) -> Signature:
        return _there(cls.known)


def stand_in(manifest: Manifest) -> Any:
    """Make what stands in for the adapter of a manifest.

    Raises
    ------
    ManifestError
        If one of its signatures is none.
    """
    root = SimpleNamespace()
    # A namespace comes before what is in it.
    for name, offer in sorted(manifest.offers.items()):
        *path, last = name.split(".")
        home = root
        for part in path:
            if not hasattr(home, part):
                setattr(home, part, SimpleNamespace())
            home = getattr(home, part)
        setattr(home, last, _described(name, offer))
    root.__dict__.update(
        name=manifest.name,
        aliases=manifest.aliases,
        renames=manifest.renames,
        __all__=frozenset(manifest.offers),
    )
    return root


def _described(name: str, offer: Offer) -> Any:
    if offer.kind == "class":
        shown = {"known": signature_of(name, offer), "__doc__": _documentation(offer)}
        return _DescribedClass(name.rpartition(".")[2], (), shown)
    return (DescribedCoroutine if offer.coroutine else Described)(name, offer)


def _documentation(offer: Offer) -> str | None:
    if not offer.parameters:
        return None
    return f"{PARAMETERS}\n{'-' * len(PARAMETERS)}\n{offer.parameters}\n"


def _there(signature: Signature | None) -> Signature:
    if signature is None:
        msg = "its manifest gives none"
        raise ValueError(msg)
    return signature
