"""Let separately installed packages run a scientific library's functions."""

from __future__ import annotations

from typing import Any

from .dispatcher import BackendDispatcher
from .settings import Settings

__all__ = ["BackendDispatcher", "Settings"]

__version__ = "0.1.0"


def load_ipython_extension(shell: Any) -> None:
    """Add ``%backend`` and completion to IPython; what ``%load_ext scverse_backends`` calls."""
    from ._cli.magics import load

    load(shell)


def __getattr__(name: str) -> Any:
    """Import `records` when it is first asked for, by annotations of this package for example."""
    if name == "records":
        import scverse_backends.records

        return scverse_backends.records
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
