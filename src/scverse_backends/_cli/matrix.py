"""``matrix``: a host's functions against its backends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scverse_backends._checks.matrix import FORMATS, gather

from .arguments import add_command, add_dispatcher
from .hosts import find

if TYPE_CHECKING:
    from argparse import Namespace
    from contextlib import AbstractContextManager

    from .arguments import Commands
    from .console import Console

_DETAILS = """\
For each function and each backend: whether it is implemented, which parameters are missing and
which defaults differ. The HTML is one page that needs nothing else and can be published as it is.
A backend that ships a manifest is not imported; any other is. None of their functions is called."""
_EXAMPLES = """\
matrix example_host._backends:dispatcher
matrix example_host._backends:dispatcher --format markdown
matrix example_host._backends:dispatcher --format html --output backends.html"""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "matrix",
        run,
        summary="Show which backend implements what, and with what exceptions.",
        details=_DETAILS,
        examples=_EXAMPLES,
    )
    add_dispatcher(parser)
    parser.add_argument("--format", choices=[*FORMATS], default="text")
    parser.add_argument(
        "--json", action="store_const", const="json", dest="format", help="as --format json"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it to a file")


def run(options: Namespace, console: Console) -> int:
    """Compare everything with everything."""

    def loading(name: str) -> AbstractContextManager[None]:
        return console.progress(f"loading {name}")

    matrix = gather(find(options, console), loading)
    console.deliver(FORMATS[options.format](matrix), options.output)
    return 0
