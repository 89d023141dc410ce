"""The stand-in: an object that looks as the adapter would, made from its manifest.

It has the adapter's name, aliases and renames, and under each dispatch name a
callable with the signature and the documentation of the implementation, which
does nothing: whoever wants to run something loads the adapter.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from scverse_backends._docstrings import PARAMETERS
from scverse_backends._once import once

from ._reading import outlines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from inspect import Signature

    from ._outlines import Outline
    from ._record import Manifest, Offer


class Described:
    """Shows one function of a manifest."""

    def __init__(self, offer: Offer, outline: Outline | None) -> None:
        self.offer = offer
        self.outline = outline
        self.__doc__ = documentation(offer)

    @property
    def __signature__(self) -> Signature:
        return _signature(self.outline)

    def __repr__(self) -> str:
        return f"<{self.offer.kind} of a manifest: {self.offer.signature}>"

    # Only ever looked at: whoever runs something loads the adapter.
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


class DescribedCoroutine(Described):
    """Shows one coroutine function of a manifest."""

    async def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


class _DescribedClass(type):
    """The class of what shows a class of a manifest."""

    outline: Outline | None

    @property
    def __signature__(cls) -> Signature:
        return _signature(cls.outline)


class StandIn:
    """Looks as the adapter would; what it offers is made when it is first asked for.

    Attributes
    ----------
    __scverse_offers__
        What it offers, for whoever needs no object that looks like it.
    """

    can_run = None

    def __init__(self, manifest: Manifest) -> None:
        self.name = manifest.name
        self.aliases = manifest.aliases
        self.renames = manifest.renames
        self.__all__ = frozenset(manifest.offers)
        read = outlines(manifest)
        self.__scverse_offers__: Mapping[str, tuple[Offer, Outline | None]] = {
            name: (offer, read[name]) for name, offer in manifest.offers.items()
        }

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._namespace, name)

    @once
    def _namespace(self) -> SimpleNamespace:
        root = SimpleNamespace()
        # A namespace comes before what is in it.
        for name, (offer, outline) in sorted(self.__scverse_offers__.items()):
            *path, last = name.split(".")
            home = root
            for part in path:
                if not hasattr(home, part):
                    setattr(home, part, SimpleNamespace())
                home = getattr(home, part)
            setattr(home, last, _described(last, offer, outline))
        return root


def stand_in(manifest: Manifest) -> StandIn:
    """Make what stands in for the adapter of a manifest.

    Raises
    ------
    ManifestError
        If one of its signatures is none.
    """
    return StandIn(manifest)


def _described(name: str, offer: Offer, outline: Outline | None) -> Any:
    if offer.kind == "class":
        return _DescribedClass(name, (), {"outline": outline, "__doc__": documentation(offer)})
    return (DescribedCoroutine if offer.coroutine else Described)(offer, outline)


def documentation(offer: Offer) -> str | None:
    """Write what a manifest says of a function as the docstring of that function."""
    if not offer.parameters:
        return None
    return f"{PARAMETERS}\n{'-' * len(PARAMETERS)}\n{offer.parameters}\n"


def _signature(outline: Outline | None) -> Signature:
    if outline is None:
        msg = "its manifest gives none"
        raise ValueError(msg)
    return outline.signature()
