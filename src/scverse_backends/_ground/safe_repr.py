"""Safe representations: values of other people as one short line, whatever their code does.

A ``__repr__`` may raise, end the process, or give ten million letters that
clear the terminal; a class may fail to tell its own name.
"""

from __future__ import annotations

import re
import sys
import types
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from .messages import without_own_frames

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import TypeVar

    T = TypeVar("T")

PASSING = (KeyboardInterrupt, MemoryError)
"""What may be raised in the middle of anything, and says nothing about it."""

_ROOM = 200  # frames, more than reading a signature or importing a small module takes

LONGEST = 1000
_LONGEST_DEFAULT = 60
_SHORT = (bool, float, type(None))
"""Types whose values are always one short line."""

# The true names of a class, which its metaclass cannot hide.
_name = type.__dict__["__name__"].__get__
class_qualname: Callable[[Any], str] = type.__dict__["__qualname__"].__get__

_ROUTINES = (
    types.BuiltinFunctionType,
    types.ClassMethodDescriptorType,
    types.FunctionType,
    types.MethodDescriptorType,
    types.MethodType,
    types.MethodWrapperType,
    types.WrapperDescriptorType,
)


def attempt(look: Callable[[], T], failed: Callable[[BaseException], T]) -> T:
    """Run code of other people; whatever it raises, `SystemExit` too, becomes an answer.

    An interrupt passes, and so does an error that only says that memory or the
    stack ran out: it must not be kept as an answer. Code that calls itself
    without end is at fault itself.
    """
    try:
        return look()
    except PASSING:
        raise
    except RecursionError as error:
        if stack_is_nearly_full():
            raise
        return failed(error)
    except BaseException as error:  # noqa: BLE001 - SystemExit must not end the host either
        # As a cause, it begins at the code that is at fault.
        traceback = without_own_frames(sys.exc_info()[2])
        return failed(BaseException.with_traceback(error, traceback))


def add_note(error: BaseException, note: str) -> None:
    """Add a note to an error of other people, once: the same error may be raised again and again."""

    def add() -> None:
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)

    attempt(add, lambda _: None)


def stack_is_nearly_full() -> bool:
    """Whether ordinary code called from here could meet the end of the stack."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - nothing else counts frames
    depth = 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    return depth > sys.getrecursionlimit() - _ROOM


def ask_text(ask: Callable[[Any], str | None], value: object) -> str | None:
    """Ask a value for a string; ``None`` if it raises instead."""

    def asked() -> str | None:
        found = ask(value)
        return None if found is None else str.__str__(found)

    return attempt(asked, lambda _: None)


def describe_error(error: BaseException) -> str:
    """Say in one line what an error is: its class, and its text if there is any."""
    text = error_text(error)
    kind = _name(type(error))
    return f"{kind}: {text}" if text else kind


def error_text(error: BaseException) -> str:
    """Give an error's own text in one line, which may be empty."""
    found = ask_text(str, error)
    return "its message cannot be shown" if found is None else one_line(found)


def safe_repr(value: object, longest: int = LONGEST) -> str:
    """Write a value in one line; its class, if it cannot be written."""

    def unwritten(error: BaseException) -> str:
        return f"<{_name(type(value))}, whose repr raises {_name(type(error))}>"

    return attempt(lambda: one_line(str.__str__(repr(value)), longest), unwritten)


def short_repr(value: object) -> str:
    """Write a default value in a short line, without what differs from run to run."""
    if type(value) in _SHORT:
        return repr(value)
    text = qualname(value) or re.sub(r" at 0x[0-9a-fA-F]+", "", safe_repr(value))
    return text if len(text) <= _LONGEST_DEFAULT else f"{text[: _LONGEST_DEFAULT - 3]}..."


def qualname(value: object) -> str | None:
    """Give the qualified name of a class or routine; of anything else, ``None``."""
    if issubclass(type(value), type):
        return class_qualname(value)
    routine = issubclass(type(value), _ROUTINES)
    return ask_text(attrgetter("__qualname__"), value) if routine else None


def one_line(text: str, longest: int = LONGEST) -> str:
    """Bring a text into one line that has an end and does nothing to a terminal."""
    shown = " ".join(text[: 2 * longest].split())
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown)
    cut = len(shown) > longest or len(text) > 2 * longest
    return f"{shown[: longest - 3]}..." if cut else shown


def plain_str(value: Any) -> Any:
    """Give a string as a plain one, whose methods are Python's own; anything else as it is."""
    return str.__str__(value) if issubclass(type(value), str) else value
