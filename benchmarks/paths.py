"""Paths: what calls cost beside a bare wrapper; prints seconds as JSON.

Every stage of one process times the bare wrapper again, beside the calls that
are compared with it.
"""

from __future__ import annotations

import json
from functools import wraps

from rounds import fastest

from scverse_backends import BackendDispatcher


def one(x):
    return x


def two(x, option=None):
    return x


def bare(func):
    """Wrap a function as any decorator does."""

    @wraps(func)
    def wrapper(*args, **kwargs):
        return func(*args, **kwargs)

    return wrapper


class Adapter:
    """Offers what the host has."""

    name = "accel"
    __all__ = ("one",)

    @staticmethod
    def one(x):
        return x


dispatcher = BackendDispatcher(entrypoint_group="bench_paths.backends", host_name="bench_paths")
dispatched = dispatcher.backend_dispatch(one)
WRAPPERS = {
    "positional": ("f(1)", {"f": bare(one)}),
    "keyword": ("f(x=1)", {"f": bare(one)}),
    "one positional, one keyword": ("f(1, option=2)", {"f": bare(two)}),
}
CALLS = {
    "dispatched, positional": ("f(1)", {"f": dispatched}),
    "dispatched, keyword": ("f(x=1)", {"f": dispatched}),
}
OWN = {"dispatched, own": ("f(1, backend='accel')", {"f": dispatched})}


def stages():
    """Measure each state that a process passes through."""
    use_backend = dispatcher.settings.use_backend
    yield "quiet", fastest({**WRAPPERS, **CALLS})
    dispatcher.register(Adapter)
    with use_backend("accel"):
        pass
    yield "after a block", fastest({**WRAPPERS, **CALLS})
    with use_backend("accel"):
        dispatched(1)
        yield "warm", fastest({**WRAPPERS, **CALLS})
    yield "own", fastest({**WRAPPERS, **OWN}, number=400)


print(json.dumps(dict(stages())))
