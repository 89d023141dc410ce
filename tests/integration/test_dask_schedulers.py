"""Dask without a cluster: each of its schedulers carries a selection after one line, or the worker says it is lost."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import dask
import dask.bag as db
import pytest

pytestmark = pytest.mark.slow

TASKS = """
    import warnings
    import {name} as host
    def told(_):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            return host.where(), [str(one.message) for one in caught]
"""


@pytest.fixture
def host(world):
    return world.load()


@pytest.fixture
def bag(world):
    world.site.write(f"{world.name}_tasks.py", TASKS.format(name=world.name))
    tasks = __import__(f"{world.name}_tasks")
    return db.from_sequence(range(1), npartitions=1).map(tasks.told)


def test_processes_carry_with_an_initializer(host, bag):
    with host.settings.use_backend("fast"):
        initializer = host.settings.snapshot().apply
    with dask.config.set({"multiprocessing.initializer": initializer}):
        assert bag.compute(scheduler="processes", num_workers=1) == [("fast 1.0", [])]


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_both_carry_with_an_executor_of_the_settings(host, bag, scheduler):
    pools = {
        "threads": lambda: ThreadPoolExecutor(1),
        "processes": lambda: ProcessPoolExecutor(1, get_context("spawn")),
    }
    with host.settings.executor(pools[scheduler]()) as pool, dask.config.set(pool=pool):
        for label in ("fast", "other"):
            with host.settings.use_backend(label):
                assert bag.compute(scheduler=scheduler) == [(f"{label} 1.0", [])]
