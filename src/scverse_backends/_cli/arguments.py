"""Arguments: what a command is told, and the dispatcher that it is about.

They are read by `argparse`: click and typer would have to be installed together with this library, which
every host installs.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from scverse_backends._backends.discovery import HOSTS, discover
from scverse_backends._backends.loading import import_host
from scverse_backends._ground.labels import closest, did_you_mean, fold
from scverse_backends._ground.safe_repr import attempt, describe_error
from scverse_backends._selection.request import has_wildcard
from scverse_backends.dispatcher import BackendDispatcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import ModuleType

    from scverse_backends._ground.records import Candidate

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
        Does the work and gives the exit status; ``None`` where only `commands` do any.
    shows_warnings
        Whether warnings are shown as one line each, not as Python shows them.
    commands
        The commands that the next word may be.
    """

    name: str
    summary: str
    details: str = ""
    examples: str = ""
    options: tuple[Callable[[Parser], object], ...] = ()
    run: Callable[[argparse.Namespace, Console], int] | None = None
    shows_warnings: bool = True
    commands: tuple[Any, ...] = ()


class Parser(argparse.ArgumentParser):
    """A parser of one command and those below it, which raises where argparse ends the process."""

    def __init__(self, command: Command, **options: Any) -> None:
        lines = command.examples.replace("\n", "\n  scverse-backends ")
        super().__init__(
            description=f"{command.summary}\n\n{command.details}",
            epilog=f"examples:\n  scverse-backends {lines}" if lines else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            **options,
        )
        self.color = False  # from 3.14 on argparse has colours of its own
        self.set_defaults(parser=self, command=command)
        # What stands before the command holds unless the command says it again.
        default = argparse.SUPPRESS if " " in self.prog else False
        self.add_argument(
            "-q",
            "--quiet",
            action="store_true",
            default=default,
            help="write results and errors only",
        )
        for add in command.options:
            add(self)
        if command.commands:
            inner = self.add_subparsers(title="commands", metavar="COMMAND")
            for one in command.commands:
                inner.add_parser(one.name, help=one.summary, command=one)

    def read(self, arguments: Sequence[str]) -> argparse.Namespace | int:
        """Read arguments; the exit status where only help or the version is shown."""
        try:
            options, left = self.parse_known_args(arguments)
        except SystemExit:
            return 0
        parser: Parser = options.parser
        if hasattr(options, "arguments"):  # of a call; argparse cannot read them behind options
            options.arguments += [word for word in left if not word.startswith("-")]
            left = [word for word in left if word.startswith("-")]
        if left:
            parser.refuse(left[0])
        if not options.command.run:
            parser.print_help(sys.stderr)
            return 2
        return options

    def refuse(self, word: str) -> NoReturn:
        """Refuse a word that means nothing here, with the nearest option."""
        known = [option for action in self._actions for option in action.option_strings]
        what = "option" if word.startswith("-") else "argument"
        self.error(f"unexpected {what} {word!r}{did_you_mean(closest(word, known))}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse what is not one of the choices, with the nearest that is."""
        choices = list(action.choices or [value])
        if value not in choices:
            options = "/".join(action.option_strings)
            what = f"value of {options}" if options else "command"
            hint = did_you_mean(closest(value, choices)) or f"; choose from {', '.join(choices)}"
            self.error(f"{value!r} is no {what}{hint}")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Write; argparse's own hides that the reader has left."""
        print(message, end="", file=file)

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
    hosts = discover(HOSTS)[0]
    module, _, path = (_stated(address, hosts) or address).partition(":")
    home = _import(module, did_you_mean(closest(address, [host.name for host in hosts])))
    for name in modules:
        _import(name)
    if not path:
        msg = (
            f"{address} does not say where its dispatcher is; name the dispatcher as "
            f"module:attribute{_nearby(home, module)}"
        )
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
        msg = f"{host!r} is not a host; to select by function, write HOST={request}"
        raise MisuseError(msg)


def _stated(name: str, hosts: Iterable[Candidate]) -> str | None:
    """Find where a host says that its dispatcher is; ``None`` if none of this name says so."""
    said = {one.value: one for one in hosts if fold(one.name) == fold(name)}
    if len(said) > 1:
        who = " and ".join(f"{one.distribution} ({one.value})" for one in said.values())
        msg = (
            f"several packages say that they are the host {name!r}: {who}; name one of these places"
        )
        raise MisuseError(msg)
    return next(iter(said), None)


def _import(name: str, hint: str = "") -> ModuleType:
    def failed(error: BaseException) -> NoReturn:
        more = hint if isinstance(error, ModuleNotFoundError) and error.name == name else ""
        msg = f"cannot import {name!r} ({describe_error(error)}){more}"
        raise MisuseError(msg) from error

    return attempt(lambda: import_host(name), failed)


def _attribute(owner: Any, name: str, module: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError:
        meant = closest(name, _dispatchers(owner) or dir(owner)) or closest(name, dir(owner))
        msg = f"{module} has no attribute {name!r}{did_you_mean(meant) or _nearby(owner, module)}"
        raise MisuseError(msg) from None


def _nearby(home: Any, module: str) -> str:
    """Name the dispatchers that a module has."""
    there = [f"{module}:{name}" for name in _dispatchers(home)]
    return f"; there is {' and '.join(there)}" if there else ""


def _dispatchers(owner: Any) -> list[str]:
    names = sorted(getattr(owner, "__dict__", {}))
    return [name for name in names if isinstance(vars(owner)[name], BackendDispatcher)]
