"""``manifest``: write the file that says what a backend offers, and keep it up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from scverse_backends import manifest
from scverse_backends._ground.safe_repr import attempt, describe_error

from .arguments import Command, Group, MisuseError, import_from_here

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeVar

    from .arguments import Parser
    from .console import Console

    T = TypeVar("T")

STYLES = {"+": "good", "-": "bad", "@": "dim"}


def _add_output(parser: Parser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write here instead of beside the module; - is standard output",
    )


def write(options: Namespace, console: Console) -> int:
    """Write a manifest."""
    adapter, file = options.adapter, options.output

    def written() -> str:
        if file == "-":
            return manifest.dumps(manifest.describe(adapter))
        return f"wrote {manifest.write(adapter, file)}\n"

    console.write(_importing(adapter, console, written))
    return 0


def _add_file(parser: Parser) -> None:
    parser.add_argument(
        "-f", "--file", metavar="FILE", help="check this instead of the file beside the module"
    )


def check(options: Namespace, console: Console) -> int:
    """Compare a manifest with its adapter."""
    adapter = options.adapter

    def compared() -> tuple[str | Path, str, str]:
        file = options.file or manifest.place(adapter)
        return (file, *_compare(adapter, file))

    file, difference, fault = _importing(adapter, console, compared)
    for line in difference.splitlines():
        style = STYLES.get(line[:1])
        console.line(console.paint(style, line) if style else line)
    command = f" with: scverse-backends manifest write {adapter}"
    console.line(f"{file} {fault}{command}" if fault else f"{file} is up to date")
    return int(bool(fault))


def _compare(adapter: str, file: str | Path) -> tuple[str, str]:
    """Give the difference between a manifest and its adapter, and what is wrong with the file."""
    try:
        difference = manifest.check(adapter, file)
    except FileNotFoundError:
        return "", "is not there; write it"
    except manifest.ManifestError as error:
        return "", f"{error}; write it anew"
    return difference, "is out of date; update it" if difference else ""


def _add_adapter(parser: Parser) -> None:
    parser.add_argument(
        "adapter",
        metavar="ADAPTER",
        help="what your entry point names, as package.module or package.module:attribute",
    )


def _importing(adapter: str, console: Console, work: Callable[[], T]) -> T:
    """Do something for which an adapter is imported, and say what is wrong if that fails."""

    def failed(error: BaseException) -> NoReturn:
        known = isinstance(error, (OSError, manifest.AdapterError, manifest.ManifestError))
        msg = (
            f"{adapter}: {error}"
            if known
            else f"cannot import {adapter!r} ({describe_error(error)})"
        )
        raise MisuseError(msg) from error

    import_from_here()
    with console.progress(f"importing {adapter}"):
        return attempt(work, failed)


WRITE = Command(
    name="write",
    summary="Write the manifest of an adapter.",
    details="""\
Imports the adapter and writes what it offers into a TOML file beside its module, with its
name: my_backend/_backends/cells.toml for my_backend._backends.cells. Ship it in your package.
With it, hosts show your functions' options and resolve your aliases without importing you.""",
    examples="""\
manifest write my_backend._backends.cells
manifest write my_backend.adapters:Cells -o -""",
    options=(_add_adapter, _add_output),
    run=write,
)
CHECK = Command(
    name="check",
    summary="Compare the manifest of an adapter with the adapter.",
    details="""\
Imports the adapter and compares what it offers with what the file beside its module says.
Exit status 1, with the difference, if they are not the same: for your CI, or for pre-commit:

  - repo: local
    hooks:
      - id: manifest
        name: manifest
        entry: scverse-backends manifest check my_backend._backends.cells
        language: system
        pass_filenames: false""",
    examples="""\
manifest check my_backend._backends.cells
manifest check my_backend.adapters:Cells -f built/cells.toml""",
    options=(_add_adapter, _add_file),
    run=check,
)
MANIFEST = Group("manifest", "Write or check what your backend offers, as a file.", (WRITE, CHECK))
