"""``manifest``: write the file that says what a backend offers, and keep it true."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scverse_backends import manifest

from .arguments import MisuseError, add_command

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Generator

    from .arguments import Commands, Parser
    from .console import Console

STYLES = {"+": "good", "-": "bad", "@": "dim"}

_WRITE_DETAILS = """\
Imports the adapter and writes what it offers into a TOML file beside its module, with its
name: my_backend/_backends/cells.toml for my_backend._backends.cells. Ship it in your package.
With it, hosts show your functions' options and resolve your aliases without importing you."""
_WRITE_EXAMPLES = """\
manifest write my_backend._backends.cells
manifest write my_backend.adapters:Cells -o -"""

_CHECK_DETAILS = """\
Imports the adapter and compares what it offers with what the file beside its module says.
Exit status 1, with the difference, if they are not the same: for your CI, or for pre-commit:

  - repo: local
    hooks:
      - id: manifest
        name: manifest
        entry: scverse-backends manifest check my_backend._backends.cells
        language: system
        pass_filenames: false"""
_CHECK_EXAMPLES = """\
manifest check my_backend._backends.cells
manifest check my_backend.adapters:Cells -f built/cells.toml"""


def add(commands: Commands) -> None:
    """Add the command, which has two of its own."""
    summary = "Write or check what your backend offers, as a file."
    parser = commands.add_parser("manifest", help=summary, description=summary)
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_write(inner)
    _add_check(inner)


def _add_write(commands: Commands) -> None:
    parser = add_command(
        commands,
        "write",
        write,
        summary="Write the manifest of an adapter.",
        details=_WRITE_DETAILS,
        examples=_WRITE_EXAMPLES,
    )
    _add_adapter(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write here, and not beside the module; - is standard output",
    )


def _add_check(commands: Commands) -> None:
    parser = add_command(
        commands,
        "check",
        check,
        summary="Compare the manifest of an adapter with the adapter.",
        details=_CHECK_DETAILS,
        examples=_CHECK_EXAMPLES,
    )
    _add_adapter(parser)
    parser.add_argument(
        "-f", "--file", metavar="FILE", help="check this, and not the file beside the module"
    )


def _add_adapter(parser: Parser) -> None:
    parser.add_argument(
        "adapter",
        metavar="ADAPTER",
        help="what your entry point names, as package.module or package.module:attribute",
    )


def write(options: Namespace, console: Console) -> int:
    """Write a manifest."""
    with _adapter(options.adapter, console):
        if options.output == "-":
            console.write(manifest.dumps(manifest.describe(options.adapter)))
        else:
            console.line(f"wrote {manifest.write(options.adapter, options.output)}")
    return 0


def check(options: Namespace, console: Console) -> int:
    """Compare a manifest with its adapter."""
    mend = f"mend it with: scverse-backends manifest write {options.adapter}"
    with _adapter(options.adapter, console):
        file = options.file or manifest.place(options.adapter)
        try:
            difference = manifest.check(options.adapter, file)
        except FileNotFoundError:
            console.line(f"{file} is not there; {mend}")
        except manifest.ManifestError as error:
            console.line(f"{file} {error}; {mend}")
        else:
            if not difference:
                console.line(f"{file} is true")
                return 0
            for line in difference.splitlines():
                style = STYLES.get(line[:1])
                console.line(console.paint(style, line) if style else line)
            console.line(f"{file} is not true any more; {mend}")
    return 1


@contextmanager
def _adapter(reference: str, console: Console) -> Generator[None]:
    """Say what is wrong with an adapter, whatever it raises."""
    # As `python -m` does: a package under development is found where its author stands.
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        with console.progress(f"importing {reference}"):
            yield
    except (OSError, manifest.AdapterError, manifest.ManifestError) as error:
        msg = f"{reference}: {error}"
        raise MisuseError(msg) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        msg = f"cannot import {reference!r} ({type(error).__name__}: {error})"
        raise MisuseError(msg) from error
