"""Additions: what implementations make of one host function, as its users are to see it.

They are worked out parameter by parameter. Backends share most of those, and a
manifest tells which by its pieces: what was worked out for a piece holds for
every backend that has it.
"""

from __future__ import annotations

import inspect
from inspect import Parameter
from typing import TYPE_CHECKING, NamedTuple

from ._aims import Aims
from ._docstrings import shown
from ._signatures import objection, offered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ._host import HostFunction
    from ._manifest._outlines import Outline, Piece
    from ._routing import Route

_NAMED = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


class Additions(NamedTuple):
    """What one implementation, or a parameter of one, makes of a host function."""

    options: tuple[Parameter, ...] = ()
    """As a caller may give them."""
    hidden: tuple[tuple[str, str], ...] = ()
    """Each option that is not shown, and why."""
    defaults: tuple[tuple[str, str], ...] = ()
    """Each of the host's parameters that has another default, and this default."""


_NOTHING = Additions()


class View:
    """How implementations look from one host function."""

    def __init__(self, function: HostFunction) -> None:
        self.host = inspect.signature(function.func)
        self._function = function
        self._met: dict[Piece, Additions] = {}

    def of_route(self, route: Route) -> Additions:
        """Tell what the implementation at the end of a route adds."""
        return _together([self._added(route.aims, p) for p in route.parameters.own])

    def of_outline(self, outline: Outline, renames: Mapping[str, str]) -> Additions:
        """Tell what the implementation adds that a manifest describes."""
        met = {} if renames else self._met
        aims = Aims(self._function.parameters, renames) if renames else self._function.aims
        for piece in outline.pieces:
            if piece not in met:
                met[piece] = self._added(aims, piece.parameter)
        return _together([met[piece] for piece in outline.pieces])

    def _added(self, aims: Aims, parameter: Parameter) -> Additions:
        name, default = parameter.name, parameter.default
        if parameter.kind not in _NAMED:
            return _NOTHING
        if aims.is_option(name):
            why = objection(name, self.host, self._function.selector)
            return Additions(hidden=((name, why),)) if why else Additions((offered(parameter),))
        if default is Parameter.empty or self._function.host_defaults:
            return _NOTHING
        found = aims.difference(name, default)
        return Additions(defaults=((found.parameter, shown(default)),)) if found else _NOTHING


def _together(parts: Iterable[Additions]) -> Additions:
    options, hidden, defaults = _NOTHING
    for part in parts:
        if part is not _NOTHING:
            options += part.options
            hidden += part.hidden
            defaults += part.defaults
    return Additions(options, hidden, defaults)
