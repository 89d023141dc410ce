"""Processes: how another process finds the same host, and hears what is selected in this one.

A host is found elsewhere by the module whose import makes its dispatcher.

Every process hands the settings of its `multiprocessing` down to those that it
starts. One entry in them is asked for when they are pickled, so it says what
holds there and then, and nothing is written when a block begins or ends. A
fork needs no entry: it begins with a copy of all that holds.

Ray, Spark, ipyparallel and mpi4py start programs, which get the environment
only. A variable in it names what is selected for the whole process. No other
program looks at it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakValueDictionary

from scverse_backends._ground import messages
from scverse_backends._ground.labels import quoted
from scverse_backends._ground.safe_repr import attempt

if TYPE_CHECKING:
    from scverse_backends.exceptions import BackendSnapshotError

    from .selection import Selection

# The main module of a spawned process is imported under the second of these names.
MAIN = {"__mp_main__": "__main__"}


class HostAddress(NamedTuple):
    """Where a process finds a host.

    Parameters
    ----------
    host, group
        Its name and its entry-point group.
    module, line
        The module whose import makes its dispatcher, and the line that does.
    number
        Tells apart what one line makes several times.
    """

    host: str
    group: str
    module: str
    line: int
    number: int


# The selector of each dispatcher, for as long as something uses it.
_hosts: WeakValueDictionary[HostAddress, Any] = WeakValueDictionary()


_watchers: list[Callable[[Any], None]] = []


def known_hosts() -> list[Any]:
    """Give the selectors of the hosts of this process, in the order in which they were made."""
    return [found for reference in _hosts.valuerefs() if (found := reference()) is not None]


def watch_hosts(watcher: Callable[[Any], None]) -> None:
    """Have a tool be told of the selector of each host: of those there are, and of later ones."""
    _watchers.append(watcher)
    for selector in known_hosts():
        watcher(selector)


def enter_host(selector: Any) -> None:
    """Let the dispatcher that is being made be found, give it its address, and tell who watches."""
    module, line = messages.importing_module()
    host, group = selector.configuration.host, selector.configuration.group
    address = HostAddress(host, group, MAIN.get(module, module), line, 0)
    while _hosts.setdefault(address, selector) is not selector:
        address = address._replace(number=address.number + 1)
    selector.address = address
    for watcher in (*_watchers,):
        watcher(selector)


def known_host(address: HostAddress) -> Any:
    """Give the selector of a host that this process has; ``None`` where it was not imported."""
    return _hosts.get(address)


def find_host(address: HostAddress, label: str = "") -> Any:
    """Find a host in this process, importing the module that makes its dispatcher.

    Parameters
    ----------
    address
        Where the other process had it.
    label
        What was selected there, for the error.

    Raises
    ------
    BackendSnapshotError
        If that module makes no such dispatcher, or cannot be imported.
    """
    found = _hosts.get(address)
    if found is not None:
        return found
    failure = _import(address.module)
    found = _hosts.get(address) or _nearest(address)
    if found is not None:
        return found
    problem = f"importing {address.module!r} makes no dispatcher of {address.host} there"
    if failure is not None:
        problem = f"importing {address.module!r} failed ({type(failure).__name__}: {failure})"
    problem += ". Make the same version of the host importable there."
    raise snapshot_error(address.host, label, problem) from failure


def _import(module: str) -> BaseException | None:
    """Import a host; give what it raised."""
    from scverse_backends._backends.loading import import_reference

    def make_dispatcher() -> None:
        import_reference(module)

    return attempt(make_dispatcher, lambda error: error)


def _nearest(address: HostAddress) -> Any:
    """Find the host that was made last, on the same line if possible, else in the same module."""
    _, _, module, line, _ = address

    def likeness(one: tuple[HostAddress, Any]) -> tuple[bool, bool]:
        return one[0].module == module, one[0].line == line

    alive = [(reference.key, reference()) for reference in reversed(_hosts.valuerefs())]
    alike = [one for one in alive if one[0][:2] == address[:2] and one[1] is not None]
    return max(alike, key=likeness, default=(None, None))[1]


def snapshot_error(host: str, label: str, problem: str) -> BackendSnapshotError:
    """Make the error that says what this process lacks."""
    from socket import gethostname

    from scverse_backends.exceptions import BackendSnapshotError

    return BackendSnapshotError(
        host, label=label, problem=problem, machine=gethostname(), process=os.getpid()
    )


# What another process is told.

ENTRY = "scverse_backends"
VARIABLE_END = "_SELECTED"

REMEDIES = {
    "ray/_private/workers/default_worker.py": (
        "Write @ray.remote above @settings.snapshot().bind, or start Ray with "
        "runtime_env={'worker_process_setup_hook': settings.snapshot().apply}."
    ),
    "pyspark.daemon": "Write rdd.map(settings.snapshot().bind(func)).",
    "ipyparallel.engine": "Write view.apply(settings.snapshot().apply), once.",
    "mpi4py.futures.server": (
        "Write MPIPoolExecutor(initializer=settings.snapshot().apply), or send "
        "settings.snapshot().bind(func)."
    ),
}
"""By the program that an engine starts: what to write so that its workers have the selection."""


class _SelectedHere:
    """Pickles as a plain dictionary: by host, what is selected where a process is started."""

    process: object = None
    """The one that hands it down."""

    def __reduce__(self) -> tuple[Any, ...]:
        selected = ((one.configuration.host, _names_here(one)) for one in known_hosts())
        return dict, ([(host, names) for host, names in selected if names],)


_selected_here = _SelectedHere()


def tell_workers() -> None:
    """Have processes that are started from now on be told what is selected where they are started."""
    process = _process()
    if process is not _selected_here.process:
        _handed_down()[ENTRY] = _selected_here
        _selected_here.process = process


def tell_programs(host_variable: str, selection: Selection) -> None:
    """Have programs that are started from now on be told what this whole process selects."""
    names = _names_in(selection)
    if names:
        os.environ[host_variable + VARIABLE_END] = ",".join(names)
    else:
        os.environ.pop(host_variable + VARIABLE_END, None)


def is_worker() -> bool:
    """Whether this process was started by another one that may have selected something."""
    # The main module is imported before the worker is given what is handed down.
    return hasattr(_process(), "_inheriting") or _told() is not None or _remedy() is not None


def lost(host: str, host_variable: str) -> str | None:
    """Say that what was selected for a host did not reach this worker, and how to carry it.

    Returns
    -------
    ``None`` if nothing was, or this is no worker.
    """
    told, remedy = _told(), _remedy()
    if told is not None:
        names, remedy = told.get(host, ()), _remedy_of_pool()
    else:
        names = tuple(filter(None, os.environ.get(host_variable + VARIABLE_END, "").split(",")))
    if not (names and remedy):
        return None
    return (
        f"{quoted(names)} was selected for {host} where this worker process was started, and was "
        f"not carried here: {host} runs the calls itself (cpu). {remedy} If the host is meant, "
        "set settings.backend = 'cpu' in the worker."
    )


def _process() -> Any:
    """Give what `multiprocessing`, if it was imported, knows of this process."""
    process = sys.modules.get("multiprocessing.process")
    return None if process is None else process.current_process()


def _handed_down() -> dict[str, Any]:
    """Give what this process was handed down by the one that started it, and hands down."""
    # It has no public name, and has been there for this since Python 2.6.
    return getattr(_process(), "_config", {})


def _told() -> Any:
    """Give what `multiprocessing` told this process of its starter; ``None`` if it did not start it."""
    told = _handed_down().get(ENTRY)
    return told if type(told) is dict else None


def _names_here(selector: Any) -> tuple[str, ...]:
    """Name the backends that are selected for a host here and now, as far as that needs no import."""
    return () if selector.off else _names_in(selector.state.selected())


def _names_in(selection: Selection) -> tuple[str, ...]:
    """Name the backends of a selection; none if the host comes first."""
    picks = () if selection.is_host else selection.every_pick
    return tuple(dict.fromkeys(pick.name for pick in picks if pick.backend is not None))


def _remedy() -> str | None:
    """Say what to write for workers of the engine whose program this is; ``None`` if it is none."""
    # Not `sys.argv`, which mpi4py changes while it imports what it runs.
    command = [argument.replace(os.sep, "/") for argument in sys.orig_argv]
    found = (remedy for end, remedy in REMEDIES.items() for one in command if one.endswith(end))
    return next(found, None)


def _remedy_of_pool() -> str:
    """Say what to write for workers that `multiprocessing` started, as it did this one."""
    worker = _process()
    if worker.name.startswith("Dask Worker"):
        return "Write carry_selection(client, settings), of scverse_backends.dask_plugin."
    if "loky" in type(worker).__module__:
        return "Write joblib.delayed(settings.snapshot().bind(func))(...)."
    return (
        "Start the pool with initializer=settings.snapshot().apply, or send "
        "settings.snapshot().bind(func)."
    )
