"""Callables: what a function tells without being called, what surrounds it, and what is made once.

A plain function's code object tells most of what `inspect` tells, at a
twentieth of the cost and without importing it. `inspect` is asked about every
other callable.
"""

from __future__ import annotations

import os
import sys
from functools import partial, update_wrapper
from operator import attrgetter, methodcaller
from threading import RLock
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakSet

from .safe_repr import ask_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from inspect import Signature
    from types import CodeType

T = TypeVar("T")

VARARGS, VARKEYWORDS = 0x04, 0x08
GENERATOR, COROUTINE, AWAITED_GENERATOR, ASYNC_GENERATOR = 0x20, 0x80, 0x100, 0x200

_QUESTIONS = {
    GENERATOR: "isgeneratorfunction",
    COROUTINE: "iscoroutinefunction",
    ASYNC_GENERATOR: "isasyncgenfunction",
}
"""What `inspect` is asked about what is no plain function, by the flag that says the same of code."""

FORWARD_REFERENCES, ANNOTATIONS_AS_TEXT = 3, 4
"""``annotationlib.Format.FORWARDREF`` and ``STRING``, which Python has since 3.14."""

_OTHERWISE = {"_is_coroutine_marker", "__partialmethod__", "_partialmethod"}
"""Attributes by which `inspect` tells something else of a function than its code does."""

_SAID = {"__wrapped__", "__signature__"}
"""Attributes by which a function shows what another takes."""

_MOST_LAYERS = 50  # partials or decorators around one function; more are a circle


def shows_its_own_signature(func: Any) -> bool:
    """Whether what is shown of a function's signature is what its own code takes."""
    return type(func) is FunctionType and _SAID.isdisjoint(func.__dict__)


def is_plain_method(func: Any) -> bool:
    """Whether it is a function whose own code says what it takes, bound to its first parameter."""
    found: Any = func.__func__ if type(func) is MethodType else None
    return shows_its_own_signature(found) and found.__code__.co_argcount > 0


def takes_any_keyword(func: Any) -> bool:
    """Whether a call may have any keyword, as far as can be told before the call."""
    called = func if type(func) is FunctionType else getattr(type(func), "__call__", None)  # noqa: B004 - to look at it
    return type(called) is not FunctionType or bool(called.__code__.co_flags & VARKEYWORDS)


def parameter_names(code: CodeType) -> tuple[str, ...]:
    """Name the parameters, ``*args`` and ``**kwargs`` too."""
    variadic = bool(code.co_flags & VARARGS) + bool(code.co_flags & VARKEYWORDS)
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + variadic]


def named_parameters(func: Any) -> Collection[str]:
    """Name the parameters that `inspect` shows; of a function, they stand in its innermost one."""
    for _ in range(_MOST_LAYERS):
        if shows_its_own_signature(func):
            return parameter_names(func.__code__)
        said = func.__dict__ if type(func) in (FunctionType, partial) else {}
        if "__wrapped__" not in said or "__signature__" in said:
            break
        func = said["__wrapped__"]
    if is_plain_method(func):
        return parameter_names(func.__func__.__code__)[1:]
    return signature_of(func).parameters


def code_flags(func: Any) -> int:
    """Give the flags of a function's code; of another callable, those that say what a call gives."""
    if type(func) is FunctionType and _OTHERWISE.isdisjoint(func.__dict__):
        return func.__code__.co_flags
    import inspect

    called = getattr(type(func), "__call__", None)  # noqa: B004 - to ask of it
    asked = {flag: getattr(inspect, question) for flag, question in _QUESTIONS.items()}
    found = sum(flag for flag, ask in asked.items() if ask(func) or ask(called))
    while isinstance(func, partial):  # which `inspect` looks into as well
        func = func.func
    codes = (getattr(one, "__code__", None) for one in (func, called))
    is_awaited = any(getattr(code, "co_flags", 0) & AWAITED_GENERATOR for code in codes)
    return found + AWAITED_GENERATOR * is_awaited


def is_coroutine_function(func: Any) -> bool:
    """Whether calling it gives a coroutine."""
    return bool(code_flags(func) & COROUTINE)


def is_generator_function(func: Any) -> bool:
    """Whether calling it gives a generator."""
    return bool(code_flags(func) & GENERATOR)


def is_async_generator_function(func: Any) -> bool:
    """Whether calling it gives an asynchronous generator."""
    return bool(code_flags(func) & ASYNC_GENERATOR)


def as_generator_function(func: Any) -> FunctionType:
    """Make the same function with the flag by which `inspect` knows a generator function.

    Nothing that runs code reads that flag.
    """
    code = func.__code__.replace(co_flags=func.__code__.co_flags | GENERATOR)
    return FunctionType(code, func.__globals__, closure=func.__closure__)


def gives_coroutine(implementation: Callable[..., Any]) -> bool:
    """Whether calling a function, or a callable object, gives a coroutine."""
    for _ in range(_MOST_LAYERS):
        if isinstance(implementation, partial):
            implementation = implementation.func
        elif isinstance(implementation, MethodType):
            implementation = implementation.__func__
        else:
            return is_coroutine_function(implementation)
    msg = "it is wrapped in itself"
    raise TypeError(msg)


