"""Show that the time of ``discover()`` grows linearly with functions.

Run ``python benchmarks/discover_scaling.py``: it prints the time for each function, for 100 and
for 400 functions with 10 backends, and their ratio, which is 1 where growth is linear.
"""

from __future__ import annotations

from time import process_time
from types import SimpleNamespace

from installed import DOC

from scverse_backends import BackendDispatcher

BACKENDS, FEW, MANY, ROUNDS = 10, 100, 400, 5


def host(number):
    """Make a host function."""

    def func(data, factor=1, *, copy=False, seed=0):
        return data

    func.__name__ = func.__qualname__ = f"func{number}"
    func.__doc__ = DOC.format(option="seed")
    return func


def implementation():
    """Make a backend's function, with an option of its own and another default."""

    def func(data, factor=2, *, copy=False, seed=0, tiles: int = 4, precision="single"):
        return data

    func.__doc__ = DOC.format(option="tiles")
    return func


def seconds_each(functions):
    """Tell how long ``discover()`` takes, for each function."""
    dispatcher = BackendDispatcher(entrypoint_group="nobody.is.here", host_name="example_host")
    for number in range(functions):
        dispatcher.backend_dispatch(host(number))
    for number in range(BACKENDS):
        offered = {f"func{index}": implementation() for index in range(functions)}
        dispatcher.register(SimpleNamespace(name=f"backend{number}", **offered))
    started = process_time()
    dispatcher.discover()
    return (process_time() - started) / functions


def main():
    """Print the times, and their ratio."""
    few, many = (min(seconds_each(count) for _ in range(ROUNDS)) for count in (FEW, MANY))
    print(f"discover() with {BACKENDS} backends, processor time for each function:")
    print(f"{FEW:5d} functions: {few * 1e6:7.0f} us")
    print(f"{MANY:5d} functions: {many * 1e6:7.0f} us")
    print(f"ratio: {many / few:.2f}")


if __name__ == "__main__":
    main()
