"""Elsewhere: what was pickled in one process finds its host in another."""

from __future__ import annotations

import os
from socket import gethostname
from typing import TYPE_CHECKING, cast

from scverse_backends._backends.loading import import_reference
from scverse_backends.exceptions import BackendSnapshotError

from . import hosts

if TYPE_CHECKING:
    from .hosts import Home
    from .selector import Selector


def find(home: Home, label: str = "") -> Selector:
    """Find the host in this process, importing the module that makes its dispatcher.

    Parameters
    ----------
    home
        What the other process knew of the host.
    label
        What was selected there, for the error.

    Raises
    ------
    BackendSnapshotError
        If that module makes no such dispatcher, or cannot be imported.
    """
    host, _, module = home
    found, failure = hosts.find(home), None
    if found is None:
        try:
            import_reference(module)
        except Exception as error:  # noqa: BLE001 - whatever a host raises
            failure = error
        found = hosts.find(home) or hosts.find_elsewhere(home)
    if found is None:
        problem = f"importing {module!r} makes no dispatcher of {host} there"
        if failure is not None:
            problem = f"importing {module!r} failed ({type(failure).__name__}: {failure})"
        problem += ". Make the same version of the host importable there."
        raise missing(host, label, problem) from failure
    return cast("Selector", found)


def missing(host: str, label: str, problem: str) -> BackendSnapshotError:
    """Make the error that says what this process lacks."""
    return BackendSnapshotError(
        host, label=label, problem=problem, machine=gethostname(), process=os.getpid()
    )
