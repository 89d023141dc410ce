"""Additions: what implementations make of one host function, as its users are to see it.

They are worked out parameter by parameter.
"""

from __future__ import annotations

import inspect
from inspect import Parameter
from typing import TYPE_CHECKING, NamedTuple

from scverse_backends._ground.foreign import shown
from scverse_backends._routing.parameters import ParameterMap

from .signatures import objection, offered

if TYPE_CHECKING:
    from collections.abc import Mapping
    from inspect import Signature

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

    def of_route(self, route: Route) -> list[Addition]:
        """Tell what the implementation at the end of a route adds."""
        return [*filter(None, (self.addition(route.map, p) for p in route.parameters.own))]

    def of_signature(self, signature: Signature, renames: Mapping[str, str]) -> list[Addition]:
        """Tell what the implementation adds that a manifest describes."""
        function = self._function
        known = function.parameter_map
        aims = ParameterMap(function.parameters, renames) if renames else known
        return [*filter(None, (self.addition(aims, p) for p in signature.parameters.values()))]

    def addition(self, aims: ParameterMap, parameter: Parameter) -> Addition | None:
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
        return Addition(default=(ours, shown(default))) if ours else None
