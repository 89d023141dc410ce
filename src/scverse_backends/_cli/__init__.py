"""The command line ``scverse-backends``: one table of commands, which ask the rooms below.

A command is a `Command` record: what its help says, its options, and the function that does the work.
To add one, write its record in the file of its subject and put it into `PROGRAM`.
`main` is the door: words go in, an exit status comes out (0 all is well, 1 something was found,
2 used wrongly).
"""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from scverse_backends import __version__
from scverse_backends.exceptions import BackendError, UnknownBackendError

from .arguments import Command, MisuseError, Parser
from .compare import MANIFEST, MATRIX, VERIFY
from .console import Console
from .doctor import DOCTOR
from .run import RUN
from .script import shown_already
from .show import EXPLAIN, LIST

if TYPE_CHECKING:
    from collections.abc import Sequence


def _add_version(parser: Parser) -> None:
    parser.add_argument("-V", "--version", action="version", version=f"%(prog)s {__version__}")


PROGRAM = Command(
    name="scverse-backends",
    summary="Run scripts on backends, see which are installed, and prove what they can do.",
    details="""\
A DISPATCHER is the name of a host, such as scanpy, if the host says where its
BackendDispatcher is; or else that place, as module:attribute.

exit status: 0 all is well, 1 something was found, 2 used wrongly""",
    examples="""\
doctor example_host
doctor example_host._backends:dispatcher""",
    options=(_add_version,),
    commands=(RUN, LIST, DOCTOR, EXPLAIN, MATRIX, VERIFY, MANIFEST),
)
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments
        The words after the program's name; those of this process if left out.

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
        if sys.excepthook is shown_already:
            raise
        return INTERRUPTED
    return status


def _run(arguments: Sequence[str], console: Console) -> int:
    """Read the arguments and run their command; every misuse has status 2."""
    try:
        options = Parser(PROGRAM, prog=PROGRAM.name).read(arguments)
        if isinstance(options, int):
            return options
        console.quiet = options.quiet
        with console.warnings() if options.command.shows_warnings else nullcontext():
            status: int = options.command.run(options, console)
            return status
    except (MisuseError, UnknownBackendError) as error:
        console.error(str(error))
        return 2
    except BackendError as error:
        console.error(str(error))
        return 1