def with_decorators(public: Any) -> list[Any]:
    """Give a public callable, and the decorators around it under its name."""
    found: Any = sys.modules.get(public.__module__)
    for name in public.__qualname__.split("."):  # of a method, its class first
        found = getattr(found, "__dict__", {}).get(name)
    around: list[Any] = []
    found = getattr(found, "__func__", found)  # of a static method
    while found is not None and found is not public and len(around) < _MOST_LAYERS:
        around.append(found)
        found = getattr(found, "__wrapped__", None)
    return [public, *around] if found is public else [public]


def signature_of(func: Any, annotations: int = FORWARD_REFERENCES) -> Signature:
    """Read a signature as `inspect` does, without evaluating annotations.

    Python 3.14 would look up what they name, which only a type checker may import.
    """
    from inspect import signature

    newer = sys.version_info >= (3, 14)
    options: dict[str, Any] = {"annotation_format": annotations} if newer else {}
    return signature(func, **options)


def name_of(func: Any) -> str:
    """Name a callable as its users do: a method together with its class; else ``""``."""
    if type(func) is FunctionType:
        # Its own name may be a method's, which `functools.wraps` gave it.
        where = func.__code__.co_qualname.rpartition("<locals>.")[2]
        if "." in where:
            return where
    return ask_text(attrgetter("__name__"), func) or ""


def name_after(public: Any, func: Any, name: str) -> None:
    """Make a function look like another callable, as `functools.wraps` does.

    Parameters
    ----------
    public
        The function.
    func
        What it looks like. What it does not say of itself, its class does not say of it.
    name
        Its last part is the function's name where the callable has none.
    """
    is_plain = type(func) is FunctionType
    if not is_plain:
        public.__annotations__ = {}
        public.__name__ = public.__qualname__ = name.rpartition(".")[2]
        public.__module__ = type(func).__module__
    update_wrapper(public, func, updated=("__dict__",) if is_plain else ())
    if not is_plain and _is_of_class(func, "__annotations__"):
        public.__annotations__ = {}


def docstring_of(func: Any) -> str | None:
    """Give the docstring of a callable; that of its class is about something else."""
    if type(func) is FunctionType:
        return func.__doc__
    if type(func) is MethodType and not func.__doc__:
        from inspect import getdoc  # which finds that of the method it overrides

        return getdoc(func)
    return None if _is_of_class(func, "__doc__") else func.__doc__


def _is_of_class(func: Any, name: str) -> bool:
    """Whether what an object says is what its class has written down.

    The class itself is not asked: it would evaluate annotations, or get a table of its own that hides
    what its bases tell of its objects.
    """
    tables = [vars(kind) for kind in type(func).__mro__]
    found = next((table[name] for table in tables if name in table), None)
    return isinstance(found, (str, dict)) and getattr(func, name, None) is found


def annotate(func: Any, parameter: str, annotation: Any) -> None:
    """Add an annotation to a function's own, which are not evaluated for that."""
    if sys.version_info >= (3, 14):
        own = func.__annotate__

        def with_parameter(form: int, /) -> dict[str, Any]:
            from annotationlib import Format, call_annotate_function, type_repr

            found = call_annotate_function(own, form) if own else {}
            is_text = form == Format.STRING
            return {**found, parameter: type_repr(annotation) if is_text else annotation}

        func.__annotate__ = with_parameter
    else:
        func.__annotations__ = {**func.__annotations__, parameter: annotation}


def public_names(value: object) -> list[str]:
    """List the attributes that are for users, for `dir` and for completion."""
    return [name for name in object.__dir__(value) if not name.startswith("_")]


making = RLock()
"""Held while something is made, or imported, that is made once."""

# A child could never import what another thread of its parent was importing. Not every system can fork.
getattr(os, "register_at_fork", dict)(
    before=making.acquire, after_in_parent=making.release, after_in_child=making.release
)


_locking: WeakSet[Any] = WeakSet()


def begin_locks(owner: Any) -> None:
    """Have an object make its locks, now and in a forked child: the thread that held one is not there."""
    owner.begin_locks()
    _locking.add(owner)


getattr(os, "register_at_fork", dict)(
    after_in_child=lambda: tuple(map(methodcaller("begin_locks"), [*_locking]))
)


class lazy(Generic[T]):  # noqa: N801 - a decorator, like property
    """Turn a method into an attribute that is made when it is first asked for.

    Threads that ask first may each make it. `functools.cached_property` of
    Python 3.11 holds a lock meanwhile, which a forked child may find closed.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> T:
        found = self._make(instance)
        # The instance's own attribute comes before this one, from the next look on. Not by way of its
        # ``__dict__``: once that is asked for, Python reads all attributes of the instance more slowly.
        setattr(instance, self._name, found)
        return found


class once(lazy[T]):  # noqa: N801 - as above
    """Turn a method into an attribute that is made once: all threads that ask first get the same object.

    What is counted in one must not be asked of another.
    """

    def __get__(self, instance: Any, owner: type) -> T:
        with making:
            if self._name not in instance.__dict__:
                instance.__dict__[self._name] = self._make(instance)
        return instance.__dict__[self._name]  # type: ignore[no-any-return]
