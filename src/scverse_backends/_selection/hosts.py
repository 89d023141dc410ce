"""Hosts: the dispatchers of this process, and where another process finds the same ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakValueDictionary

from scverse_backends._ground import messages
from scverse_backends._ground.safe_repr import attempt

if TYPE_CHECKING:
    from scverse_backends.exceptions import BackendSnapshotError

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
    raise missing(address.host, label, problem) from failure


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


def missing(host: str, label: str, problem: str) -> BackendSnapshotError:
    """Make the error that says what this process lacks."""
    import os
    from socket import gethostname

    from scverse_backends.exceptions import BackendSnapshotError

    return BackendSnapshotError(
        host, label=label, problem=problem, machine=gethostname(), process=os.getpid()
    )
