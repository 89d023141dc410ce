"""Code: what the code object of a plain function tells of it.

`inspect` tells the same of every callable. A host would pay a twentieth of
that for each function here, and nothing for importing it: it is asked about
what is no plain function.
"""

from __future__ import annotations

import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from inspect import Signature
    from types import CodeType

FORWARD_REFERENCES, ANNOTATIONS_AS_TEXT = 3, 4
"""``annotationlib.Format.FORWARDREF`` and ``STRING``, of which Python has heard since 3.14."""

VARARGS, VARKEYWORDS = 0x04, 0x08
_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200


def code_of(func: Any) -> CodeType | None:
    """Give the code of a function that is no wrapper and bears no mark; it tells all there is."""
    return func.__code__ if type(func) is FunctionType and not func.__dict__ else None


def shows_its_own_signature(func: Any) -> bool:
    """Whether what is shown of a function's signature is what its own code takes."""
    said = {"__wrapped__", "__signature__"}
    return type(func) is FunctionType and said.isdisjoint(func.__dict__)


def signature_of(func: Any, annotations: int = FORWARD_REFERENCES) -> Signature:
    """Read a signature, also where an annotation names what only a type checker imports.

    Python 3.14 evaluates annotations when they are read, and would raise for
    such a name. Earlier it has done so when the function was made.
    """
    from inspect import signature

    options: dict[str, Any] = (
        {"annotation_format": annotations} if sys.version_info >= (3, 14) else {}
    )
    return signature(func, **options)


def takes_any_keyword(func: Any) -> bool:
    """Whether a call may have any keyword, as far as can be told before the call."""
    return type(func) is not FunctionType or bool(func.__code__.co_flags & VARKEYWORDS)


def parameter_names(code: CodeType) -> tuple[str, ...]:
    """Name the parameters, ``*args`` and ``**kwargs`` too."""
    variadic = bool(code.co_flags & VARARGS) + bool(code.co_flags & VARKEYWORDS)
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + variadic]


def is_coroutine_function(func: Any) -> bool:
    """Whether calling it gives a coroutine."""
    return _tells(func, _COROUTINE, "iscoroutinefunction")


def is_generator_function(func: Any) -> bool:
    """Whether calling it gives a generator."""
    return _tells(func, _GENERATOR, "isgeneratorfunction")


def is_async_generator_function(func: Any) -> bool:
    """Whether calling it gives an asynchronous generator."""
    return _tells(func, _ASYNC_GENERATOR, "isasyncgenfunction")


def _tells(func: Any, flag: int, question: str) -> bool:
    code = code_of(func)
    if code is not None:
        return bool(code.co_flags & flag)
    import inspect

    ask = getattr(inspect, question)
    return bool(ask(func) or ask(getattr(type(func), "__call__", None)))  # noqa: B004 - to ask of it


_MOST_LAYERS = 50  # partials around one function; more are a circle


def gives_coroutine(implementation: Callable[..., Any]) -> bool:
    """Whether calling a function, or a callable object, gives a coroutine."""
    from functools import partial
    from inspect import iscoroutinefunction, ismethod

    for _ in range(_MOST_LAYERS):
        if isinstance(implementation, partial):
            implementation = implementation.func
        elif ismethod(implementation):
            implementation = implementation.__func__
        else:
            called = type(implementation).__call__
            return iscoroutinefunction(implementation) or iscoroutinefunction(called)
    msg = "it is wrapped in itself"
    raise TypeError(msg)
