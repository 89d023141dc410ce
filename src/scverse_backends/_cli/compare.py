"""``matrix``, ``verify`` and ``manifest``: what backends offer, held against what others say.

``matrix`` and ``verify`` compare it with what the host dispatches, ``manifest``
with the file that says so.
"""

from __future__ import annotations

import json
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from scverse_backends import manifest
from scverse_backends._checks.findings import SEVERITIES, as_junit
from scverse_backends._checks.matrix import FORMATS, gather
from scverse_backends._checks.verify import verify
from scverse_backends._ground.safe_repr import attempt, describe_error
from scverse_backends._selection.request import OPTIONAL
from scverse_backends.exceptions import BackendError

from .arguments import (
    Command,
    MisuseError,
    add_backend,
    add_dispatcher,
    find_dispatcher,
    import_from_here,
)

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from scverse_backends._checks.findings import Severity, Verification

    from .arguments import Parser
    from .console import Console

    T = TypeVar("T")

STYLES = {"+": "good", "-": "bad", "@": "dim"}
"""How the lines of a difference are shown."""


def show_matrix(options: Namespace, console: Console) -> int:
    """Compare every function with every backend."""
    dispatcher = find_dispatcher(options, console)
    matrix = gather(dispatcher, lambda name: console.progress(f"loading {name}"))
    _write(FORMATS[options.format](matrix), options.output, console)
    return 0


def _add_choice(parser: Parser) -> None:
    """Let ``verify`` be told which backends it is about, and what fails it."""
    add_backend(parser, "verify this backend; may be given more than once")
    parser.add_argument(
        "--fail-on",
        choices=[*SEVERITIES, "never"],
        default="error",
        help="what makes the exit status 1 (default: %(default)s)",
    )


def verify_backends(options: Namespace, console: Console) -> int:
    """Verify one backend after the other."""
    dispatcher = find_dispatcher(options, console)
    results = []
    for label in options.backend or dispatcher.settings.available_backends():
        with console.progress(f"verifying {label}"):
            try:
                results.append(verify(dispatcher, label.removesuffix(OPTIONAL)))
            except BackendError as error:
                if label.endswith(OPTIONAL):
                    console.note(f"left out: {error}")
                    continue
                raise
            except ValueError as error:
                raise MisuseError(str(error)) from error
    fail_on: Severity | None = None if options.fail_on == "never" else options.fail_on
    _write(_as_text(results, options.format, fail_on, console), options.output, console)
    return int(fail_on is not None and any(result.failures(fail_on) for result in results))


def _as_text(
    results: list[Verification], form: str, fail_on: Severity | None, console: Console
) -> str:
    if form == "json":
        return json.dumps([json.loads(result.to_json()) for result in results], indent=2)
    if form == "junit":
        return as_junit(results, fail_on)
    if not results:
        return "There is no backend to verify."
    return "\n\n".join(result.text(console.paint, console.width) for result in results)


def _add_output(formats: Iterable[str], parser: Parser) -> None:
    """Let a command be told what to write, and where."""
    parser.add_argument("--format", choices=[*formats], default="text")
    parser.add_argument(
        "--json", action="store_const", const="json", dest="format", help="as --format json"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it to a file")


def _write(text: str, file: Path | None, console: Console) -> None:
    """Write a whole result, to a file if one is named."""
    if file is None:
        console.line(text)
        return
    try:
        file.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        msg = f"cannot write {file}: {error.strerror}"
        raise MisuseError(msg) from error
    console.note(f"wrote {file}")


def _add_target(parser: Parser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write here instead of beside the module; - is standard output",
    )


def write_manifest(options: Namespace, console: Console) -> int:
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


def check_manifest(options: Namespace, console: Console) -> int:
    """Compare a manifest with its adapter."""
    adapter = options.adapter

    def compared() -> tuple[str | Path, str, str]:
        file = options.file or manifest.place(adapter)
        return (file, *_compare(adapter, file))

    file, difference, fault = _importing(adapter, console, compared)
    for line in difference.splitlines():
        style = STYLES.get(line[:1])
        console.line(console.paint(style, line) if style else line)
    there = f" -o {shlex.quote(options.file)}" if options.file else ""
    command = f" with: scverse-backends manifest write {adapter}{there}"
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
        msg = f"cannot import {adapter!r} ({describe_error(error)})"
        if isinstance(error, (manifest.AdapterError, manifest.ManifestError)):
            msg = f"{adapter}: {error}"
        elif isinstance(error, OSError) and error.filename:
            msg = f"{adapter}: cannot open {error.filename}: {error.strerror}"
        raise MisuseError(msg) from error

    import_from_here()
    with console.progress(f"importing {adapter}"):
        return attempt(work, failed)


MATRIX = Command(
    name="matrix",
    summary="Show which backend implements what, and with what exceptions.",
    details="""\
For each function and each backend: whether it is implemented, which
parameters are missing and which defaults differ. The HTML is one page that
needs nothing else and can be published as it is. A backend that ships a
manifest is not imported; any other is. None of their functions is called.""",
    examples="""\
matrix example_host
matrix example_host --format markdown
matrix example_host --format html --output backends.html""",
    options=(add_dispatcher, partial(_add_output, FORMATS)),
    run=show_matrix,
)
VERIFY = Command(
    name="verify",
    summary="Compare what a backend offers with what its host dispatches.",
    details="""\
Parameters that are missing, renamed or added, defaults that differ, names
that match no function: read from signatures and names; no function is called.
Without --backend, every backend that can be loaded is verified.

exit status: 1 if there is a finding as severe as --fail-on says, or worse""",
    examples="""\
verify example_host --backend tiled
verify example_host --backend tiled --fail-on warning
verify example_host --format junit --output verify.xml""",
    options=(add_dispatcher, _add_choice, partial(_add_output, ("text", "json", "junit"))),
    run=verify_backends,
)
WRITE = Command(
    name="write",
    summary="Write the manifest of an adapter.",
    details="""\
Imports the adapter and writes what it offers into a TOML file beside its
module, with its name: my_backend/_backends/cells.toml for
my_backend._backends.cells. Ship it in your package. With it, hosts show your
functions' options and resolve your aliases without importing you.""",
    examples="""\
manifest write my_backend._backends.cells
manifest write my_backend.adapters:Cells -o -""",
    options=(_add_adapter, _add_target),
    run=write_manifest,
)
CHECK = Command(
    name="check",
    summary="Compare the manifest of an adapter with the adapter.",
    details="""\
Imports the adapter and compares what it offers with what the file beside its
module says. Exit status 1, with the difference, if they are not the same: for
your CI, or for pre-commit:

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
    run=check_manifest,
)
MANIFEST = Command(
    name="manifest",
    summary="Write or check what your backend offers, as a file.",
    commands=(WRITE, CHECK),
)
