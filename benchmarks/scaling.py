"""Scaling: how costs grow; draws ``docs/scaling.svg``.

Each panel grows one thing and leaves the others small.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from types import SimpleNamespace

import matplotlib as mpl
from installed import install
from rounds import fastest, in_turns

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "scaling"  # the same drawing twice is the same file
from matplotlib import pyplot as plt  # noqa: E402 - the backend is chosen first

HERE = Path(__file__).parent
PICTURE = HERE.parent / "docs" / "scaling.svg"
OURS = str(HERE.parent / "src")
sys.path.insert(0, OURS)

from scverse_backends import BackendDispatcher  # noqa: E402 - from this checkout


def function(count, name="f"):
    """Make a function of so many parameters."""
    names = {}
    exec(f"def {name}({', '.join(f'p{n}' for n in range(count))}): return p0", names)  # noqa: S102 - our own line
    return names[name]


def bare(func):
    @wraps(func)
    def wrapper(*args, **kwargs):
        return func(*args, **kwargs)

    return wrapper


def host(functions, offered):
    """Make a host of functions, and a backend that offers others of the same names."""
    dispatcher = BackendDispatcher(entrypoint_group="bench_scaling.backends", host_name="scaling")
    dispatcher.register(SimpleNamespace(name="accel", **{f.__name__: f for f in offered}))
    return dispatcher, [dispatcher.backend_dispatch(f) for f in functions]


def parameters(count):
    """Call a function of so many parameters, all given by position."""
    func = function(count)
    dispatcher, (public,) = host([func], [function(count)])
    names = {"bare": bare(func), "public": public, "given": tuple(range(count))}
    found = fastest(
        {"wrapper": ("bare(*given)", names), "host": ("public(*given)", names)}, rounds=30
    )
    with dispatcher.settings.use_backend("accel"):
        public(*range(count))
        found |= fastest({"backend": ("public(*given)", names)}, rounds=30)
    return {name: seconds * 1e9 for name, seconds in found.items()}


def functions(count):
    """Decorate so many functions, and compile a route for each; the fastest of three."""
    found = [decorate_and_call(count) for _ in range(3)]
    return {name: min(one[name] for one in found) for name in found[0]}


def decorate_and_call(count):
    made, offered = ([function(10, f"f{n}") for n in range(count)] for _ in range(2))
    begun = perf_counter()
    dispatcher, public = host(made, offered)
    decorated = perf_counter()
    with dispatcher.settings.use_backend("accel"):
        for one in public:
            one(*range(10))
    return {
        "decorating": (decorated - begun) * 1e3,
        "first call of each on a backend": (perf_counter() - decorated) * 1e3,
    }


def first(site, what):
    command = [sys.executable, str(HERE / "first.py"), OURS, site, what]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def in_a_site(count, backends, cases):
    """Take first-time costs among so many distributions, of which some are backends."""
    with TemporaryDirectory() as site:
        for number in range(count):
            name = f"accel{number}" if number < backends else None
            install(Path(site), f"bench_accel{number}", name)
        measures = {label: lambda what=what: first(site, what) for label, what in cases.items()}
        return {label: min(found) * 1e3 for label, found in in_turns(measures, rounds=5).items()}


def distributions(count):
    cases = {"a trusted label": "label", "importlib.metadata itself": "metadata"}
    return in_a_site(count, 10, cases)


def backends(count):
    return in_a_site(count, count, {"first call on one of them": "call"})


def threads(count):
    """Share 200,000 calls out among so many threads."""
    func = function(1)
    dispatcher, (public,) = host([func], [function(1)])

    def work(called):
        for _ in range(200_000 // count):
            called(1)

    def each(called):
        with ThreadPoolExecutor(count) as pool:
            begun = perf_counter()
            list(pool.map(work, [called] * count))
            return (perf_counter() - begun) / 200_000 * 1e9

    found = {"wrapper": bare(func), "host": public}
    seconds = {name: min(each(called) for _ in range(5)) for name, called in found.items()}
    dispatcher.settings.backend = "accel"
    public(1)
    seconds["backend"] = min(each(public) for _ in range(5))
    return seconds


PANELS = (
    (parameters, (1, 2, 5, 10, 20, 40), "parameters", "ns a call"),
    (functions, (100, 250, 500, 1000, 2000), "functions of ten parameters", "ms in all"),
    (distributions, (20, 250, 500, 1000, 2000), "installed distributions", "ms, once"),
    (backends, (5, 10, 20, 50), "installed backends", "ms, once"),
    (threads, (1, 2, 4, 8), "threads", "ns a call"),
)


def draw(axes, measure, sizes, what, unit):
    found = [measure(size) for size in sizes]
    for label in found[0]:
        values = [one[label] for one in found]
        axes.plot(sizes, values, marker="o", markersize=3, label=label)
        shown = (f"{size}: {value:.4g}" for size, value in zip(sizes, values, strict=True))
        print(f"{what}, {label} ({unit}):", *shown)
    axes.set(xlabel=what, ylabel=unit, ylim=(0, None))
    axes.legend(fontsize=7, frameon=False)


def main():
    figure, grid = plt.subplots(2, 3, figsize=(10, 5.5), layout="constrained")
    for axes, panel in zip(grid.flat, PANELS, strict=False):
        draw(axes, *panel)
    grid.flat[-1].axis("off")
    figure.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    main()
