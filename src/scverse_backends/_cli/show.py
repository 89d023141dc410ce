"""``list`` and ``explain``: what is installed, and where a call would run. Both only look."""

from __future__ import annotations

from ast import literal_eval
from functools import partial
from typing import TYPE_CHECKING, Any

from scverse_backends._backends.discovery import HOSTS, discover, groups
from scverse_backends._display.trace_records import decision_as_plain
from scverse_backends._ground.labels import CPU, closest, did_you_mean, quoted
from scverse_backends._ground.records import asked_of, decision_page, origin, release
from scverse_backends._ground.rendering import hanging
from scverse_backends._selection.blocks import Choice, UseBackend
from scverse_backends._selection.request import read_request
from scverse_backends.dispatcher import parts

from .arguments import (
    Command,
    MisuseError,
    add_backend,
    add_dispatcher,
    add_json,
    find_dispatcher,
)

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from scverse_backends._ground.records import BackendInfo, Candidate, Decision
    from scverse_backends._ground.rendering import Cell
    from scverse_backends._routing.host import HostFunction
    from scverse_backends.dispatcher import BackendDispatcher

    from .arguments import Parser
    from .console import Console

ENDING = ".backends"
ALIKE = 0.9
"""Groups that are one or two letters apart; those of two hosts are not."""
FIELDS = ("name", "entry_point", "distribution", "version")
"""What the fields of a candidate are called where a dispatcher lists its backends."""
STYLES = {"broken": "bad", "refused": "doubtful", "loaded": "good", "registered": "good"}


def list_backends(options: Namespace, console: Console) -> int:
    """List one host's backends, or those of all hosts."""
    if options.dispatcher:
        _list_one(options, console)
    else:
        _list_all(options, console)
    return 0


def _list_all(options: Namespace, console: Console) -> None:
    found = {group: discover(group) for group in groups(ENDING)}
    hosts, _ = discover(HOSTS)
    for fault in dict.fromkeys(fault for _, faults in found.values() for fault in faults):
        console.warning(f"{fault.distribution}: metadata unreadable ({fault.problem})")
    if options.json:
        groups_found = found.items()
        stated = [{"group": HOSTS, "hosts": [*map(_as_json, hosts)]}] if hosts else []
        shown = [{"group": g, "backends": [*map(_as_json, c)]} for g, (c, _) in groups_found]
        console.json([*stated, *shown])
        return
    texts = [_as_text(console, "hosts", hosts, "dispatcher")] if hosts else []
    texts += [_as_text(console, group, candidates) for group, (candidates, _) in found.items()]
    if not found:
        texts.append(f"No installed package declares an entry point in a group *{ENDING}.")
    known = {*found, *(f"{host.name}{ENDING}" for host in hosts)}
    texts += [f"Something is installed for {text}" for text in near_misses(known)]
    console.line("\n\n".join(texts))


def near_misses(known: set[str]) -> Iterator[str]:
    """Name the groups that are nearly one of a host's, in which no host looks."""
    for group in groups(""):
        meant = None if group in known else closest(group, known, ALIKE)
        if meant:
            yield f"{group!r}; did it mean {meant!r}?"


def _as_json(candidate: Candidate) -> dict[str, str | None]:
    return dict(zip(FIELDS, candidate, strict=True))


def _as_text(
    console: Console, group: str, candidates: tuple[Candidate, ...], value: str = "entry point"
) -> str:
    rows = [[c.name, release(c.distribution, c.version), c.value] for c in candidates]
    table = console.table(("name", "package", value), rows, "  ")
    return "\n".join([console.paint("bold", group), *table])


def _list_one(options: Namespace, console: Console) -> None:
    infos = find_dispatcher(options, console).backends()
    if options.json:
        console.json(infos)
        return
    if not infos:
        console.line("No backend is installed.")
        return
    columns = ("name", "state", "trusted", "package", "entry point")
    for line in console.table(columns, [*map(_row, infos)]):
        console.line(line)
    for info in infos:
        if info.reason:
            console.line("\n".join(["", *hanging(f"{info.name}: ", info.reason, console.width)]))


def _row(info: BackendInfo) -> list[Cell]:
    return [
        info.name,
        (STYLES.get(info.state, "dim"), info.state),
        "yes" if info.trusted else "no",
        origin(info),
        info.entry_point or "",
    ]


