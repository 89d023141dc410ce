"""Cells: what a matrix holds, gathered from a dispatcher and its backends."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

from scverse_backends._dispatcher import parts
from scverse_backends._inspection import inspected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from scverse_backends._dispatcher import BackendDispatcher
    from scverse_backends._findings import Fit
    from scverse_backends._model import BackendInfo, BackendState, LoadedBackend


class Column(NamedTuple):
    """One backend; `reason` says why nothing is known of one that cannot be loaded."""

    name: str
    state: BackendState
    trusted: bool
    distribution: str | None
    version: str | None
    reason: str | None


class Line(NamedTuple):
    """One function, and what each backend has for it; ``None`` where that cannot be known."""

    function: str
    summary: str
    fits: tuple[Fit | None, ...]


class Matrix(NamedTuple):
    """A host's functions against its backends."""

    host: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]

    def implemented(self, place: int) -> int:
        """Count the functions that the backend of a column implements."""
        return sum(
            bool(fit and fit.implemented) for fit in (line.fits[place] for line in self.lines)
        )


def gather(
    dispatcher: BackendDispatcher,
    loading: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> Matrix:
    """Load every backend that can be, and compare it with everything that is dispatched.

    Parameters
    ----------
    dispatcher
        The host's dispatcher.
    loading
        Told of each backend for the time that it takes.
    """
    registry, catalogue = parts(dispatcher)
    columns, found = [], []
    for info, backend in _backends(dispatcher, loading):
        columns.append(_column(info, backend))
        fits = inspected(dispatcher, backend).functions if backend else ()
        found.append({fit.function: fit for fit in fits})
    lines = (
        Line(function.name, _summary(function.func.__doc__), _across(found, function.name))
        for function in (dispatch.function for dispatch in catalogue.dispatches())
    )
    return Matrix(registry.configuration.host, tuple(columns), tuple(lines))


def _across(found: list[dict[str, Fit]], function: str) -> tuple[Fit | None, ...]:
    return tuple(fits.get(function) for fits in found)


def _backends(
    dispatcher: BackendDispatcher, loading: Callable[[str], AbstractContextManager[None]]
) -> Iterator[tuple[BackendInfo, LoadedBackend | None]]:
    """Pair what is there with what became of loading it."""
    registry = parts(dispatcher).registry
    for verdict in registry.verdicts():
        with loading(verdict.candidate.name):
            registry.attempt(verdict)
    infos = dispatcher.backends()
    here = [found for found in registry.loaded() if found.candidate is None]
    loaded = [
        None if info.state != "loaded" else registry.load(verdict)
        for verdict, info in zip(registry.verdicts(), infos[len(here) :], strict=True)
    ]
    yield from zip(infos, [*here, *loaded], strict=True)


def _column(info: BackendInfo, backend: LoadedBackend | None) -> Column:
    name = backend.name if backend else info.name
    known = (info.distribution, info.version, info.reason)
    return Column(name, info.state, info.trusted, *known)


def _summary(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0]
