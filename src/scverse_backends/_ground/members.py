"""Members: what the public interface of one class has and that of another lacks."""

from __future__ import annotations

import inspect
from contextlib import suppress
from functools import cached_property, partial
from inspect import Parameter
from typing import TYPE_CHECKING, Any

from .callables import signature_of
from .safe_repr import attempt

if TYPE_CHECKING:
    from collections.abc import Iterator

_MISSING = object()
_NAMED = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


def missing_members(host: type, backend: type) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Compare the public interface of a host's class with a backend's class.

    Nothing of either is called or constructed. An attribute that the backend's
    own functions use may be set on its objects, so it is not missing.

    Parameters
    ----------
    host, backend
        The two classes.

    Yields
    ------
    The name of a member that the backend's class lacks, and no parameters; or
    the name of a method, and the host's parameters that it does not take.
    """
    if _answers_for_any_name(backend):
        return
    used = _used(backend)
    for name in filter(lambda name: not name.startswith("_"), dir(host)):
        ours = inspect.getattr_static(host, name, None)
        is_method = inspect.isroutine(ours) and not isinstance(ours, cached_property)
        if inspect.getattr_static(backend, name, _MISSING) is _MISSING:
            if is_method or name not in used:
                yield name, ()
        elif is_method and (lost := attempt(partial(_lost, host, backend, name), lambda _: ())):
            yield name, lost


def shown(name: str, parameters: tuple[str, ...]) -> str:
    """Write a missing member, or the parameters that a method lacks, in one word."""
    return f"{name}({', '.join(parameters)})" if parameters else name


def tell_absences(backend: type, names: frozenset[str], said: str) -> None:
    """Have the objects of a backend's class say whose they are, of what only the host's class has.

    Python asks ``__getattr__`` for what it did not find, so what is there is found as before. A
    class that looks for attributes in its own way, or cannot be changed, is left alone.

    Parameters
    ----------
    backend
        The backend's class.
    names
        What it lacks.
    said
        What its objects say of it.
    """
    looks: Any = inspect.getattr_static(backend, "__getattribute__")
    if _answers_for_any_name(backend) or looks is not object.__getattribute__:
        return
    # Several hosts may share the class; each of them has told what it lacks of theirs.
    told = getattr(inspect.getattr_static(backend, "__getattr__", None), "__dict__", {})
    absences: dict[str, str] = {**told, **dict.fromkeys(names, said)}

    def __getattr__(self: Any, name: str) -> Any:  # noqa: N807 - it becomes a method
        if name in absences:
            msg = f"{type(self).__name__!r} object has no attribute {name!r}: {absences[name]}"
            raise AttributeError(msg, name=name, obj=self)
        # Python threw the error away before it asked. Looking again raises the same, though a property
        # runs twice for it; a __getattribute__ would slow down every attribute there is.
        return object.__getattribute__(self, name)

    __getattr__.__dict__.update(absences)
    with suppress(TypeError):
        type.__setattr__(backend, "__getattr__", __getattr__)


def _answers_for_any_name(cls: type) -> bool:
    """Whether a class has attributes that only asking tells."""
    found = inspect.getattr_static(cls, "__getattr__", None)
    return found is not None and getattr(found, "__module__", None) != __name__


def _used(cls: type) -> set[str]:
    """Collect the names that the functions of a class use, those of its attributes among them."""
    codes = (
        getattr(found, "__code__", None) for base in cls.__mro__ for found in vars(base).values()
    )
    return {name for code in codes if code is not None for name in code.co_names}


def _lost(host: type, backend: type, name: str) -> tuple[str, ...]:
    """List the named parameters of a method that the other class's method does not take."""
    # A method may be dispatched itself: its own parameters are those of the innermost function.
    ours, theirs = (
        signature_of(inspect.unwrap(getattr(cls, name))).parameters for cls in (host, backend)
    )
    if any(parameter.kind is Parameter.VAR_KEYWORD for parameter in theirs.values()):
        return ()
    has_self = inspect.isfunction(inspect.getattr_static(host, name))
    named = [*ours.values()][has_self:]
    return tuple(p.name for p in named if p.kind in _NAMED and p.name not in theirs)
