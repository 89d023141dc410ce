"""The caller: the line outside this package that a warning should point at."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_PACKAGE = __name__.partition(".")[0]


def depth(between: Collection[object] = ()) -> int:
    """Count the frames from the caller of the function that asks to the first that is not ours.

    Nor is one that runs any of the code that stands between us and our caller.
    """
    frame, count = sys._getframe(2), 1  # noqa: SLF001 - the documented way to look at one's caller
    while frame.f_back is not None and (
        _is_ours(frame.f_globals.get("__name__")) or frame.f_code in between
    ):
        frame, count = frame.f_back, count + 1
    return count


def importing() -> tuple[str, int]:
    """Give the module whose import calls into this package, or else the caller's own, and the line."""
    nearest = frame = sys._getframe(depth())  # noqa: SLF001 - as above
    while frame.f_code.co_name != "<module>" and frame.f_back is not None:
        frame = frame.f_back
    found = frame if frame.f_code.co_name == "<module>" else nearest
    return str(found.f_globals.get("__name__")), found.f_lineno


def _is_ours(module: object) -> bool:
    return isinstance(module, str) and module.partition(".")[0] == _PACKAGE


def warn(warning: Warning, decorators: Iterable[object] = ()) -> None:
    """Emit a warning at the line of whoever called into this package, through any decorators."""
    between = {getattr(decorator, "__code__", None) for decorator in decorators}
    warnings.warn(warning, stacklevel=depth(between) + 1)
