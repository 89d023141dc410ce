"""Arguments: what a command is told, and the dispatcher that it is about."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from scverse_backends._backends.discovery import HOSTS, discover
from scverse_backends._backends.loading import import_host
from scverse_backends._ground.labels import closest, key
from scverse_backends._ground.safe_repr import attempt, describe_error
from scverse_backends._selection.request import has_wildcard
from scverse_backends.dispatcher import BackendDispatcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import ModuleType

    from .console import Console


class MisuseError(Exception):
    """The command line was used wrongly; the text says how, and what to do."""


class Command(NamedTuple):
    """One command.

    Parameters
    ----------
    name
        What the user writes.
    summary, details
        What it does: in one line, and what else there is to know.
    examples
        Command lines, one a line, without the program's name.
    options
        Each adds arguments to the command's parser.
    run
        Does the work and gives the exit status.
    shows_warnings
        Whether warnings are shown as one line each, not as Python shows them.
    """

    name: str
    summary: str
    details: str
    examples: str
    options: tuple[Callable[[Parser], object], ...]
    run: Callable[[argparse.Namespace, Console], int]
    shows_warnings: bool = True


class Group(NamedTuple):
    """A command that has commands of its own."""

    name: str
    summary: str
    commands: tuple[Command, ...]


class Parser(argparse.ArgumentParser):
    """A parser that writes through the console, and raises where argparse ends the process."""

    def __init__(self, *, console: Console, **options: Any) -> None:
        kind = argparse.RawDescriptionHelpFormatter
        super().__init__(formatter_class=kind, allow_abbrev=False, **options)
        self.color = False  # from 3.14 on argparse has colours of its own
        self._console = console

    def add_commands(self, commands: Iterable[Command | Group]) -> None:
        """Let the next word be one of some commands."""
        kind: Any = partial(Parser, console=self._console)
        inner = self.add_subparsers(
            title="commands", metavar="COMMAND", required=True, parser_class=kind
        )
        for command in commands:
            parser: Parser = inner.add_parser(command.name, help=command.summary)
            parser.description = command.summary
            if isinstance(command, Group):
                parser.add_commands(command.commands)
                continue
            lines = "".join(f"  scverse-backends {line}\n" for line in command.examples.split("\n"))
            parser.description += f"\n\n{command.details}"
            parser.epilog = f"examples:\n{lines}"
            parser.set_defaults(run=command.run, shows_warnings=command.shows_warnings)
            for add in command.options:
                add(parser)

    def read(self, arguments: Sequence[str]) -> argparse.Namespace | None:
        """Read arguments; ``None`` if they asked for help, which has been shown."""
        try:
            options, left = self.parse_known_args(arguments)
        except SystemExit:
            return None
        if hasattr(options, "arguments"):  # of a call; argparse cannot read them behind options
            options.arguments += [word for word in left if not word.startswith("-")]
            left = [word for word in left if word.startswith("-")]
        if left:
            self.error(f"unrecognized arguments: {' '.join(left)}")
        return options

    def _print_message(self, message: str | None, file: Any = None) -> None:
        del file
        self._console.write(message or "")

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments."""
        misuse = f"{message}\n{self.format_usage().strip()}\nsee {self.prog} --help"
        raise MisuseError(misuse)


def add_dispatcher(parser: Parser, *, optional: bool = False) -> None:
    """Let a command be told which dispatcher it is about."""
    parser.add_argument(
        "dispatcher",
        metavar="DISPATCHER",
        nargs="?" if optional else None,
        help="name of the host, or where it keeps its dispatcher, as module:attribute",
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


def add_backend(parser: Parser, meaning: str) -> None:
    """Let a command be told about which backends it is."""
    parser.add_argument("-b", "--backend", action="append", metavar="LABEL", help=meaning)


def add_json(parser: Parser) -> None:
    """Let a command write for machines."""
    parser.add_argument("--json", action="store_true", help="write JSON")


def find_dispatcher(options: argparse.Namespace, console: Console) -> BackendDispatcher:
    """Import the dispatcher that a command is about, and what else it was told to import."""
    import_from_here()
    with console.progress(f"importing {options.dispatcher.partition(':')[0]}"):
        return dispatcher_at(options.dispatcher, options.modules)


def import_from_here() -> None:
    """Find modules in the current folder, as ``python -m`` does: projects under development."""
    if "" not in sys.path:
        sys.path.insert(0, "")


def dispatcher_at(address: str, modules: Iterable[str] = ()) -> BackendDispatcher:
    """Import a host's dispatcher.

    Parameters
    ----------
    address
        Where it is, as ``module:attribute``, or the name of a host that says so.
    modules
        What else to import, for hosts that import parts of themselves late.

    Raises
    ------
    MisuseError
        If it is not there, or something cannot be imported.
    """
    module, _, path = (_stated(address) or address).partition(":")
    home, *_ = [_import(name) for name in (module, *modules)]
    if not path:
        msg = f"name the dispatcher as module:attribute{_nearby(home, module)}"
        raise MisuseError(msg)
    found: Any = home
    for name in path.split("."):
        found = _attribute(found, name, module)
    if not isinstance(found, BackendDispatcher):
        kind = type(found).__name__
        msg = f"{address} is a {kind}, not a BackendDispatcher{_nearby(home, module)}"
        raise MisuseError(msg)
    return found


def refuse_function(host: str, request: str) -> None:
    """Refuse labels, or a function, where ``HOST=`` should stand.

    Raises
    ------
    MisuseError
        If no host can have such a name.
    """
    if has_wildcard(host) or not {".", ","}.isdisjoint(host):
        msg = f"{host!r} is no host; to select by function, write HOST={request}"
        raise MisuseError(msg)


def _stated(name: str) -> str | None:
    """Find where a host says that its dispatcher is; ``None`` if none of this name says so."""
    said = {one.value: one for one in discover(HOSTS)[0] if key(one.name) == key(name)}
    if len(said) > 1:
        who = " and ".join(f"{one.distribution} ({one.value})" for one in said.values())
        msg = (
            f"several packages say that they are the host {name!r}: {who}; name one of these places"
        )
        raise MisuseError(msg)
    return next(iter(said), None)


def _import(name: str) -> ModuleType:
    def failed(error: BaseException) -> NoReturn:
        msg = f"cannot import {name!r} ({describe_error(error)})"
        raise MisuseError(msg) from error

    return attempt(lambda: import_host(name), failed)


def _attribute(owner: Any, name: str, module: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError:
        meant = closest(name, _dispatchers(owner) or dir(owner)) or closest(name, dir(owner))
        hint = f"; did you mean {meant!r}?" if meant else _nearby(owner, module)
        msg = f"{module} has no attribute {name!r}{hint}"
        raise MisuseError(msg) from None


def _nearby(home: Any, module: str) -> str:
    """Name the dispatchers that a module has."""
    there = [f"{module}:{name}" for name in _dispatchers(home)]
    return f"; there is {' and '.join(there)}" if there else ""


def _dispatchers(owner: Any) -> list[str]:
    names = sorted(getattr(owner, "__dict__", {}))
    return [name for name in names if isinstance(vars(owner)[name], BackendDispatcher)]
