"""The stand-in: an object that looks as the adapter would, made from its manifest.

It has the adapter's name, aliases and renames, and under each dispatch name a
callable with the signature and the documentation of the implementation, which
does nothing: whoever wants to run something loads the adapter.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.callables import once
from scverse_backends._ground.docstrings import PARAMETERS

from .reading import outlines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from inspect import Signature

    from .outlines import Outline
    from .record import Manifest, Offer


class Described:
    # Shows one function of a manifest; its documentation is that function's.

    __slots__ = ("offer", "outline")

    def __init__(self, offer: Offer, outline: Outline | None) -> None:
        self.offer = offer
        self.outline = outline

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return _documentation(self.offer)

    @property
    def __signature__(self) -> Signature:
        return _signature(self.outline)

    def __repr__(self) -> str:
        return f"<{self.offer.kind} of a manifest: {self.offer.signature}>"

    # Only ever looked at: whoever runs something loads the adapter.
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


class DescribedCoroutine(Described):
    # Shows one coroutine function of a manifest.

    __slots__ = ()
    __doc__ = Described.__doc__  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]

    async def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


class _DescribedClass(type):
    """The class of what shows a class of a manifest."""

    outline: Outline | None

    @property
    def __signature__(cls) -> Signature:
        return _signature(cls.outline)


class StandIn:
    """Looks as the adapter would; what it offers is made when it is first asked for."""

    can_run = None

    def __init__(self, manifest: Manifest, parts: Mapping[str, Outline | None]) -> None:
        self.name = manifest.name
        self.aliases = manifest.aliases
        self.renames = manifest.renames
        self.__all__ = frozenset(manifest.offers)
        self._offers = manifest.offers
        self._outlines = parts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._namespace, name)

    @once
    def _namespace(self) -> SimpleNamespace:
        root = SimpleNamespace()
        # A namespace comes before what is in it.
        for name, offer in sorted(self._offers.items()):
            *path, last = name.split(".")
            home = root
            for part in path:
                if not hasattr(home, part):
                    setattr(home, part, SimpleNamespace())
                home = getattr(home, part)
            setattr(home, last, _described(last, offer, self._outlines[name]))
        return root


def stand_in(manifest: Manifest) -> tuple[StandIn, dict[str, Described | None]]:
    """Make what stands in for the adapter of a manifest.

    Returns
    -------
    The stand-in, and by dispatch name what stands in for each plain function
    that has a signature; ``None`` for anything else, which is more work.

    Raises
    ------
    ManifestError
        If one of its signatures is none.
    """
    read = outlines(manifest)
    described = {
        name: Described(offer, read[name]) if _is_plain(offer) else None
        for name, offer in manifest.offers.items()
    }
    return StandIn(manifest, read), described


def _is_plain(offer: Offer) -> bool:
    return offer.kind == "function" and offer.signature is not None and not offer.coroutine


def _described(name: str, offer: Offer, outline: Outline | None) -> Any:
    if offer.kind == "class":
        return _DescribedClass(name, (), {"outline": outline, "__doc__": _documentation(offer)})
    return (DescribedCoroutine if offer.coroutine else Described)(offer, outline)


def _documentation(offer: Offer) -> str | None:
    """Write what a manifest says of a function as the docstring of that function."""
    if not offer.parameters:
        return None
    return f"{PARAMETERS}\n{'-' * len(PARAMETERS)}\n{offer.parameters}\n"


def _signature(outline: Outline | None) -> Signature:
    if outline is None:
        msg = "its manifest gives none"
        raise ValueError(msg)
    return outline.signature()
