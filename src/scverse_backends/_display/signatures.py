"""Signatures: what an implementation adds to that of its host function, as users are to see it.

They are worked out parameter by parameter.
"""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.callables import signature_of
from scverse_backends._ground.labels import SELECTOR_TYPE
from scverse_backends._ground.safe_repr import attempt, safe_repr, short_repr
from scverse_backends._routing.parameters import by_kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scverse_backends._routing.host import HostFunction
    from scverse_backends._routing.parameters import ParameterMap
    from scverse_backends._routing.routes import Route

_NAMED = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


class Addition(NamedTuple):
    """What one parameter of an implementation adds to a host function; one of these is set."""

    option: Parameter | None = None
    """A parameter that the host lacks, as a caller may give it."""
    hidden: tuple[str, str] | None = None
    """Such a parameter that is not shown, and why."""
    default: tuple[str, str] | None = None
    """A parameter of the host that has another default, and this default."""


class HostSignature:
    """The signature of a host function, and what implementations add to it."""

    def __init__(self, function: HostFunction) -> None:
        self._own = signature_of(function.func)
        self._function = function

    def of_route(self, route: Route) -> list[Addition]:
        """Tell what the implementation at the end of a route adds."""
        return [*filter(None, (self.addition(route.map, p) for p in route.parameters.own))]

    def of_signature(self, signature: Signature, renames: Mapping[str, str]) -> list[Addition]:
        """Tell what the implementation adds that a manifest describes."""
        where = self._function.map_to(renames, by_kind(signature.parameters.values()))
        return [*filter(None, (self.addition(where, p) for p in signature.parameters.values()))]

    def addition(self, parameters: ParameterMap, parameter: Parameter) -> Addition | None:
        """Tell what one parameter adds, if it adds anything."""
        name, default = parameter.name, parameter.default
        if parameter.kind not in _NAMED:
            return None
        if parameters.is_option(name):
            why = objection(name, self._own, self._function.selector)
            return Addition(hidden=(name, why)) if why else Addition(_as_option(parameter))
        if default is Parameter.empty or self._function.host_defaults:
            return None
        ours = parameters.differing(name, default)
        return Addition(default=(ours, short_repr(default))) if ours else None

    def merged(self, options: Sequence[Parameter]) -> Signature:
        """Add the selector and options behind the other parameters, before ``**kwargs``."""
        own = [*self._own.parameters.values()]
        tail = [own.pop()] if own and own[-1].kind is Parameter.VAR_KEYWORD else []
        return self._own.replace(parameters=[*own, *self._selector(), *options, *tail])

    def _selector(self) -> list[Parameter]:
        name = self._function.selector
        kind = Parameter.KEYWORD_ONLY
        return [Parameter(name, kind, default=None, annotation=SELECTOR_TYPE)] if name else []


def objection(name: str, host: Signature, selector: str) -> str | None:
    """Say why a backend's parameter cannot stand beside the host's own, if it cannot."""
    if name == selector:
        return "it is the name of the host's selector"
    if name.startswith("_"):
        return "its name is private"
    if name in host.parameters:
        return f"the host's own {host.parameters[name]} has the same name"
    return None


def _as_option(parameter: Parameter) -> Parameter:
    """Show a parameter of a backend as a caller may give it: by keyword, or not at all."""

    def readable() -> Parameter:
        str(parameter)
        return parameter

    def unreadable(_: BaseException) -> Parameter:
        default = Unreadable(parameter.default)
        return parameter.replace(annotation=Parameter.empty, default=default)

    shown = attempt(readable, unreadable)
    # One that the backend requires is required by no other caller of the host's function.
    default = ... if shown.default is Parameter.empty else shown.default
    return shown.replace(kind=Parameter.KEYWORD_ONLY, default=default)


class Unreadable:
    """Stands in a signature for a value whose ``repr`` fails."""

    def __init__(self, value: object) -> None:
        self._text = safe_repr(value)

    def __repr__(self) -> str:
        return self._text


class PublicSignatureType(Signature):
    """The class that a public signature shows; `copy.replace` asks a class, not the object."""

    def __replace__(self, **changes: Any) -> Any:
        return self.replace(**changes)
