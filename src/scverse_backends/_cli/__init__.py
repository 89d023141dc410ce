"""The command line: one file a command, which asks the library and shows what it says.

Exit statuses: 0 when all is well, 1 when a command found what it looks for,
2 when it was used wrongly.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from scverse_backends.exceptions import BackendError, UnknownBackendError

from . import doctor, explain, manifest, matrix, verify
from . import list as list_
from .arguments import Finished, MisuseError, Parser
from .console import Console

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = (list_, doctor, explain, matrix, verify, manifest)

INTERRUPTED = 130
_EPILOG = """\
A DISPATCHER is named as module:attribute, where the host keeps its BackendDispatcher:
  scverse-backends doctor example_host._backends:dispatcher

exit status: 0 all is well, 1 something was found, 2 used wrongly
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments
        What stands behind the program's name; that of this process if left out.

    Returns
    -------
    int
        The exit status.
    """
    console = Console(sys.stdout, sys.stderr, os.environ)
    try:
        status = _run(sys.argv[1:] if arguments is None else arguments, console)
        console.flush()
    except BrokenPipeError:
        console.abandon()
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


def _run(arguments: Sequence[str], console: Console) -> int:
    """Read the arguments and do what they say; every misuse has status 2."""
    try:
        with console.warnings():
            options = _parser(console).read(arguments)
            status: int = options.run(options, console)
    except Finished as finished:
        return finished.status
    except UnknownBackendError as error:
        console.note(f"scverse-backends: error: {error}")
        return 2
    except BackendError as error:
        console.note(f"scverse-backends: {error}")
        return 1
    except MisuseError as misuse:
        console.note(f"scverse-backends: error: {misuse}")
        return 2
    return status


def _parser(console: Console) -> Parser:
    parser = Parser(
        prog="scverse-backends",
        description="See which backends are installed, and prove what they can do.",
        epilog=_EPILOG,
        console=console,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return parser
