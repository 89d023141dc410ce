"""The inspection: one backend held against everything that its host dispatches."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scverse_backends._ground.safe_repr import describe_error
from scverse_backends.dispatcher import parts
from scverse_backends.exceptions import BackendLoadError

from .findings import Finding, Fit
from .fit import compare
from .misnomers import examine

if TYPE_CHECKING:
    from scverse_backends._ground.records import LoadedBackend
    from scverse_backends._routing.functions import Dispatch
    from scverse_backends.dispatcher import BackendDispatcher


class Inspection(NamedTuple):
    """What one backend has for each function of its host.

    Parameters
    ----------
    backend
        Its canonical name.
    distribution, version
        What is installed; ``None`` for one registered in this process.
    functions
        One for each host function.
    findings
        What is to be said of the adapter's own names.
    """

    backend: str
    distribution: str | None
    version: str | None
    functions: tuple[Fit, ...]
    findings: tuple[Finding, ...]

    @property
    def everything(self) -> tuple[Finding, ...]:
        """All findings: of the adapter, then function by function."""
        return (*self.findings, *(found for item in self.functions for found in item.findings))

    @property
    def implemented(self) -> tuple[str, ...]:
        """The functions whose calls can go there."""
        return tuple(item.function for item in self.functions if item.implemented)


def inspected(dispatcher: BackendDispatcher, backend: LoadedBackend) -> Inspection:
    """Hold a loaded backend against its host; nothing of either is called."""
    catalogue = parts(dispatcher).catalogue
    functions = tuple(_compare(dispatch, backend) for dispatch in catalogue.dispatches())
    offered = {item.function for item in functions if item.implemented}
    findings = tuple(examine(backend, dispatcher.dispatched, offered))
    return Inspection(backend.name, backend.distribution, backend.version, functions, findings)


def _compare(dispatch: Dispatch, backend: LoadedBackend) -> Fit:
    """Compare one function; what cannot be fetched is told, and hides no other."""
    name = dispatch.function.name
    try:
        return compare(dispatch.function, dispatch.planner.route(backend))
    except BackendLoadError as error:
        text = f"cannot hand it out: {error.problem}"
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001 - foreign code is asked for what it has
        text = f"cannot be examined: {describe_error(error)}"
    return Fit(name, implemented=False, findings=(Finding("error", "broken", name, text),))
