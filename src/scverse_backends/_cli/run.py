"""``run``: somebody's script under a selection, and a report of what it did."""

from __future__ import annotations

import argparse
import atexit
import os
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scverse_backends._backends.configuration import FALLBACK_POLICIES, read_environment
from scverse_backends._display.trace import Trace
from scverse_backends._ground.labels import quoted
from scverse_backends._selection.processes import watch_hosts

from . import script
from .arguments import Command, MisuseError, refuse_function
from .report import FORMATS, Report, as_text, line_profile

if TYPE_CHECKING:
    from argparse import Namespace

    from scverse_backends._selection.selector import Selector

    from .arguments import Parser
    from .console import Console


MOST_CALLS = 100_000
"""They keep about 20 MB; a report of more is read by nobody."""


class HostChoice(NamedTuple):
    """What ``--backend`` says: labels, and for which host, if it says so."""

    host: str
    labels: str


class Watch:
    """Selects for the hosts that a program imports, and traces them.

    Attributes
    ----------
    traces
        One for each host that was imported.
    """

    def __init__(self, choices: list[HostChoice], fallback: str | None, most: int) -> None:
        chosen = {_variable(choice.host): choice for choice in choices}
        if len(chosen) < len(choices):
            msg = "--backend is given twice for one host; write --backend HOST=LABEL,LABEL"
            raise MisuseError(msg)
        self._nameless = chosen.pop(_variable(""), None)
        self._named = chosen
        self._unnamed: dict[str, str] = {}
        self._fallback = fallback
        self._most = most
        self._off: dict[str, str] = {}
        self.traces: list[Trace] = []
        for choice in chosen.values():
            self._select(choice.host, choice)

    def __call__(self, selector: Selector) -> None:
        """Take in a host that was made."""
        host = selector.configuration.host
        variable = _variable(host)
        if variable not in self._named and variable not in self._unnamed:
            self._select(host, None if self._unnamed else self._nameless)
            self._unnamed[variable] = host
        environment = read_environment(host)
        selector.take_environment(environment)
        if environment.off:
            self._off[host] = environment.off
        trace = Trace(selector, every_thread=True, most=self._most)
        self.traces.append(trace.__enter__())

    def _select(self, host: str, choice: HostChoice | None) -> None:
        """Select by the environment: it holds in processes that the program starts, too."""
        variables = read_environment(host)
        if choice:
            os.environ[variables.backend_variable] = choice.labels
        if self._fallback:
            os.environ[variables.fallback_variable] = self._fallback

    def fell_back(self) -> bool:
        """Whether the host ran a call in a backend's place."""
        return any(
            trace.unrecorded_fallbacks or any(one.is_fallback for one in trace.records)
            for trace in self.traces
        )

    def switched_off(self) -> list[str]:
        """Say which hosts ran every call themselves, whatever was selected."""
        return [f"{by} is set: {host} ran every call itself" for host, by in self._off.items()]

    def only_starts_others(self) -> bool:
        """Whether no host was imported here, but perhaps by a process that the program started."""
        spent = os.times()  # by processes that were waited for; Windows does not tell
        started = spent.children_user + spent.children_system > 0
        return started and not (self.traces or self._nameless)

    def notes(self) -> list[str]:
        """Say which choices had no effect here."""
        here = {_variable(trace.host): trace.host for trace in self.traces}
        there = f"there were: {quoted(here.values())}" if here else "there was none"
        found = [
            f"--backend {host}={labels} had no effect here: no host {host!r} was imported; {there}"
            for variable, (host, labels) in self._named.items()
            if variable not in here
        ]
        hosts = [*self._unnamed.values()]
        if self._nameless and not hosts:
            none = "no other host" if here else "no host"
            found.append(f"--backend {self._nameless.labels} had no effect: {none} was imported")
        if self._nameless and hosts[1:]:
            found.append(
                f"--backend {self._nameless.labels} was taken for {hosts[0]!r}, the first host; "
                f"not for {quoted(hosts[1:])}. Write HOST=LABELS for each."
            )
        return found


def _variable(host: str) -> str:
    """Name the variable that selects for a host: it tells whether two names mean the same."""
    return read_environment(host).backend_variable


