"""``verify``: whether backends can be trusted with a host's functions, told without a call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from scverse_backends._checks.findings import SEVERITIES

from .arguments import MisuseError, add_command, add_dispatcher
from .hosts import find

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from scverse_backends._checks.findings import Severity
    from scverse_backends.testing import Verification

    from .arguments import Commands
    from .console import Console

_DETAILS = """\
Parameters that are missing, renamed or added, defaults that differ, names that match no function:
read from signatures and names; no function is called. Without --backend, every backend that can be
loaded is verified.

exit status: 1 if there is a finding as severe as --fail-on says, or worse"""
_EXAMPLES = """\
verify example_host._backends:dispatcher --backend tiled
verify example_host._backends:dispatcher --backend tiled --fail-on warning
verify example_host._backends:dispatcher --format junit --output verify.xml"""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "verify",
        run,
        summary="Compare what a backend offers with what its host dispatches.",
        details=_DETAILS,
        examples=_EXAMPLES,
    )
    add_dispatcher(parser)
    parser.add_argument(
        "-b",
        "--backend",
        action="append",
        metavar="LABEL",
        help="verify this backend; may be given more than once",
    )
    parser.add_argument(
        "--fail-on",
        choices=[*SEVERITIES, "never"],
        default="error",
        help="what makes the exit status 1 (default: %(default)s)",
    )
    parser.add_argument("--format", choices=["text", "json", "junit"], default="text")
    parser.add_argument(
        "--json", action="store_const", const="json", dest="format", help="as --format json"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it to a file")


def run(options: Namespace, console: Console) -> int:
    """Verify backends."""
    from scverse_backends.testing import verify

    dispatcher = find(options, console)
    results = []
    for label in options.backend or dispatcher.settings.available_backends():
        with console.progress(f"verifying {label}"):
            try:
                results.append(verify(dispatcher, label))
            except ValueError as error:
                raise MisuseError(str(error)) from error
    fail_on: Severity | None = None if options.fail_on == "never" else options.fail_on
    console.deliver(_written(results, options.format, fail_on, console), options.output)
    return int(fail_on is not None and any(result.failures(fail_on) for result in results))


def _written(
    results: Sequence[Verification], form: str, fail_on: Severity | None, console: Console
) -> str:
    if form == "json":
        return json.dumps([json.loads(result.to_json()) for result in results], indent=2)
    if form == "junit":
        from scverse_backends._checks.findings import as_junit

        return as_junit(results, fail_on)
    if not results:
        return "There is no backend to verify."
    return "\n\n".join(result.text(console.paint) for result in results)
