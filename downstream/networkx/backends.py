"""Run NetworkX's functions on two packages that were written for NetworkX's own dispatch.

    python downstream/networkx/backends.py

It needs this library, networkx 3.4, graphblas-algorithms, nx-parallel and scipy. No release of the two
backends fits networkx 3.6: nx-parallel cannot be imported there, and graphblas-algorithms gives other
results. Each function that takes a graph and nothing else runs on the host and on the backend. The exit
status is 0 if each backend runs what `explain` says that it runs.
"""

import math
import random
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from types import SimpleNamespace

import numpy as np
from graphblas_algorithms.interface import Dispatcher as GraphBLAS
from networkx_host import dispatcher, nx
from nx_parallel.interface import BackendInterface as Parallel

NODES, EDGES = 40, 150
DISTRIBUTIONS = {"graphblas": "graphblas-algorithms", "parallel": "nx-parallel"}


def adapter(name, interface):
    """Make an adapter of what NetworkX knows as a backend: its functions have the host's names."""
    return SimpleNamespace(
        name=name, **{found: getattr(interface, found) for found in offered(interface)}
    )


def offered(interface):
    """List the functions of the host that a backend of NetworkX has."""
    return [name for name in dispatcher.dispatched if callable(getattr(interface, name, None))]


def graph():
    """Make a connected graph with weights."""
    seeded = random.Random(1)  # noqa: S311 - weights, not secrets
    made = nx.compose(nx.path_graph(NODES), nx.gnm_random_graph(NODES, EDGES, seed=1))
    for *_, data in made.edges(data=True):
        data["weight"] = seeded.randint(1, 9)
    return made


def outcome(function, given):
    """Give what a call returns, or the kind of its exception, and how long it takes."""
    started = time.perf_counter()
    try:
        result = function(given)
        result = [*result] if isinstance(result, Iterator) else result
    except Exception as error:  # noqa: BLE001 - that it raises is a result
        result = type(error)
    return result, time.perf_counter() - started


def is_alike(one, other):
    """Whether two results say the same, but for rounding."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_alike(one[key], other[key]) for key in one)
    if isinstance(one, Sequence) and not isinstance(one, str) and isinstance(other, Sequence):
        return len(one) == len(other) and all(map(is_alike, one, other))
    if isinstance(one, float | int) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-6)
    if type(one) is not type(other):
        return False
    if hasattr(one, "shape"):
        one, other = (np.asarray(getattr(found, "toarray", found.copy)()) for found in (one, other))
        return one.shape == other.shape and np.allclose(one, other, rtol=1e-4)
    return one == other


def told(found):
    """Say what a backend gives in place of the host's result."""
    if isinstance(found, type):
        return f"raises {found.__name__}"
    return f"gives {type(found).__name__}"


def show(name, interface, made):
    """Draw a backend's table; gives the functions that ran elsewhere than was explained."""
    print(f"\n{name} ({DISTRIBUTIONS[name]} {version(DISTRIBUTIONS[name])})")
    wrong, settings = [], dispatcher.settings
    with dispatcher.register(adapter(name, interface)), settings.use_backend(name):
        for function in sorted(offered(interface)):
            public = dispatcher.dispatched[function]
            with settings.use_backend("cpu"):
                expected, host_s = outcome(public, made.copy())
            if isinstance(expected, type):
                continue  # it takes more than a graph
            decision = settings.explain(public, made.copy())
            with settings.trace() as trace:
                found, seconds = outcome(public, made.copy())
            ran = next(record.backend for record in trace.records if record.function == function)
            wrong += [function] if ran != decision.backend else []
            what = "as on the host" if is_alike(expected, found) else told(found)
            print(f"  {function:34} {ran:10} {host_s * 1e3:8.1f} {seconds * 1e3:8.1f} ms  {what}")
    return wrong


def main():
    """Show both tables, and give the exit status."""
    warnings.simplefilter("ignore")
    made = graph()
    print(f"networkx {nx.__version__}: a graph of {NODES} nodes; host, then backend")
    wrong = [*show("graphblas", GraphBLAS, made), *show("parallel", Parallel, made)]
    print(f"\n{len(wrong)} functions ran elsewhere than `explain` says.", *wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
