"""Eligibility: which callables of a host can be dispatched, told when they are decorated."""

from __future__ import annotations

from functools import cached_property
from keyword import iskeyword
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.callables import is_async_generator_function
from scverse_backends._ground.safe_repr import ask_text, attempt, describe_error, safe_repr

if TYPE_CHECKING:
    from .host import HostFunction


def check_host(function: HostFunction) -> None:
    """Refuse, at decoration, a callable whose calls cannot be routed by name.

    Raises
    ------
    TypeError
        If it is no function, has a parameter named as the selector, or hides its
        signature.
    """
    func: Any = function.func
    problem = attempt(
        lambda: (not function.is_class and _objection(func)) or _clash(function),
        lambda error: (
            f"has a signature that cannot be read: {describe_error(error)}; "
            "decorate a function of yours that calls it."
        ),
    )
    if problem:
        msg = f"{label(func.fget if isinstance(func, property) else func)} {problem}"
        raise TypeError(msg)


def label(value: object) -> str:
    """Name a callable in a message, whatever it does when it is asked for its name."""
    return ask_text(attrgetter("__qualname__"), value) or safe_repr(value)


def _objection(func: Any) -> str | None:
    """Say why a callable is not one that can be dispatched as a function."""
    if isinstance(func, type):
        return "is a class; decorate it with backend_class."
    if isinstance(func, (staticmethod, classmethod)):
        return f"is a method already; write @{type(func).__name__} above @backend_dispatch."
    if isinstance(func, (property, cached_property)):
        return "is a property, and reading it is no call; decorate a method that it calls."
    if not callable(func):
        return "cannot be called; decorate a function."
    if is_async_generator_function(func):
        return (
            "is an asynchronous generator function, for which no selection can be held; "
            "decorate what it calls."
        )
    return None


def _clash(function: HostFunction) -> str | None:
    """Say why the selector cannot be a parameter of a callable."""
    selector = function.selector
    if selector and (not selector.isidentifier() or iskeyword(selector)):
        return f"cannot have a parameter selector={selector!r}; choose a Python name."
    if selector in function.named:
        return (
            f"already has a parameter {selector!r}; "
            "choose another with selector=..., or selector=None."
        )
    return None
