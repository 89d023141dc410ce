"""Signatures: reading them, and the one place that inserts parameters into them."""

from __future__ import annotations

import inspect
from inspect import Parameter, Signature
from keyword import iskeyword
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

_BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_BY_NAME = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


class Parameters(NamedTuple):
    """What a callable takes, in the form that routing asks about."""

    positional: tuple[str, ...]
    """May be given by position, in this order."""
    positional_only: frozenset[str]
    keyword: frozenset[str]
    """May be given by name."""
    defaults: Mapping[str, Any]
    required: frozenset[str]
    takes_kwargs: bool

    @property
    def names(self) -> frozenset[str]:
        """Every parameter that has a name of its own."""
        return self.keyword | self.positional_only


def read(func: Callable[..., Any]) -> Parameters:
    """Read what a callable takes; raises whatever `inspect.signature` raises."""
    found = [*inspect.signature(func).parameters.values()]
    named = [p for p in found if p.kind in _BY_POSITION or p.kind is Parameter.KEYWORD_ONLY]
    return Parameters(
        positional=tuple(p.name for p in named if p.kind in _BY_POSITION),
        positional_only=frozenset(p.name for p in named if p.kind is Parameter.POSITIONAL_ONLY),
        keyword=frozenset(p.name for p in named if p.kind in _BY_NAME),
        defaults={p.name: p.default for p in named if p.default is not Parameter.empty},
        required=frozenset(p.name for p in named if p.default is Parameter.empty),
        takes_kwargs=any(p.kind is Parameter.VAR_KEYWORD for p in found),
    )


class Given(NamedTuple):
    """The arguments of one call, by name: the callable's own, and those it has no name for."""

    named: dict[str, Any]
    extra: dict[str, Any]


def bind(parameters: Parameters, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Given | str:
    """Match a call to parameter names, or say why it does not fit them."""
    if len(args) > len(parameters.positional):
        known = len(parameters.positional)
        return (
            f"cannot tell what {len(args)} arguments by position are, of which the host's signature "
            f"names {known}; pass the others by name"
        )
    named = dict(zip(parameters.positional, args, strict=False))
    extra: dict[str, Any] = {}
    for name, value in kwargs.items():
        if name in named and name in parameters.keyword:
            return f"would receive {name!r} twice"
        (named if name in parameters.keyword else extra)[name] = value
    return Given(named, extra)


def fits(parameters: Parameters, given: Given | None) -> bool:
    """Whether a callable that takes no ``**kwargs`` takes the arguments of a call."""
    return given is not None and not given.extra and parameters.required <= given.named.keys()


def same(value: object, default: object) -> bool:
    """Whether a value certainly is a default: identical, or equal by one plain truth value."""
    if value is default:
        return True
    try:
        equal = value == default
        # A truth value of Python's or of numpy's; an array or expression is no answer.
        return type(equal).__name__ in ("bool", "bool_") and bool(equal)
    except Exception:  # noqa: BLE001 - comparing foreign values may raise anything
        return False


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


def beyond(implementation: Callable[..., Any], names: Collection[str]) -> tuple[Parameter, ...]:
    """Read the parameters of these names as a caller may give them: by keyword, or not at all."""
    found = [p for p in inspect.signature(implementation).parameters.values() if p.name in names]
    return tuple(
        p.replace(
            kind=Parameter.KEYWORD_ONLY,
            # One that the backend needs is needed by no other caller of the host's function.
            default=... if p.default is Parameter.empty else p.default,
        )
        for p in found
    )


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
