"""What is sent to an executor of the settings runs under what is selected where it is sent."""

import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest


@pytest.fixture
def pool(host):
    with host.settings.executor(ThreadPoolExecutor(1)) as pool:
        yield pool


def test_calls_run_under_what_is_selected_where_they_are_submitted(host, pool):
    futures = []
    for label in ("fast", "other", "cpu"):
        with host.settings.use_backend(label):
            futures.append(pool.submit(host.ask))
    assert [future.result() for future in futures] == ["fast 1.0", "other 1.0", "cpu"]


def test_calls_that_are_mapped_do_so_too(host, pool):
    with host.settings.use_backend("fast"):
        found = pool.map(lambda number, ask: (number, ask()), [1, 2], [host.ask] * 2, timeout=60)
    assert [*found] == [(1, "fast 1.0"), (2, "fast 1.0")]


def test_whatever_else_it_is_asked_for_the_other_executor_answers(host):
    class Threads(ThreadPoolExecutor):
        workers = 3

    with host.settings.executor(Threads()) as pool:
        assert pool.workers == 3
        assert not hasattr(pool, "no_such_thing")


def test_it_carries_into_processes(host):
    processes = ProcessPoolExecutor(1, get_context("spawn"))
    with host.settings.executor(processes) as pool, host.settings.use_backend("fast"):
        assert pool.submit(host.where).result() == "fast 1.0"
        assert [*pool.map(divmod, [7], [2], chunksize=1)] == [(3, 1)]


INTERPRETERS = """
from concurrent.futures import InterpreterPoolExecutor
import {host} as host
if __name__ == "__main__":
    with host.settings.use_backend("fast"):
        snapshot = host.settings.snapshot()
        with InterpreterPoolExecutor(1) as pool:
            print(pool.submit(host.where).result())
            print(pool.submit(snapshot.bind(host.where)).result())
            print(host.settings.executor(pool).submit(host.where).result())
        with InterpreterPoolExecutor(1, initializer=snapshot.apply) as pool:
            print(pool.submit(host.where).result())
"""


@pytest.mark.skipif(sys.version_info < (3, 14), reason="has no pool of interpreters")
def test_it_and_a_snapshot_carry_into_interpreters(world, run_python):
    script = world.site.write("script.py", INTERPRETERS.format(host=world.name))
    assert run_python(script).stdout.splitlines() == ["cpu", *["fast 1.0"] * 3]


def test_it_is_the_other_executor_for_everything_else(host):
    threads = ThreadPoolExecutor(3)
    pool = host.settings.executor(threads)
    assert f"{threads!r} under what {host.__name__} has selected" in repr(pool)
    pool.shutdown(wait=True, cancel_futures=True)
    with pytest.raises(RuntimeError, match="after shutdown"):
        threads.submit(host.ask)
