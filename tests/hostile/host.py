"""The host that hostile packages meet, and what one meeting shows."""

from __future__ import annotations

import asyncio
import inspect
import sys
import warnings
from types import ModuleType
from typing import Any

from scverse_backends.exceptions import BackendFallbackWarning, BackendWarning

NAME = "hostile_host"
VALUES = (1, 2, 3)


def double(values, *, copy=False):
    """Double every value.

    Parameters
    ----------
    values
        What is doubled.
    copy
        Whether the values are copied before.
    """
    return [2 * value for value in values]


def scale(values, factor=2, *, copy=False):
    """Multiply every value.

    Parameters
    ----------
    values
        What is multiplied.
    factor
        By how much.
    copy
        Whether the values are copied before.
    """
    return [factor * value for value in values]


async def fetch(values):
    """Double every value, later."""
    return [2 * value for value in values]


def each(values):
    """Give every value doubled, one by one."""
    yield from (2 * value for value in values)


class Model:
    """Keeps every value doubled."""

    def __init__(self, values):
        self.values = [2 * value for value in values]


def serve(dispatcher: Any) -> Any:
    """Make the host's module, by which what is imported reaches the host."""
    host: Any = ModuleType(NAME)
    host.ran = []
    host.dispatcher, host.settings = dispatcher, dispatcher.settings
    for func in (double, scale, fetch, each):
        setattr(host, func.__name__, dispatcher.backend_dispatch(func))
    # Made anew each time: a class is decorated once.
    host.Model = dispatcher.backend_class(type("Model", (), dict(vars(Model))))
    sys.modules[NAME] = host
    return host


def finish(result: Any) -> Any:
    """Await, exhaust or open a result, as a caller would."""
    if inspect.iscoroutine(result):
        return asyncio.run(_awaited(result))
    if inspect.isgenerator(result):
        return list(result)
    return getattr(result, "values", result)


async def _awaited(result: Any) -> Any:
    return await result


class Met:
    """What one thing did: its result or error, and what was warned of."""

    def __init__(self, work: Any) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                self.result = work()
            except BaseException as error:  # noqa: BLE001 - a package may raise anything
                self.error = error
        self.warnings = [found.message for found in caught]
        self.lines = [found.filename for found in caught]

    @property
    def raised(self) -> str:
        return type(self.error).__name__ if self.error is not None else ""

    @property
    def fallbacks(self) -> list[Any]:
        return [found for found in self.warnings if isinstance(found, BackendFallbackWarning)]

    def told(self) -> list[str]:
        """List what we warned of, falling back left out."""
        ours = (found for found in self.warnings if isinstance(found, BackendWarning))
        return [str(found) for found in ours if not isinstance(found, BackendFallbackWarning)]

    def strange(self, own: Any) -> list[Warning]:
        """List the warnings that are neither ours nor announced as a package's own."""
        return [
            found
            for found in self.warnings
            if not isinstance(found, BackendWarning) and type(found).__name__ not in own
        ]
