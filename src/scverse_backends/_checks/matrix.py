"""The matrix: what each backend has for each function of a host."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.rendering import aligned
from scverse_backends.dispatcher import parts

from .findings import origin
from .verify import inspected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from scverse_backends._backends.registry import Registry
    from scverse_backends._ground.records import BackendInfo, LoadedBackend, Verdict
    from scverse_backends.dispatcher import BackendDispatcher

    from .findings import Fit

    Loading = Callable[[str], AbstractContextManager[None]]


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
        The backends that could not be compared.
    """

    host: str
    columns: tuple[BackendInfo, ...]
    lines: tuple[Line, ...]
    unknown: tuple[BackendInfo, ...] = ()

    def implemented(self, place: int) -> str:
        """Count the functions that the backend of a column implements."""
        count = sum(line.fits[place].implemented for line in self.lines)
        return f"{count} of {len(self.lines)}"

    def absences(self) -> list[str]:
        """Say of each backend that is not loaded why it is not."""
        columns = (*self.columns, *self.unknown)
        return [f"{one.name} is {one.state}: {one.reason}" for one in columns if one.reason]


def gather(dispatcher: BackendDispatcher, loading: Loading = lambda _: nullcontext()) -> Matrix:
    """Compare every backend with everything that is dispatched.

    A backend that ships a manifest is not imported for that; any other is.

    Parameters
    ----------
    dispatcher
        The host's dispatcher.
    loading
        Entered with the name of each backend while it loads.
    """
    registry, catalogue = parts(dispatcher)
    columns, unknown, fits = [], [], []
    for info, backend in _backends(dispatcher, loading):
        if backend is None:
            unknown.append(info)
        else:
            columns.append(info._replace(name=backend.name))
            fits.append(inspected(dispatcher, backend).functions)
    functions = [dispatch.function for dispatch in catalogue.dispatches()]
    lines = tuple(
        Line(function.name, _summary(function.func.__doc__), tuple(found[place] for found in fits))
        for place, function in enumerate(functions)
    )
    return Matrix(registry.configuration.host, tuple(columns), lines, tuple(unknown))


def _backends(
    dispatcher: BackendDispatcher, loading: Loading
) -> Iterator[tuple[BackendInfo, LoadedBackend | None]]:
    """Pair what is there with the backend itself, or with what its manifest describes."""
    registry = parts(dispatcher).registry
    installed = [_known(registry, verdict, loading) for verdict in registry.verdicts()]
    here = [found for found in registry.loaded() if found.candidate is None]
    yield from zip(dispatcher.backends(), [*here, *installed], strict=True)


def _known(registry: Registry, verdict: Verdict, loading: Loading) -> LoadedBackend | None:
    """Find a backend as its manifest describes it, and load it only if there is none."""
    described = registry.described(verdict)
    if described is None and not verdict.refused:
        with loading(verdict.candidate.name):
            error = registry.attempt(verdict)
        return None if error else registry.load(verdict)
    return described


def _summary(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0]


def _table(matrix: Matrix) -> tuple[list[list[str]], list[str]]:
    """Lay out a table of words; what needs more words is in numbered notes."""
    notes: list[str] = []
    rows = [
        ["", *(column.name for column in matrix.columns)],
        ["from", *map(origin, matrix.columns)],
    ]
    for line in matrix.lines:
        row = [line.function]
        for column, fit in zip(matrix.columns, line.fits, strict=True):
            told = "; ".join(str(one) for one in fit.remarks() if one.kind != "added-parameter")
            if told:
                notes.append(f"{line.function} on {column.name}: {told}")
            row.append(f"{fit.state} ({len(notes)})" if told else fit.state)
        rows.append(row)
    counts = map(matrix.implemented, range(len(matrix.columns)))
    return [*rows, ["implemented", *counts]], notes


def as_text(matrix: Matrix) -> str:
    """Write it for people at a terminal."""
    rows, notes = _table(matrix)
    none = [f"{matrix.host} has no backend that can be compared."]
    table = aligned(rows) if matrix.columns else none
    numbered = aligned([[f"({number})", note] for number, note in enumerate(notes, 1)])
    return _blocks(table, numbered, matrix.absences())


def as_markdown(matrix: Matrix) -> str:
    """Write it as a Markdown table with notes, for a README or an issue."""
    rows, notes = _table(matrix)
    heading, *others = (f"| {' | '.join(map(_escaped, row))} |" for row in rows)
    rule = f"| {' | '.join(['---'] * len(rows[0]))} |"
    numbered = (f"{number}. {_escaped(note)}" for number, note in enumerate(notes, 1))
    absences = (f"- {_escaped(text)}" for text in matrix.absences())
    return _blocks([heading, rule, *others], numbered, absences)


def _blocks(*blocks: Iterable[str]) -> str:
    """Join blocks of lines, with an empty line between two of them."""
    return "\n\n".join(filter(None, map("\n".join, blocks)))


def _escaped(text: str) -> str:
    """Keep Markdown from reading names and messages as its own syntax."""
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", " ".join(text.split()))


def as_json(matrix: Matrix) -> str:
    """Write it for machines: backends, and for each function what each of them has."""
    functions: list[dict[str, Any]] = []
    for line in matrix.lines:
        fits = [
            {"implemented": fit.implemented, "findings": [one._asdict() for one in fit.findings]}
            for fit in line.fits
        ]
        backends = dict(zip((column.name for column in matrix.columns), fits, strict=True))
        functions.append({"function": line.function, "summary": line.summary, "backends": backends})
    value = {
        "host": matrix.host,
        "backends": [column._asdict() for column in matrix.columns],
        "unknown": [column._asdict() for column in matrix.unknown],
        "functions": functions,
    }
    return json.dumps(value, indent=2)
