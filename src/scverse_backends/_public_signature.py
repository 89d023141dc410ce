"""The public signature: what users see of a function's parameters, worked out when they look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from inspect import Signature


class PublicSignature:
    """Passes for the `inspect.Signature` that a function gives whenever it is asked.

    `functools.wraps` copies ``__signature__`` by reference, so a decorator
    applied outside ours shows what this object shows, also after a change. It
    is no subclass, because then every host would import `inspect`.
    """

    __slots__ = ("_resolved",)

    def __init__(self, resolved: Callable[[], Signature]) -> None:
        self._resolved = resolved

    @property  # type: ignore[misc] # nobody sets it
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] # as above
        from ._signatures import Shown

        return Shown

    def __getattr__(self, name: str) -> Any:
        return getattr(self._resolved(), name)

    def __eq__(self, other: object) -> bool:
        return self._resolved() == other

    def __hash__(self) -> int:
        return hash(self._resolved())

    def __repr__(self) -> str:
        return repr(self._resolved())

    def __str__(self) -> str:
        return str(self._resolved())

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._resolved().__reduce_ex__(protocol)
