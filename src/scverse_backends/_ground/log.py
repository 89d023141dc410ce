"""The log: what happens, for those who listen to the logger ``scverse_backends``.

Whoever listens has imported `logging`; as long as nobody has, nothing here
imports it either, and nothing is said. Neither a format nor a handler that
writes is installed.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from . import caller

if TYPE_CHECKING:
    from logging import Logger

NAME = "scverse_backends"

Level = Literal[10, 20, 30]
DEBUG: Level = 10
INFO: Level = 20
WARNING: Level = 30


def listens(level: Level) -> bool:
    """Whether anybody would hear what is said at a level."""
    return "logging" in sys.modules and _logger().isEnabledFor(level)


def say(level: Level, message: str, *args: object, **data: Any) -> None:
    """Log at the line of whoever called into this package.

    Parameters
    ----------
    level
        One of this module's.
    message, *args
        As for a logger.
    **data
        Attributes of the record, for handlers that want more than its text.
    """
    if listens(level):
        _logger().log(level, message, *args, extra=data, stacklevel=caller.depth() + 1)


@cache
def _logger() -> Logger:
    import logging

    logger = logging.getLogger(NAME)
    # Where a program sets up no logging, Python would write warnings to standard error.
    logger.addHandler(logging.NullHandler())
    return logger
