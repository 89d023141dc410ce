"""``explain``: where a call would run, and why."""

from __future__ import annotations

from ast import literal_eval
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.labels import CPU, closest, quoted
from scverse_backends.dispatcher import parts

from .arguments import MisuseError, add_command, add_dispatcher, add_json
from .hosts import find

if TYPE_CHECKING:
    from argparse import Namespace

    from scverse_backends._ground.records import Decision
    from scverse_backends._routing.host import HostFunction
    from scverse_backends.dispatcher import BackendDispatcher

    from .arguments import Commands
    from .console import Console

_DETAILS = """\
Nothing is run. Values are read as Python literals (3, 0.5, None, "[1, 2]"), and as plain text where
they are none. Parameters that every call gives and that are left out here are taken as given.
Without --backend, it is what the environment selects.

exit status: 0 if the call runs where it was asked to, 1 if it falls back or fails"""
_EXAMPLES = """\
explain example_host._backends:dispatcher kmeans --backend tiled n_clusters=4
explain example_host._backends:dispatcher kmeans -b tiled -b accelerated n_init=3 max_iter=50
explain example_host._backends:dispatcher silhouette --backend tiled metric=cosine"""


class LeftOut:
    """Stands for an argument that every call gives and that the command line did not."""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "explain",
        run,
        summary="Tell where a call would run, and why.",
        details=_DETAILS,
        examples=_EXAMPLES,
    )
    add_dispatcher(parser)
    parser.add_argument("function", metavar="FUNCTION", help="the name it is dispatched under")
    parser.add_argument(
        "arguments", metavar="name=value", nargs="*", help="what the call would be given"
    )
    parser.add_argument(
        "-b",
        "--backend",
        action="append",
        metavar="LABEL",
        help="select this backend; several are asked in order",
    )
    add_json(parser)


def run(options: Namespace, console: Console) -> int:
    """Explain one call."""
    dispatcher = find(options, console)
    function = _function(dispatcher, options.function)
    given = dict(map(_argument, options.arguments))
    decision = _decision(dispatcher, function, given, options.backend)
    refused = _refused_by_host(function, given) if decision.backend == CPU else ""
    if options.json:
        console.json({**decision._asdict(), "host_refuses": refused or None})
    else:
        console.line(str(decision))
        if refused:
            console.line(f"  {console.paint('bad', 'fails')}: the host itself {refused}")
    return int(bool(refused) or (decision.backend == CPU and bool(decision.refusals)))


def _function(dispatcher: BackendDispatcher, name: str) -> HostFunction:
    """Find a function by its dispatch name."""
    known = {
        found.function.name: found.function for found in parts(dispatcher).catalogue.dispatches()
    }
    if name in known:
        return known[name]
    host = parts(dispatcher).registry.configuration.host
    meant = closest(name, known)
    hint = f"did you mean {meant!r}?" if meant else f"known: {quoted(known) or 'none'}"
    more = "" if meant else "; --import MODULE imports more of the host"
    msg = f"{host} dispatches no function {name!r}; {hint}{more}"
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
    settings, parameters = dispatcher.settings, function.parameters
    order = (*parameters.positional, *sorted(parameters.keyword))
    named = {name: LeftOut() for name in order if name in parameters.required} | given
    nameless = [name for name in parameters.positional if name in parameters.positional_only]
    while nameless and nameless[-1] not in named:
        nameless.pop()
    args = [named.pop(name, parameters.defaults.get(name)) for name in nameless]
    if labels is None:
        return settings.explain(function.public, *args, **named)
    with settings.use_backend(*labels):
        return settings.explain(function.public, *args, **named)


def _refused_by_host(function: HostFunction, given: dict[str, Any]) -> str:
    """Say which arguments the host does not take, if there are any."""
    ours = function.parameters
    unknown = [] if ours.takes_kwargs else [name for name in given if name not in ours.names]
    if not unknown:
        return ""
    meant = closest(unknown[0], ours.names)
    hint = f"; did you mean {meant!r}?" if meant else ""
    return f"does not take {quoted(unknown)}{hint}"
