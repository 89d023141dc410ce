"""Decorating: what it takes for every public function and class of installed packages.

    PYTHONPATH=src python benchmarks/decorating.py sklearn xarray

Processor time, without garbage collection. A function is decorated five times, of which the
shortest counts. A class can be decorated once only, so its time holds what disturbed it.
"""

from __future__ import annotations

import gc
import sys
import warnings
from inspect import isclass
from pathlib import Path
from statistics import mean, median
from time import thread_time

sys.path.insert(0, str(Path(__file__).parents[1] / "downstream" / "everything"))

from survey import public_callables

from scverse_backends import BackendDispatcher


def decorate(found, turns, of):
    """Give the microseconds that each callable took which can be decorated."""
    took = {}
    for _ in range(turns):
        dispatcher = BackendDispatcher(entrypoint_group="bench.backends", host_name="bench")
        for name, one in found:
            begun = thread_time()
            try:
                of(dispatcher)(name=name)(one)
            except (TypeError, ValueError):
                continue
            each = (thread_time() - begun) * 1e6
            took[name] = min(each, took.get(name, each))
    return took


def show(package, what, took):
    if took:
        worst = max(took, key=took.get)
        print(
            f"{package}: {len(took)} {what}, mean {mean(took.values()):.0f} µs, "
            f"median {median(took.values()):.0f}, most {took[worst]:.0f} ({worst})"
        )


def main():
    warnings.simplefilter("ignore")
    for package in sys.argv[1:]:
        found = [*public_callables(package)]
        gc.collect()
        gc.disable()
        functions = [(name, one) for name, one in found if not isclass(one)]
        classes = [(name, one) for name, one in found if isclass(one)]
        show(package, "functions", decorate(functions, 5, lambda d: d.backend_dispatch))
        show(package, "classes", decorate(classes, 1, lambda d: d.backend_class))
        gc.enable()


if __name__ == "__main__":
    main()