class LeftOut:
    """Stands for an argument that every call gives and that the command line did not."""


def _add_call(parser: Parser) -> None:
    parser.add_argument("function", metavar="FUNCTION", help="the name it is dispatched under")
    parser.add_argument(
        "arguments", metavar="name=value", nargs="*", help="what the call would be given"
    )
    add_backend(parser, "select this backend; several are asked in order")


def explain_call(options: Namespace, console: Console) -> int:
    """Explain one call."""
    dispatcher = find_dispatcher(options, console)
    function = _function(dispatcher, options.function)
    given = dict(map(_argument, options.arguments))
    decision = _decision(dispatcher, function, given, options.backend)
    refused = _refused_by_host(function, given) if decision.backend == CPU else ""
    if options.json:
        console.json({**decision_as_plain(decision), "host_refuses": refused or None})
    else:
        page = decision_page(decision)
        fails = [("fails", f"the host itself {refused}")] if refused else []
        console.line(page._replace(facts=(*page.facts, *fails)).text(console.width))
    asked = asked_of(decision.refusals)
    return int(bool(refused) or (decision.backend == CPU and bool(asked)))


def _function(dispatcher: BackendDispatcher, name: str) -> HostFunction:
    """Find a function by its dispatch name."""
    known = {
        found.function.name: found.function for found in parts(dispatcher).catalogue.dispatches()
    }
    if name in known:
        return known[name]
    there = f"; known: {quoted(known) or 'none'}; --import MODULE imports more of the host"
    hint = did_you_mean(closest(name, known)) or there
    msg = f"{dispatcher.host_name} dispatches no function {name!r}{hint}"
    raise MisuseError(msg)


def _argument(text: str) -> tuple[str, Any]:
    """Read ``name=value``."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        msg = f"write arguments as name=value, not {text!r}"
        raise MisuseError(msg)
    try:
        return name, literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return name, value


def _decision(
    dispatcher: BackendDispatcher,
    function: HostFunction,
    given: dict[str, Any],
    labels: list[str] | None,
) -> Decision:
    """Explain a call that gives these arguments, and something for every other that it must give."""
    explain, parameters = dispatcher.settings.explain, function.parameters
    order = (*parameters.positional, *sorted(parameters.keyword))
    named = {name: LeftOut() for name in order if name in parameters.required} | given
    nameless = [name for name in parameters.positional if name in parameters.positional_only]
    while nameless and nameless[-1] not in named:
        nameless.pop()
    args = [named.pop(name, parameters.defaults.get(name)) for name in nameless]
    if labels is None:
        return explain(function.public, *args, **named)
    choice = Choice(parts(dispatcher).selector, read_request(labels), None, "--backend")
    choice.check()
    with UseBackend(choice):
        return explain(function.public, *args, **named)


def _refused_by_host(function: HostFunction, given: dict[str, Any]) -> str:
    """Say which arguments the host does not take, if there are any."""
    ours = function.parameters
    names = () if ours.takes_kwargs else given
    unknown = [name for name in names if function.own_name(name) not in ours.names]
    if not unknown:
        return ""
    hint = did_you_mean(closest(unknown[0], ours.names))
    return f"does not take {quoted(unknown)}{hint}"


LIST = Command(
    name="list",
    summary="List the backends that are installed.",
    details="""\
Without a dispatcher: the hosts that say where their dispatchers are, and
every installed entry-point group whose name ends in ".backends". With one:
its backends, whether it trusts them, and which of them are imported already.
Either way no backend is imported.""",
    examples="""\
list
list example_host
list example_host._backends:dispatcher
list --json""",
    options=(partial(add_dispatcher, optional=True), add_json),
    run=list_backends,
)
EXPLAIN = Command(
    name="explain",
    summary="Tell where a call would run, and why.",
    details="""\
Nothing is run. Values are read as Python literals (3, 0.5, None, "[1, 2]"),
and otherwise as plain text. Parameters that every call gives and that are
left out here are taken as given. Without --backend, the environment selects.

exit status: 0 if the call runs where it was asked to, 1 if it falls back or
fails""",
    examples="""\
explain example_host kmeans --backend tiled n_clusters=4
explain example_host kmeans -b tiled -b accelerated n_init=3
explain example_host silhouette --backend tiled metric=cosine""",
    options=(add_dispatcher, _add_call, add_json),
    run=explain_call,
)
