"""Executors that carry: what is sent to one runs under what is selected where it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import Any

from .selector import Selector  # noqa: TC001 - typing.get_type_hints finds it here
from .snapshot import take


class CarryingExecutor(Executor):
    """Sends work to another executor, bound to what is selected; made by `Settings.executor`.

    Whatever else it is asked for, the other executor answers.
    """

    def __init__(self, executor: Any, selector: Selector) -> None:
        self._executor = executor
        self._selector = selector

    def __repr__(self) -> str:
        return f"<{self._executor!r} under what {self._selector.configuration.host} has selected>"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._executor, name)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Send one call."""
        future: Future[Any] = self._executor.submit(self._bound(fn), *args, **kwargs)
        return future

    def map(self, fn: Callable[..., Any], *iterables: Any, **options: Any) -> Iterator[Any]:
        """Send a call for each item."""
        results: Iterator[Any] = self._executor.map(self._bound(fn), *iterables, **options)
        return results

    def shutdown(self, *args: Any, **options: Any) -> None:
        """Let the other executor go."""
        self._executor.shutdown(*args, **options)

    def _bound(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return take(self._selector).bind(fn)
