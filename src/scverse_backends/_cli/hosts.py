"""Hosts: the dispatcher that a command is told about."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .addresses import NoDispatcherError, dispatcher_at
from .arguments import MisuseError

if TYPE_CHECKING:
    from argparse import Namespace

    from scverse_backends.dispatcher import BackendDispatcher

    from .console import Console


def find(options: Namespace, console: Console) -> BackendDispatcher:
    """Import the dispatcher that a command is about, and what else it was told to import.

    Raises
    ------
    MisuseError
        If there is none.
    """
    # As `python -m` does: a host under development is found where the user stands.
    if "" not in sys.path:
        sys.path.insert(0, "")
    with console.progress(f"importing {options.dispatcher.partition(':')[0]}"):
        try:
            return dispatcher_at(options.dispatcher, options.modules)
        except NoDispatcherError as error:
            raise MisuseError(str(error)) from error
