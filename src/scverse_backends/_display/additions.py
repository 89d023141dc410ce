"""Additions: what implementations make of one host function, as its users are to see it.

They are worked out parameter by parameter. Backends share most of those, and a
manifest tells which by its pieces: what was worked out for a piece holds for
every backend that has it.
"""

from __future__ import annotations

import inspect
from inspect import Parameter
from typing import TYPE_CHECKING, NamedTuple

from scverse_backends._ground.safe_repr import short_repr
from scverse_backends._routing.aims import Aims

from .signatures import objection, offered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scverse_backends._backends.manifest.outlines import Outline, Piece
    from scverse_backends._routing.host import HostFunction
    from scverse_backends._routing.routes import Route

_NAMED = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


class Addition(NamedTuple):
    """What one parameter of an implementation makes of a host function; one of these is there."""

    option: Parameter | None = None
    """What the host has not, as a caller may give it."""
    hidden: tuple[str, str] | None = None
    """An option that is not shown, and why."""
    default: tuple[str, str] | None = None
    """A parameter of the host that has another default, and this default."""


class View:
    """How implementations look from one host function."""

    def __init__(self, function: HostFunction) -> None:
        self.host = inspect.signature(function.func)
        self._function = function
        self._met = _Met(self, function.aims)

    def of_route(self, route: Route) -> list[Addition]:
        """Tell what the implementation at the end of a route adds."""
        return [*filter(None, (self.addition(route.aims, p) for p in route.parameters.own))]

    def of_outline(self, outline: Outline, renames: Mapping[str, str]) -> list[Addition]:
        """Tell what the implementation adds that a manifest describes."""
        met = _Met(self, Aims(self._function.parameters, renames)) if renames else self._met
        return [addition for piece in outline.pieces if (addition := met[piece])]

    def addition(self, aims: Aims, parameter: Parameter) -> Addition | None:
        """Tell what one parameter adds, if it does."""
        name, default = parameter.name, parameter.default
        if parameter.kind not in _NAMED:
            return None
        if aims.is_option(name):
            why = objection(name, self.host, self._function.selector)
            return Addition(hidden=(name, why)) if why else Addition(offered(parameter))
        if default is Parameter.empty or self._function.host_defaults:
            return None
        ours = aims.differing(name, default)
        return Addition(default=(ours, short_repr(default))) if ours else None


class _Met(dict["Piece", Addition | None]):
    """What each piece adds, worked out when it is first met."""

    def __init__(self, view: View, aims: Aims) -> None:
        self._view = view
        self._aims = aims

    def __missing__(self, piece: Piece) -> Addition | None:
        found = self[piece] = self._view.addition(self._aims, piece.parameter)
        return found
