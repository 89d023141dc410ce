"""Release: what a release of scverse-backends costs; prints seconds as JSON.

The first argument is the folder that the release is imported from, so that one
script measures two releases by what both of them offer; a second makes it short.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from installed import GROUP, install
from rounds import fastest

sys.path.insert(0, sys.argv[1])
COUNTED = 1 if len(sys.argv) > 2 else 40  # a release whose decorating grows need not repeat
warnings.simplefilter("ignore")

from scverse_backends import BackendDispatcher  # noqa: E402 - from the folder just named


def one(x):
    return x


def ten(a, b, c, d=1, e=2, f=3, *, g=4, h=5, i=6, j=7):
    return a


def fresh(count):
    """Make functions that were never seen before."""
    body = "def f{}(a, b, c, d=1, e=2, f=3, *, g=4, h=5, i=6, j=7): 'Doc.'"
    names = {}
    for number in range(count):
        exec(body.format(number), names)  # noqa: S102 - our own line
    return [names[f"f{number}"] for number in range(count)]


def decorating(count):
    """Time the decoration of so many functions, once every backend is known."""
    dispatcher = BackendDispatcher(entrypoint_group=GROUP, host_name="bench_host")
    if hasattr(dispatcher, "discover"):
        dispatcher.discover()
    functions = fresh(count)
    begun = perf_counter()
    for function in functions:
        dispatcher.backend_dispatch(function)
    return perf_counter() - begun


def measure():
    dispatcher = BackendDispatcher(entrypoint_group=GROUP, host_name="bench_host")
    settings = dispatcher.settings
    host = {"one": dispatcher.backend_dispatch(one), "ten": dispatcher.backend_dispatch(ten)}
    with settings.use_backend("accel"):
        host["one"](1), host["ten"](1, 2, 3)
        calls = {
            "warm, one argument": ("one(1)", host),
            "warm, three of ten": ("ten(1, 2, 3)", host),
            "warm, three of ten, two keywords": ("ten(1, 2, 3, d=2, g=5)", host),
        }
        found = fastest(calls, rounds=40, number=200)
    block = {
        "with use_backend(x): pass": ("with use('accel'): pass", {"use": settings.use_backend})
    }
    found |= fastest(block, rounds=40, number=200)
    other = BackendDispatcher(entrypoint_group="bench_other.backends", host_name="bench_other")
    again = {"decorate": other.backend_dispatch, "ten": ten}
    found |= fastest(
        {"decorating a function of ten parameters": ("decorate(ten)", again)}, rounds=40, number=20
    )
    for count in (100, 200):
        found[f"decorating {count}"] = min(decorating(count) for _ in range(COUNTED))
    return found


with TemporaryDirectory() as site:
    install(Path(site), "bench_accel", "accel")
    sys.path.insert(0, site)
    print(json.dumps(measure()))
