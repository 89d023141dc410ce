"""``doctor``: every backend tried, and everything that is wrong with any."""

from __future__ import annotations

import os
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._backends.configuration import BLOCK_VARIABLE, read_environment
from scverse_backends._backends.discovery import groups
from scverse_backends._checks.inspection import inspected
from scverse_backends._display.overview import backends_with_labels
from scverse_backends._ground.labels import closest
from scverse_backends._ground.rendering import aligned
from scverse_backends.dispatcher import parts
from scverse_backends.exceptions import BackendError, BackendRegistrationWarning, BackendWarning

from .arguments import add_command, add_dispatcher, add_json
from .hosts import find
from .list import source

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from scverse_backends._ground.records import BackendInfo, LoadedBackend, Verdict
    from scverse_backends._ground.rendering import Cell
    from scverse_backends.dispatcher import BackendDispatcher

    from .arguments import Commands
    from .console import Console

STYLES = {"ok": "good", "odd": "doubtful", "refused": "doubtful", "broken": "bad"}
ALIKE = 0.9
"""Groups that are one or two letters apart; those of two hosts are not."""
MOST_ALIASES = 12
"""More of them say no more to a reader; JSON has them all."""
OURS = Path(__file__).parents[1]
STANDARD = Path(traceback.__file__).parent

_DETAILS = """\
Loads each backend in turn: what the host thinks of it, which labels it answers to, what it
implements, and what is wrong. Shows the environment variables that select and block.

exit status: 1 if anything is wrong: a backend that cannot be loaded or hand out what it lists, that
implements nothing, claims what is another's, or has what `verify` calls an error; or a variable that
selects what is not there"""
_EXAMPLES = """\
doctor example_host._backends:dispatcher
doctor example_host._backends:dispatcher --json"""


class Checkup(NamedTuple):
    """What was found of one backend."""

    info: BackendInfo
    labels: tuple[str, ...]
    implemented: int
    problems: tuple[str, ...]
    raised_at: str | None = None

    @property
    def health(self) -> str:
        """Say it in one word."""
        if self.info.state in ("broken", "refused"):
            return self.info.state
        return "odd" if self.problems else "ok"


class Diagnosis(NamedTuple):
    """What was found of one host."""

    host: str
    group: str
    functions: int
    environment: dict[str, str | None]
    checkups: tuple[Checkup, ...]
    problems: tuple[str, ...]
    """Those that are no single backend's."""

    @property
    def total(self) -> int:
        """Count all problems."""
        return len(self.problems) + sum(len(found.problems) for found in self.checkups)


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "doctor",
        run,
        summary="Try every backend, and tell what is wrong with any.",
        details=_DETAILS,
        examples=_EXAMPLES,
    )
    add_dispatcher(parser)
    add_json(parser)


def run(options: Namespace, console: Console) -> int:
    """Examine one host's backends and the environment."""
    diagnosis = _examine(find(options, console), console)
    show = _as_json if options.json else _as_text
    show(console, diagnosis)
    return int(diagnosis.total > 0)


def _examine(dispatcher: BackendDispatcher, console: Console) -> Diagnosis:
    with warnings.catch_warnings(record=True) as damage:
        warnings.simplefilter("always", BackendWarning)
        verdicts = parts(dispatcher).registry.verdicts()
    damaged = [_problem(found.message) for found in damage if _is_registration(found.message)]
    configuration = parts(dispatcher).registry.configuration
    return Diagnosis(
        host=configuration.host,
        group=configuration.group,
        functions=len(dispatcher.dispatched),
        checkups=tuple(_checkups(dispatcher, verdicts, console)),
        environment=_environment(dispatcher),
        problems=(*damaged, *_objections(dispatcher), *_misspelt(dispatcher)),
    )


