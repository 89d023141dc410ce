"""Messages: warnings at the line of the person who can act, and the logger ``scverse_backends``.

Until a program imports `logging`, nothing is logged and `logging` is not
imported. No format is set, and no handler that writes is installed.
"""

from __future__ import annotations

import sys
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from logging import Logger
    from types import CodeType, FrameType, TracebackType

NAME = __name__.partition(".")[0]

Level = Literal[10, 20, 30]
DEBUG: Level = 10
INFO: Level = 20
WARNING: Level = 30


def caller_depth(between: Collection[object] = ()) -> int:
    """Count the frames from the caller of the function that asks to the first that is not ours.

    Frames that run one of the code objects in ``between`` are passed over too.
    """
    return _outside(sys._getframe(2), between)[1] + 1  # noqa: SLF001 - the documented way to look at one's caller


def _outside(frame: FrameType, between: Collection[object]) -> tuple[FrameType, int]:
    """Go from a frame to the first that is not ours; give that, and how many were passed."""
    passed = 0
    while frame.f_back is not None and (
        is_ours(frame.f_globals.get("__name__")) or frame.f_code in between
    ):
        frame, passed = frame.f_back, passed + 1
    return frame, passed


def call_site(depth: int, between: Collection[object] = ()) -> tuple[CodeType, int]:
    """Give the code that called into this package, and the instruction that did.

    They tell the line, and keep nothing else of the frame. The frame is found as `caller_depth`
    finds it, after ``depth`` frames that are certainly ours.
    """
    try:
        frame = sys._getframe(depth)  # noqa: SLF001 - as above
    except ValueError:  # Python itself called, at its exit for one
        frame = sys._getframe(depth - 1)  # noqa: SLF001 - as above
    frame, _ = _outside(frame, between)
    return frame.f_code, frame.f_lasti


def line_of(code: CodeType, instruction: int) -> int:
    """Look up the line of an instruction; where it has none, that of its function."""
    for start, end, line in code.co_lines():
        if start <= instruction < end and line is not None:
            return line
    return code.co_firstlineno


def importing_module() -> tuple[str, int]:
    """Give the module whose import calls into this package, or else the caller's own, and the line."""
    nearest = frame = sys._getframe(caller_depth())  # noqa: SLF001 - as above
    while frame.f_code.co_name != "<module>" and frame.f_back is not None:
        frame = frame.f_back
    found = frame if frame.f_code.co_name == "<module>" else nearest
    return str(found.f_globals.get("__name__")), found.f_lineno


def is_ours(module: object) -> bool:
    """Whether a module, by its name, is of this package."""
    return isinstance(module, str) and module.partition(".")[0] == NAME


def point_at_caller(error: BaseException) -> None:
    """Leave out of an error's traceback what this package did, if nobody else's code was part of it.

    To be followed by a bare ``raise``, which adds nothing: the error then points at the line of the
    person who can act.
    """
    if without_own_frames(error.__traceback__) is None:
        BaseException.with_traceback(error, None)


def without_own_frames(traceback: TracebackType | None) -> TracebackType | None:
    """Leave out of a traceback what this package did before somebody else's code was called."""
    while traceback is not None and is_ours(traceback.tb_frame.f_globals.get("__name__")):
        traceback = traceback.tb_next
    return traceback


def warn(warning: Warning, decorators: Iterable[object] = ()) -> None:
    """Emit a warning at the line that called into this package, through any decorators."""
    between = {getattr(decorator, "__code__", None) for decorator in decorators}
    warnings.warn(warning, stacklevel=caller_depth(between) + 1)


def is_logged(level: Level) -> bool:
    """Whether a message at a level would reach a handler."""
    return "logging" in sys.modules and _logger().isEnabledFor(level)


def log(level: Level, message: str, *args: object, **data: Any) -> None:
    """Log at the line that called into this package.

    Parameters
    ----------
    level
        One of this module's.
    message, *args
        As for a logger.
    **data
        Attributes of the record, for handlers that want more than its text.
    """
    if is_logged(level):
        _logger().log(level, message, *args, extra=data, stacklevel=caller_depth() + 1)


@cache
def _logger() -> Logger:
    import logging

    logger = logging.getLogger(NAME)
    # Where a program sets up no logging, Python would write warnings to standard error.
    logger.addHandler(logging.NullHandler())
    return logger
