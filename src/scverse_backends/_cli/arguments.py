"""Arguments: how the commands read what they are told."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .console import Console

    Commands = argparse._SubParsersAction["Parser"]  # noqa: SLF001 - argparse has no other name
    Run = Callable[[argparse.Namespace, Console], int]


class MisuseError(Exception):
    """The command line was used wrongly; the text says how, and what to do."""


class Finished(Exception):  # noqa: N818 - no error: help was shown, and that was all
    """There is nothing left to do."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Parser(argparse.ArgumentParser):
    """A parser that writes through the console and never ends the process."""

    def __init__(self, *, console: Console, **options: Any) -> None:
        kind = argparse.RawDescriptionHelpFormatter
        super().__init__(formatter_class=kind, allow_abbrev=False, **options)
        self.color = False  # from 3.14 on argparse has colours of its own
        self._console = console

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Read arguments; those of a call may stand behind options, as argparse cannot have it."""
        options, left = self.parse_known_args(arguments)
        if hasattr(options, "arguments"):
            options.arguments += [word for word in left if not word.startswith("-")]
            left = [word for word in left if word.startswith("-")]
        if left:
            self.error(f"unrecognized arguments: {' '.join(left)}")
        return options

    def _print_message(self, message: str | None, file: Any = None) -> None:
        del file
        self._console.write(message or "")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Say that it is over, where argparse would end the process."""
        del message
        raise Finished(status)

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments."""
        misuse = f"{message}\n{self.format_usage().strip()}\nsee {self.prog} --help"
        raise MisuseError(misuse)

    def add_subparsers(self, **options: Any) -> Any:
        """Give the commands the same console."""
        kind: Any = partial(type(self), console=self._console)
        return super().add_subparsers(parser_class=kind, **options)


def add_command(
    commands: Commands, name: str, run: Run, *, summary: str, details: str, examples: str
) -> Parser:
    """Add a command whose help ends in examples.

    Parameters
    ----------
    commands
        Where it is added.
    name
        What the user writes.
    run
        Does the work and gives the exit status.
    summary, details
        What it does: in one line, and what else there is to know.
    examples
        Command lines, one a line, without the program's name.
    """
    lines = "".join(f"  scverse-backends {line}\n" for line in examples.splitlines())
    parser = commands.add_parser(
        name, help=summary, description=f"{summary}\n\n{details}", epilog=f"examples:\n{lines}"
    )
    parser.set_defaults(run=run)
    return parser


def add_dispatcher(parser: Parser, *, optional: bool = False) -> None:
    """Let a command be told which dispatcher it is about."""
    parser.add_argument(
        "dispatcher",
        metavar="DISPATCHER",
        nargs="?" if optional else None,
        help="where the host keeps its dispatcher, as module:attribute",
    )
    parser.add_argument(
        "-i",
        "--import",
        action="append",
        default=[],
        dest="modules",
        metavar="MODULE",
        help="import this too before looking, for hosts that import parts of themselves late",
    )


def add_json(parser: Parser) -> None:
    """Let a command write for machines."""
    parser.add_argument("--json", action="store_true", help="write JSON")
