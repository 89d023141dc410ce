"""The public face of a decorated function: what it shows from decoration on, worked out on a look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scverse_backends._ground.once import once

from .docstrings import opening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from inspect import Signature

    from scverse_backends._routing.functions import Dispatch

    from .presentation import Presentation


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
        from .signatures import Shown

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


class Public:
    """What one decorated function shows, kept for as long as it is decorated."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch

    @once
    def presentation(self) -> Presentation:
        """Make what users see of the function, when somebody looks or selects a backend."""
        from .presentation import Presentation

        return Presentation(self._dispatch)

    def signature(self) -> Signature:
        """Give the signature that users see, as it is now."""
        return self.presentation.signature()

    def learn(self, routes: Iterable[object]) -> None:
        """Take in the routes to implementations."""
        self.presentation.learn(routes)


def show(public: Callable[..., Any], dispatch: Dispatch) -> Public:
    """Let a public function show what its users may give it, now and as backends become known."""
    shown = Public(dispatch)
    trusted = dispatch.selector.configuration.trusted_names
    public.__doc__ = opening(public.__doc__, dispatch.function.selector, trusted)
    signature = PublicSignature(shown.signature)
    setattr(public, "__signature__", signature)  # noqa: B010 - typed as a plain callable
    dispatch.watchers.append(shown.learn)
    return shown
