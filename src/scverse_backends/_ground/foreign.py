"""Foreign objects: what other people's objects say of themselves, whatever saying it does.

A ``__repr__`` may raise, end the process, or give ten million letters that
clear the terminal; a class may fail to tell its own name.
"""

from __future__ import annotations

import re
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
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

PASSING = (KeyboardInterrupt, MemoryError, RecursionError)
"""What is raised in the middle of anything, and tells nothing about it."""

LONGEST = 1000
_LONGEST_DEFAULT = 60
_SHORT = (bool, float, type(None))
"""What their values show is always one short line."""

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

    def unwritten(error: BaseException) -> str:
        return f"<{_name(type(value))}, whose repr raises {_name(type(error))}>"

    return attempt(lambda: line(str.__str__(repr(value)), longest), unwritten)


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
    return attempt(lambda: str.__str__(cast("str", ask(value))), lambda _: None)


def attempt(look: Callable[[], T], failed: Callable[[BaseException], T]) -> T:
    """Run something foreign; whatever it raises, `SystemExit` too, becomes an answer.

    An interrupt, and an error that says nothing about the foreign thing because
    memory or the stack ran out, passes: it must not be kept as an answer.
    """
    try:
        return look()
    except PASSING:
        raise
    except BaseException as error:  # noqa: BLE001 - SystemExit must not end the host either
        return failed(error)


def shown(value: object) -> str:
    """Write a default value on one line, without what differs from run to run."""
    if type(value) in _SHORT:
        return repr(value)
    text = qualname(value) or re.sub(r" at 0x[0-9a-fA-F]+", "", written(value))
    return text if len(text) <= _LONGEST_DEFAULT else f"{text[: _LONGEST_DEFAULT - 3]}..."
