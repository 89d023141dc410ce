"""Signatures: reading them, and the one place that inserts parameters into them."""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.safe_repr import safe_repr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def insert(signature: Signature, extra: Sequence[Parameter]) -> Signature:
    """Add keyword-only parameters behind the others, before ``**kwargs``."""
    own = [*signature.parameters.values()]
    tail = [own.pop()] if own and own[-1].kind is Parameter.VAR_KEYWORD else []
    return signature.replace(parameters=[*own, *extra, *tail])


def selector_parameter(name: str) -> Parameter:
    """Describe the parameter that chooses a backend for one call."""
    annotation = "str | Sequence[str] | None"
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


class Option(NamedTuple):
    """A parameter that backends have and the host has not."""

    parameter: Parameter
    providers: tuple[str, ...]


def offered(parameter: Parameter) -> Parameter:
    """Show a parameter of a backend as a caller may give it: by keyword, or not at all."""
    shown = _writable(parameter)
    # One that the backend needs is needed by no other caller of the host's function.
    default = ... if shown.default is Parameter.empty else shown.default
    return shown.replace(kind=Parameter.KEYWORD_ONLY, default=default)


class Unwritten:
    """Stands in a signature for what cannot be written."""

    def __init__(self, value: object) -> None:
        self._text = safe_repr(value)

    def __repr__(self) -> str:
        return self._text


def _writable(parameter: Parameter) -> Parameter:
    """Replace what would keep a signature that holds the parameter from being written."""
    try:
        str(parameter)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException:  # noqa: BLE001 - a foreign __repr__ may raise anything
        return parameter.replace(
            annotation=Parameter.empty,
            default=Unwritten(parameter.default),
        )
    return parameter


def objection(name: str, host: Signature, selector: str) -> str | None:
    """Say why a backend's parameter cannot stand beside the host's own, if it cannot."""
    if name == selector:
        return "it is the name of the host's selector"
    if name.startswith("_"):
        return "its name is private"
    if name in host.parameters:
        return f"the host's own {host.parameters[name]} has the same name"
    return None


def combine(offers: Iterable[tuple[str, Iterable[Parameter]]]) -> dict[str, Option]:
    """Bring together what several providers offer; the first one's parameter is shown."""
    first: dict[str, Parameter] = {}
    providers: dict[str, list[str]] = {}
    for provider, parameters in offers:
        for parameter in parameters:
            first.setdefault(parameter.name, parameter)
            providers.setdefault(parameter.name, []).append(provider)
    return {name: Option(found, tuple(providers[name])) for name, found in first.items()}


class Shown(Signature):
    """What a public signature says that it is; `copy.replace` asks this class, not the object."""

    def __replace__(self, **changes: Any) -> Any:
        return self.replace(**changes)
