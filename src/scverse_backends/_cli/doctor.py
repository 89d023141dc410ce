"""``doctor``: try every backend, and say what is wrong with any of them."""

from __future__ import annotations

import os
import traceback
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._backends.configuration import BLOCK_VARIABLE, read_environment
from scverse_backends._backends.registry import UNUSABLE
from scverse_backends._checks.findings import number_of
from scverse_backends._checks.verify import inspected
from scverse_backends._ground.records import origin
from scverse_backends._ground.rendering import hanging
from scverse_backends.dispatcher import parts
from scverse_backends.exceptions import (
    BackendError,
    BackendRegistrationWarning,
    BackendSelectionWarning,
    BackendWarning,
)

from .arguments import Command, add_dispatcher, add_json, find_dispatcher
from .show import near_misses

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Generator, Iterator, Mapping

    from scverse_backends._checks.findings import Verification
    from scverse_backends._ground.records import BackendInfo, Verdict
    from scverse_backends._ground.rendering import Cell
    from scverse_backends.dispatcher import BackendDispatcher

    from .console import Console

STYLES = {"ok": "good", "warning": "doubtful", "refused": "doubtful", "broken": "bad"}
MOST_ALIASES = 12
"""More of them say no more to a reader; JSON has them all."""
OURS = Path(__file__).parents[1]
STANDARD = Path(traceback.__file__).parent


class Checkup(NamedTuple):
    """One backend: what is known of it, and what came of loading it and comparing it with its host.

    Parameters
    ----------
    info, labels
        What is known of it, and what it is called.
    problems
        What is wrong, in words.
    functions
        Whether it implements each function of the host; empty if it does not load.
    raised_at
        The line of the backend that raised.
    """

    info: BackendInfo
    labels: tuple[str, ...]
    problems: tuple[str, ...]
    functions: Mapping[str, bool]
    raised_at: str | None

    @property
    def health(self) -> str:
        """Say it in one word."""
        if self.info.state in UNUSABLE:
            return self.info.state
        return "warning" if self.problems else "ok"


class Examination(NamedTuple):
    """One host: its backends, the environment, and the problems that are no single backend's."""

    host: str
    group: str
    environment: Mapping[str, str | None]
    backends: tuple[Checkup, ...]
    problems: tuple[str, ...]

    @property
    def total(self) -> int:
        """Count all problems."""
        return len(self.problems) + sum(len(found.problems) for found in self.backends)


def run(options: Namespace, console: Console) -> int:
    """Examine one host's backends and the environment."""
    examination = _examine(find_dispatcher(options, console), console)
    if options.json:
        console.json(_as_json(examination))
    else:
        for line in _as_text(examination, console):
            console.line(line)
    return int(examination.total > 0)


def _examine(dispatcher: BackendDispatcher, console: Console) -> Examination:
    registry = parts(dispatcher).registry
    with _collected_problems() as damage:
        verdicts = registry.verdicts()
    trials = []
    for number, verdict in enumerate(verdicts, 1):
        with console.progress(f"loading {verdict.candidate.name} ({number} of {len(verdicts)})"):
            trials.append(_try(dispatcher, verdict))
    # Which labels a backend keeps is certain once all are loaded.
    known = [one for one in registry.listed(quietly=True) if one.info.state != "registered"]
    group = dispatcher.entrypoint_group
    elsewhere = (f"something is installed for {text}" for text in near_misses({group}))
    return Examination(
        host=dispatcher.host_name,
        group=group,
        environment=_environment(dispatcher.host_name),
        backends=tuple(
            Checkup(one.info, one.labels, *trial) for one, trial in zip(known, trials, strict=True)
        ),
        problems=(*damage, *_environment_errors(dispatcher), *elsewhere),
    )


@contextmanager
def _collected_problems(
    kind: type[BackendRegistrationWarning | BackendSelectionWarning] = BackendRegistrationWarning,
) -> Generator[list[str]]:
    """Collect what the library warns of; that a backend is not trusted is shown otherwise."""
    problems: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", BackendWarning)
        yield problems
    messages: Any = [warning.message for warning in caught]
    problems += [m.problem for m in messages if isinstance(m, kind)]


def _try(
    dispatcher: BackendDispatcher, verdict: Verdict
) -> tuple[tuple[str, ...], Mapping[str, bool], str | None]:
    """Load one backend and compare it with the host; give the last three fields of its checkup."""
    registry = parts(dispatcher).registry
    if verdict.refused:  # by the host, which is a problem; or by the user, which is none
        return (verdict.refused,) if verdict.impostor else (), {}, None
    with _collected_problems() as problems:
        error = registry.attempt(verdict, quietly=True)
        found = None if error else inspected(dispatcher, registry.load(verdict))
    if found is None:
        cause = getattr(error, "problem", None)
        problem = f"cannot be loaded: {cause}" if cause else str(error)
        return (problem,), {}, _raised_at(error)
    functions = {fit.function: fit.implemented for fit in found.functions}
    return (*problems, *_errors(found)), functions, None


