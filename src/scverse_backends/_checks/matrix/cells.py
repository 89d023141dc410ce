"""Cells: what a matrix holds, gathered from a dispatcher and its backends."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

from scverse_backends._checks.inspection import inspected
from scverse_backends.dispatcher import parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from scverse_backends._backends.registry import Registry
    from scverse_backends._checks.findings import Fit
    from scverse_backends._ground.records import BackendInfo, BackendState, LoadedBackend, Verdict
    from scverse_backends.dispatcher import BackendDispatcher


class Column(NamedTuple):
    """One backend; `reason` says why it is not loaded, where it is not."""

    name: str
    state: BackendState
    trusted: bool
    distribution: str | None
    version: str | None
    reason: str | None


class Line(NamedTuple):
    """One function, and what each backend has for it."""

    function: str
    summary: str
    fits: tuple[Fit, ...]


class Matrix(NamedTuple):
    """A host's functions against its backends.

    Parameters
    ----------
    host
        Name of the host.
    columns
        The backends that are loaded, or described by a manifest.
    lines
        The functions.
    unknown
        The backends of which nothing can be told.
    """

    host: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    unknown: tuple[Column, ...] = ()

    def implemented(self, place: int) -> int:
        """Count the functions that the backend of a column implements."""
        return sum(line.fits[place].implemented for line in self.lines)


def gather(
    dispatcher: BackendDispatcher,
    loading: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> Matrix:
    """Compare every backend with everything that is dispatched.

    One that ships a manifest is not imported for that; any other is.

    Parameters
    ----------
    dispatcher
        The host's dispatcher.
    loading
        Told of each backend for the time that it takes.
    """
    registry, catalogue = parts(dispatcher)
    columns: list[Column] = []
    unknown: list[Column] = []
    fits = []
    for info, backend in _backends(dispatcher, loading):
        known = (info.state, info.trusted, info.distribution, info.version, info.reason)
        column = Column(backend.name if backend else info.name, *known)
        (columns if backend else unknown).append(column)
        if backend:
            fits.append(inspected(dispatcher, backend).functions)
    functions = [dispatch.function for dispatch in catalogue.dispatches()]
    lines = tuple(
        Line(function.name, _summary(function.func.__doc__), tuple(found[place] for found in fits))
        for place, function in enumerate(functions)
    )
    return Matrix(registry.configuration.host, tuple(columns), lines, tuple(unknown))


def _backends(
    dispatcher: BackendDispatcher, loading: Callable[[str], AbstractContextManager[None]]
) -> Iterator[tuple[BackendInfo, LoadedBackend | None]]:
    """Pair what is there with the backend itself, or with what its manifest makes of it."""
    registry = parts(dispatcher).registry
    installed = [_known(registry, verdict, loading) for verdict in registry.verdicts()]
    here = [found for found in registry.loaded() if found.candidate is None]
    yield from zip(dispatcher.backends(), [*here, *installed], strict=True)


def _known(
    registry: Registry, verdict: Verdict, loading: Callable[[str], AbstractContextManager[None]]
) -> LoadedBackend | None:
    """Give a backend as its manifest describes it, and load it only if there is none."""
    described = registry.described(verdict)
    if described is None and not verdict.refused:
        with loading(verdict.candidate.name):
            error = registry.attempt(verdict)
        return None if error else registry.load(verdict)
    return described


def _summary(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0]
