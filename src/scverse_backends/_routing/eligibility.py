"""Eligibility: which callables of a host can be dispatched, told when they are decorated."""

from __future__ import annotations

from keyword import iskeyword
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.callables import (
    VARARGS,
    code_of,
    is_async_generator_function,
    parameter_names,
    signature_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


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
    if isinstance(func, type):
        msg = f"{label} is a class; decorate it with backend_class."
        raise TypeError(msg)
    if is_async_generator_function(func):
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
    if isinstance(func, MethodType):
        return True
    outer = getattr(func, "__qualname__", "").rpartition(".")[0]
    return isinstance(func, FunctionType) and bool(outer) and not outer.endswith("<locals>")


def _shape(func: Callable[..., Any]) -> tuple[Iterable[str], bool]:
    """Tell the names of the parameters, and whether there is ``*args``."""
    code = code_of(func)
    if code is not None:
        return parameter_names(code), bool(code.co_flags & VARARGS)
    from inspect import Parameter

    try:
        found = signature_of(func).parameters.values()
    except (TypeError, ValueError) as error:
        msg = f"The signature of {func!r} cannot be read: {error}"
        raise TypeError(msg) from error
    takes_args = any(p.kind is Parameter.VAR_POSITIONAL for p in found)
    return [p.name for p in found], takes_args