def _checkups(
    dispatcher: BackendDispatcher, verdicts: tuple[Verdict, ...], console: Console
) -> Iterator[Checkup]:
    registry = parts(dispatcher).registry
    troubles = []
    for number, verdict in enumerate(verdicts, 1):
        name = verdict.candidate.name
        with (
            console.progress(f"loading {name} ({number} of {len(verdicts)})"),
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("always", BackendWarning)
            error = registry.attempt(verdict)
        told = [_problem(found.message) for found in caught if _is_registration(found.message)]
        troubles.append((error, told))
    known = [pair for pair in backends_with_labels(registry) if pair[0].state != "registered"]
    for verdict, (info, labels), (error, told) in zip(verdicts, known, troubles, strict=True):
        if error is not None or verdict.refused:
            yield _unusable(verdict, info, error)
        else:
            count, problems = _offered(dispatcher, registry.load(verdict))
            yield Checkup(info, labels, count, (*told, *problems))


def _unusable(verdict: Verdict, info: BackendInfo, error: BackendError | None) -> Checkup:
    """Tell of a backend that no call reaches; that the host's or user's own wish is no problem."""
    if error is None:
        return Checkup(info, (), 0, (f"{verdict.refused}",) if verdict.impostor else ())
    cause = getattr(error, "problem", None)
    problem = f"cannot be loaded: {cause}" if cause else str(error)
    if info.state == "installed":
        # An error that the next try may not meet is not kept; this try met it.
        info = info._replace(state="broken")
    return Checkup(info, (), 0, (problem,), _raised_at(error.__cause__))


def _offered(dispatcher: BackendDispatcher, backend: LoadedBackend) -> tuple[int, list[str]]:
    """Count what a backend implements, and tell what of its offer leads nowhere."""
    found = inspected(dispatcher, backend)
    host = parts(dispatcher).registry.configuration.host
    lost = dispatcher.dispatched and not found.implemented
    problems = [f"implements no function of {host}"] if lost else []
    problems += [
        f"{finding.function}: {finding.message}"
        if finding.function in dispatcher.dispatched
        else finding.message
        for finding in found.everything
        if finding.severity == "error"
    ]
    return len(found.implemented), problems


def _raised_at(error: BaseException | None) -> str | None:
    """Name the last line of a traceback that is neither ours nor Python's own."""
    frames = traceback.extract_tb(error.__traceback__) if error else []
    foreign = [frame for frame in frames if _is_foreign(frame.filename)]
    if not foreign:
        return None
    last = foreign[-1]
    return f"{last.filename}, line {last.lineno}: {last.line}"


def _is_foreign(file: str) -> bool:
    folders = Path(file).parents
    if file.startswith("<frozen") or OURS in folders:
        return False
    return STANDARD not in folders or any(folder.name == "site-packages" for folder in folders)


def _is_registration(message: Any) -> bool:
    return isinstance(message, BackendRegistrationWarning)


def _problem(message: Any) -> str:
    return str(message.problem)


def _environment(dispatcher: BackendDispatcher) -> dict[str, str | None]:
    """Read the variables that are in force."""
    found = read_environment(parts(dispatcher).registry.configuration.host)
    return {
        found.backend_variable: found.backend,
        found.fallback_variable: found.fallback,
        BLOCK_VARIABLE: os.environ.get(BLOCK_VARIABLE),
    }


def _objections(dispatcher: BackendDispatcher) -> list[str]:
    """Say what keeps the environment's choice from taking effect."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BackendWarning)
        try:
            dispatcher.settings.backends  # noqa: B018 - looking is what settles it
        except BackendError as error:
            return [" ".join([str(error), *getattr(error, "__notes__", ())])]
    return []


def _misspelt(dispatcher: BackendDispatcher) -> list[str]:
    """Say which entry points stand under a group that nobody reads, so like the host's is it."""
    own = parts(dispatcher).registry.configuration.group
    meant = [group for group in groups("") if closest(own, {group} - {own}, ALIKE)]
    return [f"something is installed for {group!r}; did it mean {own!r}?" for group in meant]


def _as_json(console: Console, diagnosis: Diagnosis) -> None:
    backends = [
        {
            **found.info._asdict(),
            "health": found.health,
            "labels": found.labels,
            "implemented": found.implemented,
            "problems": found.problems,
            "raised_at": found.raised_at,
        }
        for found in diagnosis.checkups
    ]
    console.json(
        {
            "host": diagnosis.host,
            "group": diagnosis.group,
            "functions": diagnosis.functions,
            "environment": diagnosis.environment,
            "backends": backends,
            "problems": diagnosis.problems,
        }
    )


def _as_text(console: Console, diagnosis: Diagnosis) -> None:
    checkups = diagnosis.checkups
    console.line(
        f"{console.paint('bold', diagnosis.host)}: {_number(len(checkups), 'backend')} in the "
        f"group {diagnosis.group!r}, {_number(diagnosis.total, 'problem')}"
    )
    rows = [_row(found, diagnosis.functions) for found in checkups]
    for found, line in zip(checkups, aligned(rows, console.paint), strict=True):
        console.line(f"\n{line}" if found is checkups[0] else line)
        for note in _notes(found):
            console.line(f"    {note}")
    console.line()
    for variable, value in diagnosis.environment.items():
        console.line(f"{variable}: {'not set' if value is None else value}")
    for problem in diagnosis.problems:
        console.line(f"\n{console.paint('bad', 'problem')}: {problem}")


def _row(found: Checkup, functions: int) -> list[Cell]:
    info = found.info
    cells: list[Cell] = [
        (STYLES[found.health], found.health),
        info.name,
        source(info.distribution, info.version),
        "trusted" if info.trusted else "not trusted",
    ]
    if found.labels:
        aliases = [label for label in found.labels if label != info.name]
        more = [f"{len(aliases) - MOST_ALIASES} more"] if len(aliases) > MOST_ALIASES else []
        cells.append(f"{found.implemented} of {functions} functions")
        cells.append(f"also {', '.join(aliases[:MOST_ALIASES] + more)}" if aliases else "")
    return cells


def _notes(found: Checkup) -> Iterator[str]:
    yield from found.problems
    if found.info.reason and not found.problems:
        yield found.info.reason
    if found.raised_at:
        yield f"raised at {found.raised_at}"


def _number(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"