def run(options: Namespace, console: Console) -> int:
    """Run a program; its exit status is given, unless all is well with it and not with the run."""
    target = _report_file(options.report)
    watch = Watch(options.backend, options.fallback, options.most_calls)
    find = script.find_module if options.module else script.find_script
    name, *arguments = options.program
    program = find(name)

    def finish() -> None:
        report = Report(" ".join(options.program), tuple(watch.traces))
        source = program.facts["__file__"] if options.line_profile else None
        with suppress(ValueError, OSError):  # a program may have closed standard error
            _tell(report, watch, source, target, console)

    watch_hosts(watch)
    # Before the program registers anything, so that this is called after all of that.
    atexit.register(finish)
    at_fork = getattr(os, "register_at_fork", lambda **_: None)  # Windows has none
    at_fork(after_in_child=partial(atexit.unregister, finish))
    try:
        status = script.run(program, arguments)
    except SystemExit as end:
        if end.code not in (None, 0):
            raise
        status = 0
    return status or _own_status(watch, options.fail_on)


def _own_status(watch: Watch, fail_on: str | None) -> int:
    """Give the status of a run whose program ended well."""
    if watch.notes() and not watch.only_starts_others():
        return 2
    return int(fail_on == "fallback" and (bool(watch.switched_off()) or watch.fell_back()))


def _tell(
    report: Report, watch: Watch, source: str | None, target: Path | None, console: Console
) -> None:
    console.note(f"\nscverse-backends run {report.program}")
    console.note(as_text(report) if report.traces else "No host was imported.")
    if source is not None:
        console.note(f"\n{line_profile(report, source)}")
    notes, warnings = watch.notes(), watch.switched_off()
    if notes or warnings or target:
        console.note("")
    tell = console.warning if watch.only_starts_others() else console.error
    for text in notes:
        tell(text)
    for text in warnings:
        console.warning(text)
    if target is not None:
        try:
            target.write_text(f"{FORMATS[target.suffix](report)}\n", encoding="utf-8")
        except OSError as error:
            console.error(f"cannot write {target}: {error.strerror}")
        else:
            console.note(f"wrote {target}")


def _report_file(name: str | None) -> Path | None:
    """Check where the report is to go before anything runs."""
    if name is None:
        return None
    file = Path(name).absolute()  # a program may go to another folder
    if file.suffix not in FORMATS:
        msg = f"--report writes {', '.join(FORMATS)}, not {name!r}"
        raise MisuseError(msg)
    if not file.parent.is_dir():
        msg = f"--report cannot write {name!r}: there is no folder {str(file.parent)!r}"
        raise MisuseError(msg)
    return file


def _choice(text: str) -> HostChoice:
    """Read ``HOST=LABELS`` or ``LABELS``."""
    host, equals, labels = text.partition("=")
    if not equals:
        return HostChoice("", text)
    refuse_function(host, text)
    return HostChoice(host.strip(), labels)


def _add_options(parser: Parser) -> None:
    parser.add_argument(
        "-b",
        "--backend",
        action="append",
        default=[],
        type=_choice,
        metavar="HOST=LABELS",
        help="select for a host, as its environment variable does; labels alone for the only host",
    )
    parser.add_argument(
        "--fallback",
        choices=FALLBACK_POLICIES,
        help="what happens where no selected backend can take a call",
    )
    parser.add_argument("--report", metavar="FILE", help="write the report: .json, .html or .md")
    parser.add_argument(
        "--line-profile", action="store_true", help="print the script with where each line ran"
    )
    parser.add_argument(
        "--fail-on", choices=["fallback"], help="what makes the exit status 1 where it would be 0"
    )
    parser.add_argument(
        "--most-calls",
        type=int,
        default=MOST_CALLS,
        metavar="N",
        help="record this many calls of each host, count the others (default: %(default)s)",
    )
    parser.add_argument("-m", "--module", action="store_true", help="SCRIPT is a module's name")
    # Not two arguments: of the words that the script is given, a first "--" would be lost.
    parser.add_argument(
        "program",
        metavar="SCRIPT",
        nargs=argparse.PARSER,
        help="what to run, and the words that it is given; - for standard input",
    )


RUN = Command(
    name="run",
    summary="Run a script on a backend, and see what it did.",
    details="""\
The script needs no edit: it runs as `python SCRIPT ARGS` would run it.
Selects by the variables of the environment, so that processes that the script
starts follow. Afterwards a report goes to standard error: what ran where, how
long, and what fell back from which line, and why.

exit status: the script's own; where that is 0: 1 for what --fail-on says, 2
if a --backend was for a host that was not imported, unless all is done in
processes that the script starts""",
    examples="""\
run -b example_host=accelerated analysis.py --cells 500
run -b tiled --fallback error -m my_package.pipeline
run -b example_host=tiled --report what-ran.html analysis.py
run -b accelerated --fail-on fallback analysis.py""",
    options=(_add_options,),
    run=run,
    shows_warnings=False,
)
