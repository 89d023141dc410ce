"""Foreign objects: what other people's objects say of themselves, whatever saying it does.

A ``__repr__`` may raise, end the process, or give ten million letters that
clear the terminal; a class may fail to tell its own name.
"""

from __future__ import annotations

from operator import attrgetter
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

LONGEST = 1000

# The true names of a class, which its metaclass cannot hide.
_name = type.__dict__["__name__"].__get__
_qualname = type.__dict__["__qualname__"].__get__

_ROUTINES = (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    WrapperDescriptorType,
)


def told(error: BaseException) -> str:
    """Say in one line what an error is: its class, and its text if that can be had."""
    text = text_of(error)
    kind = _name(type(error))
    return f"{kind}: {text}" if text else kind


def text_of(error: BaseException) -> str:
    """Give an error's own text in one line, which may be empty."""
    found = asked(str, error)
    return "its message cannot be shown" if found is None else line(found)


def written(value: object, longest: int = LONGEST) -> str:
    """Write a value in one line; of what cannot be written, its class."""
    try:
        return line(str.__str__(repr(value)), longest)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001 - as in `asked`
        return f"<{_name(type(value))}, whose repr raises {_name(type(error))}>"


def qualname(value: object) -> str | None:
    """Give the qualified name of a class or of a routine, and of nothing else."""
    if issubclass(type(value), type):
        return _qualname(value)  # type: ignore[no-any-return]
    routine = issubclass(type(value), _ROUTINES)
    return asked(attrgetter("__qualname__"), value) if routine else None


def line(text: str, longest: int = LONGEST) -> str:
    """Bring a text into one line that is neither endless nor does anything to a terminal."""
    shown = " ".join(text[: 2 * longest].split())
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown)
    cut = len(shown) > longest or len(text) > 2 * longest
    return f"{shown[: longest - 3]}..." if cut else shown


def exact(value: Any) -> Any:
    """Give a string as a plain one, whose methods are Python's own; anything else as it is."""
    return str.__str__(value) if issubclass(type(value), str) else value


def asked(ask: Callable[[Any], str | None], value: object) -> str | None:
    """Ask a value for a string; ``None`` if it raises instead."""
    try:
        found: Any = ask(value)
        return str.__str__(found)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException:  # noqa: BLE001 - SystemExit must not end the host either
        return None


def attempt(look: Callable[[], T], otherwise: T) -> T:
    """Look at something foreign; what is given if that raises, `SystemExit` too."""
    try:
        return look()
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException:  # noqa: BLE001 - as in `asked`
        return otherwise
