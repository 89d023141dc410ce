"""Workers: a process that `multiprocessing` starts is told what was selected where it was started.

Every process hands the settings of its `multiprocessing` down to those that it
starts. One entry in them is asked for when they are pickled, so it says what
holds there and then, and nothing is written when a block begins or ends. A
fork needs no entry: it begins with a copy of all that holds.
"""

from __future__ import annotations

import sys
from typing import Any

from scverse_backends._ground.labels import CPU, quoted

from .hosts import known_hosts

ENTRY = "scverse_backends"


class _SelectedHere:
    """Pickles as a plain dictionary: by host, what is selected where a process is started."""

    def __reduce__(self) -> tuple[Any, ...]:
        selected = ((one.configuration.host, _names(one)) for one in known_hosts())
        return dict, ([(host, names) for host, names in selected if names],)


_selected_here = _SelectedHere()


def tell_workers() -> None:
    """Have processes that are started from now on be told what is selected where they are started."""
    _handed_down()[ENTRY] = _selected_here


def is_worker() -> bool:
    """Whether this process was started by another one that may have selected something."""
    process = _process()
    # The main module is imported before the worker is given what is handed down.
    return hasattr(process, "_inheriting") or type(_handed_down().get(ENTRY)) is dict


def selected_by_starter(host: str) -> tuple[str, ...]:
    """Name what was selected for a host where this process was started, if it is a worker."""
    told = _handed_down().get(ENTRY)
    return told.get(host, ()) if type(told) is dict else ()


def lost(host: str, names: tuple[str, ...]) -> str:
    """Say that what was selected did not reach this worker, and how to carry it."""
    return (
        f"{quoted(names)} was selected for {host} where this worker process was started, and was "
        f"not carried here: {host} runs the calls itself (cpu). {_advice()} If the host is meant, "
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


def _names(selector: Any) -> tuple[str, ...]:
    """Name the backends that are selected for a host here and now, as far as that needs no import."""
    scope = selector.state.scope()
    selection = selector.state.default if scope is None else scope[0]
    if selection.is_host or selector.off:
        return ()
    every = (*selection.names, *(name for rule in selection.rules for name in rule.names))
    return tuple(name for name in dict.fromkeys(every) if name != CPU)


def _advice() -> str:
    """Give the line that carries a selection to workers of the kind that this process is."""
    worker = _process()
    if worker.name.startswith("Dask Worker"):
        return "Write carry_selection(client, settings), of scverse_backends.dask_plugin."
    if "loky" in type(worker).__module__:
        return "Write joblib.delayed(settings.snapshot().bind(func))(...)."
    return (
        "Start the pool with initializer=settings.snapshot().apply, or send "
        "settings.snapshot().bind(func)."
    )
