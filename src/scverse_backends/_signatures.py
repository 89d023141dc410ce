"""Signatures: reading them, and the one place that inserts parameters into them."""

from __future__ import annotations

import inspect
from inspect import Parameter, Signature
from keyword import iskeyword
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from ._foreign import written

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence


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


def beyond(parameters: Iterable[Parameter], names: Collection[str]) -> tuple[Parameter, ...]:
    """Show the parameters of these names as a caller may give them: by keyword, or not at all."""
    return tuple(
        _writable(p).replace(
            kind=Parameter.KEYWORD_ONLY,
            # One that the backend needs is needed by no other caller of the host's function.
            default=... if p.default is Parameter.empty else _writable(p).default,
        )
        for p in parameters
        if p.name in names
    )


class Unwritten:
    """Stands in a signature for what cannot be written."""

    def __init__(self, value: object) -> None:
        self._text = written(value)

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
    found: dict[str, Option] = {}
    for provider, parameters in offers:
        for offered in parameters:
            known = found.get(offered.name, Option(offered, ()))
            found[offered.name] = known._replace(providers=(*known.providers, provider))
    return found


class PublicSignature(Signature):
    """A signature worked out when somebody looks at it, and shared by all who copied it.

    `functools.wraps` copies ``__signature__`` by reference, so a decorator
    applied outside ours shows what this object shows, also after a change.
    """

    __slots__ = ("resolved",)

    def __init__(self, resolved: Callable[[], Signature]) -> None:
        self.resolved = resolved
        """Gives the plain signature, as it is now."""

    @property
    def parameters(self) -> Any:
        return self.resolved().parameters

    @property
    def return_annotation(self) -> Any:
        return self.resolved().return_annotation

    def replace(self, **changes: Any) -> Any:
        return self.resolved().replace(**changes)

    __replace__ = replace  # what copy.replace calls from 3.13 on

    def __reduce__(self) -> Any:
        return self.resolved().__reduce__()


def check_host(func: Callable[..., Any], selector: str) -> None:
    """Refuse, at decoration, a callable whose calls cannot be routed by name.

    Raises
    ------
    TypeError
        If it is a method, takes ``*args``, has a parameter named as the
        selector, or hides its signature.
    """
    label = getattr(func, "__qualname__", repr(func))
    if selector and (not selector.isidentifier() or iskeyword(selector)):
        msg = f"selector={selector!r} cannot name a parameter of {label}."
        raise TypeError(msg)
    if inspect.isclass(func):
        msg = f"{label} is a class; decorate it with backend_class."
        raise TypeError(msg)
    if inspect.isasyncgenfunction(func):
        msg = (
            f"{label} is an asynchronous generator function, for which no selection can be held; "
            "decorate what it calls."
        )
        raise TypeError(msg)
    if isinstance(func, (staticmethod, classmethod)) or _is_method(func):
        msg = f"{label} is a method; decorate a module-level function, or the class."
        raise TypeError(msg)
    names, takes_args = _shape(func)
    if takes_args:
        msg = f"{label} takes *args, which cannot be routed by name; name its parameters."
        raise TypeError(msg)
    if selector in names:
        msg = (
            f"{label} already has a parameter {selector!r}; "
            "choose another with selector=..., or selector=None."
        )
        raise TypeError(msg)


def _is_method(func: Callable[..., Any]) -> bool:
    if inspect.ismethod(func):
        return True
    outer = getattr(func, "__qualname__", "").rpartition(".")[0]
    return inspect.isfunction(func) and bool(outer) and not outer.endswith("<locals>")


def _shape(func: Callable[..., Any]) -> tuple[Iterable[str], bool]:
    """Tell the names of the parameters, and whether there is ``*args``.

    A plain function tells it from its code object, a twentieth of the cost of
    `inspect.signature`, which a host would pay for every function at import.
    """
    if type(func) is FunctionType and not func.__dict__:
        code, flags = func.__code__, func.__code__.co_flags
        takes_args, takes_kwargs = flags & inspect.CO_VARARGS, flags & inspect.CO_VARKEYWORDS
        count = code.co_argcount + code.co_kwonlyargcount + bool(takes_args) + bool(takes_kwargs)
        return code.co_varnames[:count], bool(takes_args)
    try:
        found = inspect.signature(func).parameters.values()
    except (TypeError, ValueError) as error:
        msg = f"The signature of {func!r} cannot be read: {error}"
        raise TypeError(msg) from error
    takes_args = any(p.kind is Parameter.VAR_POSITIONAL for p in found)
    return [p.name for p in found], takes_args
