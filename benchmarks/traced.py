"""Traced: what a trace adds to each call, and what memory each record takes; prints JSON.

Ten thousand calls are made with a trace and without, in turns; the one that took least processor
time counts.
"""

from __future__ import annotations

import json
import tracemalloc
from contextlib import nullcontext
from time import thread_time

from rounds import in_turns

from scverse_backends import BackendDispatcher

CALLS = 10_000


class Adapter:
    """Offers what the host has, one of them under a name of its own."""

    name = "accel"
    renames = {"two": {"option": "setting"}}  # noqa: RUF012

    def one(self, x): ...
    def two(self, x, setting=None): ...


dispatcher = BackendDispatcher(entrypoint_group="bench_traced.backends", host_name="bench_traced")
dispatcher.register(Adapter)
settings = dispatcher.settings


@dispatcher.backend_dispatch
def one(x): ...


@dispatcher.backend_dispatch
def two(x, option=None): ...


CASES = {
    "on the host": (one, {}, None),
    "on the host, by keyword": (two, {"option": 1}, None),
    "on a backend": (one, {}, "accel"),
    "on a backend that renames": (two, {"option": 1}, "accel"),
}


def seconds(case, tracing):
    """Time all calls of one case."""
    function, options, backend = CASES[case]
    with settings.use_backend(backend or "cpu"), settings.trace() if tracing else nullcontext():
        begun = thread_time()
        for _ in range(CALLS):
            function(1, **options)
        return thread_time() - begun


def added(case):
    """Give what a trace adds to each call of one case, in seconds."""
    turns = in_turns({on: lambda on=on: seconds(case, on) for on in (False, True)}, rounds=25)
    return (min(turns[True]) - min(turns[False])) / CALLS


def memory():
    """Give the bytes that a traced call keeps, and those of its record once it is asked for."""
    one(1)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    with settings.trace() as trace:
        for _ in range(CALLS):
            one(1)
    kept = tracemalloc.get_traced_memory()[0] - before
    records = trace.records
    shown = tracemalloc.get_traced_memory()[0] - before - kept
    tracemalloc.stop()
    return {"call": kept / len(records), "record": shown / len(records)}


print(json.dumps({"seconds": {case: added(case) for case in CASES}, "bytes": memory()}, indent=2))
