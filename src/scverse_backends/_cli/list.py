"""``list``: what is installed, from metadata alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scverse_backends._backends.discovery import discover, groups
from scverse_backends._ground.records import release
from scverse_backends._ground.rendering import aligned

from .arguments import add_command, add_dispatcher, add_json
from .hosts import find

if TYPE_CHECKING:
    from argparse import Namespace

    from scverse_backends._ground.records import BackendInfo, Candidate
    from scverse_backends._ground.rendering import Cell

    from .arguments import Commands
    from .console import Console

ENDING = ".backends"
STYLES = {"broken": "bad", "refused": "doubtful", "loaded": "good", "registered": "good"}

_DETAILS = """\
Without a dispatcher: every installed entry-point group whose name ends in ".backends".
With one: its backends, what it thinks of them, and which of them are imported already.
Either way no backend is imported."""
_EXAMPLES = """\
list
list example_host._backends:dispatcher
list --json"""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "list",
        run,
        summary="List the backends that are installed.",
        details=_DETAILS,
        examples=_EXAMPLES,
    )
    add_dispatcher(parser, optional=True)
    add_json(parser)


def run(options: Namespace, console: Console) -> int:
    """List one host's backends, or everybody's."""
    return _list_one(options, console) if options.dispatcher else _list_all(options, console)


def _list_all(options: Namespace, console: Console) -> int:
    found: dict[str, tuple[Candidate, ...]] = {}
    faults = {}
    for group in groups(ENDING):
        found[group], damaged = discover(group)
        faults.update(dict.fromkeys(damaged))
    for fault in faults:
        console.note(f"warning: {fault.distribution}: metadata unreadable ({fault.problem})")
    if options.json:
        console.json([_as_json(group, candidates) for group, candidates in found.items()])
    elif not found:
        console.line(f"No installed package declares an entry point in a group *{ENDING}.")
    else:
        console.line("\n\n".join(_as_text(console, *item) for item in found.items()))
    return 0


def _as_json(group: str, candidates: tuple[Candidate, ...]) -> dict[str, Any]:
    return {"group": group, "backends": [candidate._asdict() for candidate in candidates]}


def _as_text(console: Console, group: str, candidates: tuple[Candidate, ...]) -> str:
    rows = [["", c.name, source(c.distribution, c.version), c.value] for c in candidates]
    return "\n".join([console.paint("bold", group), *aligned(rows)])


def _list_one(options: Namespace, console: Console) -> int:
    infos = find(options, console).backends()
    if options.json:
        console.json([info._asdict() for info in infos])
    elif not infos:
        console.line("No backend is installed.")
    else:
        for line in aligned([_row(info) for info in infos], console.paint):
            console.line(line)
    for info in () if options.json else infos:
        if info.reason:
            console.line(f"\n{console.paint('bold', info.name)}: {info.reason}")
    return 0


def _row(info: BackendInfo) -> list[Cell]:
    return [
        info.name,
        (STYLES.get(info.state, "dim"), info.state),
        "trusted" if info.trusted else "not trusted",
        source(info.distribution, info.version),
        info.entry_point or "",
    ]


def source(distribution: str | None, version: str | None) -> str:
    """Say where a backend comes from."""
    return release(distribution, version) if distribution else "(of this process)"
