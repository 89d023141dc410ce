"""Threads: how calls grow with four threads, and whether any goes wrong while backends change.

Growth is that of the calls of four threads over those of one, as a share of the same growth behind
a bare wrapper. It tells something on a free-threaded Python and a quiet machine with free cores.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from functools import wraps
from statistics import median
from threading import Barrier, Thread
from time import perf_counter
from types import SimpleNamespace

from scverse_backends import BackendDispatcher

THREADS, CALLS, ROUNDS = 4, 40_000, 9
CALLERS, EACH = 16, 6_250

dispatcher = BackendDispatcher(entrypoint_group="bench_threads.backends", host_name="bench_threads")
use_backend = dispatcher.settings.use_backend


def bare(func):
    @wraps(func)
    def wrapper(*args, **kwargs):
        return func(*args, **kwargs)

    return wrapper


def host_function(name):
    def function(x, n=3):
        return "host"

    function.__name__ = function.__qualname__ = name
    return function


def implementation():
    def function(x, n=3):
        return "fast"

    return function


names = [f"f{number}" for number in range(THREADS)]
functions = [host_function(name) for name in names]
WRAPPED = [bare(function) for function in functions]
PUBLIC = [dispatcher.backend_dispatch(function) for function in functions]
dispatcher.register(SimpleNamespace(name="fast", **{name: implementation() for name in names}))


def rate(called, within):
    """Count the calls a second of threads that begin at one moment."""
    start = Barrier(len(called) + 1)

    def call(function):
        with within():
            function(1)
            start.wait()
            for _ in range(CALLS):
                function(1)

    threads = [Thread(target=call, args=(function,)) for function in called]
    for thread in threads:
        thread.start()
    start.wait()
    begun = perf_counter()
    for thread in threads:
        thread.join()
    return CALLS * len(called) / (perf_counter() - begun)


def growth(called, within=nullcontext):
    return rate(called, within) / rate(called[:1], within)


def fast():
    return use_backend("fast")


def shares():
    """Give each path's growth as a share of the bare wrapper's, in one round."""
    one, each = growth(WRAPPED[:1] * THREADS), growth(WRAPPED)
    return {
        "host path of one function": growth(PUBLIC[:1] * THREADS) / one,
        "host path of one function each": growth(PUBLIC) / each,
        "backend path of one function": growth(PUBLIC[:1] * THREADS, fast) / one,
        "backend path of one function each": growth(PUBLIC, fast) / each,
    }


def wrong_answers():
    """Count the calls that did not run where they were sent, while backends come and go."""
    wrong, going = [], [True]
    start = Barrier(CALLERS + 1)

    def call(number):
        function, label = PUBLIC[number % THREADS], ("fast", "cpu")[number % 2]
        expected = {"fast": "fast", "cpu": "host"}[label]
        start.wait()
        for turn in range(EACH):
            if turn % 2:
                answer = function(1, backend=label)
            else:
                with use_backend(label):
                    answer = function(1)
            if answer != expected:
                wrong.append(answer)

    def change():
        start.wait()
        while going:
            with dispatcher.register(SimpleNamespace(name="other", f0=implementation())):
                dispatcher.discover()
            dispatcher.refresh()

    changing = Thread(target=change)
    callers = [Thread(target=call, args=(number,)) for number in range(CALLERS)]
    for thread in (changing, *callers):
        thread.start()
    for thread in callers:
        thread.join()
    going.clear()
    changing.join()
    return len(wrong)


if __name__ == "__main__":
    has_lock = getattr(sys, "_is_gil_enabled", lambda: True)()
    print(sys.version.split()[0], "with the lock" if has_lock else "free-threaded")
    rounds = [shares() for _ in range(ROUNDS)]
    for path in rounds[0]:
        found = sorted(one[path] for one in rounds)
        print(
            f"{path:35} {median(found):.2f} of a bare wrapper's ({found[0]:.2f} to {found[-1]:.2f})"
        )
    print(f"while backends change: {wrong_answers()} wrong of {CALLERS * EACH:,}")