def _errors(found: Verification) -> Iterator[str]:
    """Say what of a backend's offer leads nowhere."""
    if found.functions and not found.implemented:
        yield f"implements no function of {found.host}"
    dispatched = {fit.function for fit in found.functions}
    for finding in found.findings:
        if finding.severity == "error":
            about = f"{finding.function}: " if finding.function in dispatched else ""
            yield f"{about}{finding.message}"


def _raised_at(error: BackendError | None) -> str | None:
    """Name the last line of a traceback that is not in this library or in Python."""
    cause = error.__cause__ if error else None
    for frame in reversed(traceback.extract_tb(cause.__traceback__) if cause else []):
        if _is_foreign(frame.filename):
            return f"{frame.filename}, line {frame.lineno}: {frame.line}"
    return None


def _is_foreign(file: str) -> bool:
    folders = Path(file).parents
    if file.startswith("<frozen") or OURS in folders:
        return False
    return STANDARD not in folders or any(folder.name == "site-packages" for folder in folders)


def _environment(host: str) -> dict[str, str | None]:
    """Read the variables that are in force."""
    found = read_environment(host)
    off = {found.off: os.environ[found.off]} if found.off else {}
    return {
        **off,
        found.backend_variable: found.backend,
        found.fallback_variable: found.fallback,
        BLOCK_VARIABLE: os.environ.get(BLOCK_VARIABLE),
    }


def _environment_errors(dispatcher: BackendDispatcher) -> list[str]:
    """Say what keeps the environment's choice from taking effect."""
    with _collected_problems(BackendSelectionWarning) as problems:
        try:
            dispatcher.settings.backends  # noqa: B018 - reading it resolves the choice
        except BackendError as error:
            said = (str(error), *getattr(error, "__notes__", ()))
            return [" ".join(f"{text.rstrip('.')}." for text in said)]
    return [] if parts(dispatcher).selector.off else problems


def _as_json(examination: Examination) -> dict[str, Any]:
    return {**examination._asdict(), "backends": [*map(_plain, examination.backends)]}


def _plain(found: Checkup) -> dict[str, Any]:
    told = found._asdict()
    return {**told.pop("info")._asdict(), "health": found.health, **told}


def _as_text(examination: Examination, console: Console) -> Iterator[str]:
    backends = examination.backends
    yield (
        f"{console.paint('bold', examination.host)}: {number_of(len(backends), 'backend')} in the "
        f"group {examination.group!r}, {number_of(examination.total, 'problem')}\n"
    )
    columns = ("status", "name", "package", "trusted", "functions")
    heads, *lines = console.table(columns, [*map(_row, backends)])
    yield from [heads] * bool(backends)
    for found, line in zip(backends, lines, strict=True):
        yield line
        for note in _notes(found):
            yield from hanging("    ", note, console.width)
        if found.raised_at:  # in one line, for terminals that make a link of it
            yield f"    raised at {found.raised_at}"
    if backends:
        yield ""
    for variable, value in examination.environment.items():
        yield f"{variable}: {'not set' if value is None else value}"
    for problem in examination.problems:
        first, *others = hanging("problem: ", problem, console.width)
        yield "\n" + first.replace("problem", console.paint("bad", "problem"), 1)
        yield from others


def _row(found: Checkup) -> list[Cell]:
    info, functions = found.info, found.functions
    works = found.health in ("ok", "warning")
    return [
        (STYLES[found.health], found.health),
        info.name,
        origin(info),
        "yes" if info.trusted else "no",
        f"{sum(functions.values())} of {len(functions)}" if works else "",
    ]


def _notes(found: Checkup) -> Iterator[str]:
    aliases = [label for label in found.labels if label != found.info.name]
    if aliases:
        more = [f"{len(aliases) - MOST_ALIASES} more"] if len(aliases) > MOST_ALIASES else []
        yield f"also called {', '.join(aliases[:MOST_ALIASES] + more)}"
    yield from found.problems
    if found.info.reason and not found.problems:
        yield found.info.reason


DOCTOR = Command(
    name="doctor",
    summary="Try every backend, and tell what is wrong with any.",
    details="""\
Loads each backend in turn: whether the host trusts it, which labels name it,
what it implements, and what is wrong. Shows the environment variables that
select and block.

exit status: 1 if anything is wrong: a backend that cannot be loaded or hand
out what it lists, that implements nothing, claims what is another's, ships a
manifest that is out of date, or has what `verify` calls an error; or a
variable that selects what is not there""",
    examples="""\
doctor example_host
doctor example_host --json""",
    options=(add_dispatcher, add_json),
    run=run,
)
