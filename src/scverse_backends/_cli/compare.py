"""``matrix`` and ``verify``: what backends offer, compared with what their host dispatches."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scverse_backends._checks.findings import SEVERITIES, as_junit
from scverse_backends._checks.matrix import FORMATS, gather
from scverse_backends._checks.verify import verify
from scverse_backends._selection.request import OPTIONAL
from scverse_backends.exceptions import BackendError

from .arguments import Command, MisuseError, add_backend, add_dispatcher, find_dispatcher

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable

    from scverse_backends._checks.findings import Severity, Verification

    from .arguments import Parser
    from .console import Console


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


MATRIX = Command(
    name="matrix",
    summary="Show which backend implements what, and with what exceptions.",
    details="""\
For each function and each backend: whether it is implemented, which parameters are missing and
which defaults differ. The HTML is one page that needs nothing else and can be published as it is.
A backend that ships a manifest is not imported; any other is. None of their functions is called.""",
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
Parameters that are missing, renamed or added, defaults that differ, names that match no function:
read from signatures and names; no function is called. Without --backend, every backend that can be
loaded is verified.

exit status: 1 if there is a finding as severe as --fail-on says, or worse""",
    examples="""\
verify example_host --backend tiled
verify example_host --backend tiled --fail-on warning
verify example_host --format junit --output verify.xml""",
    options=(add_dispatcher, _add_choice, partial(_add_output, ("text", "json", "junit"))),
    run=verify_backends,
)
