"""A snapshot reaches what each engine runs: threads, tasks, and real worker processes."""

import asyncio
import functools
import multiprocessing
import os
import pickle
import socket
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import cloudpickle
import dask
import dask.bag as db
import joblib
import pytest
from distributed import Client, LocalCluster
from joblib.externals.loky import get_reusable_executor

from scverse_backends.exceptions import (
    BackendError,
    BackendLoadError,
)

pytestmark = pytest.mark.slow


def in_a_thread(call):
    """Run a call in a thread, and give what came out."""
    outcome = []

    def run():
        try:
            outcome.append(call())
        except BackendError as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(timeout=60)
    return outcome[0]


@contextmanager
def threads():
    yield in_a_thread


@contextmanager
def thread_pool():
    with ThreadPoolExecutor(2) as pool:
        yield lambda call: pool.submit(call).result(timeout=60)


@contextmanager
def tasks():
    yield lambda call: asyncio.run(asyncio.to_thread(call))


@contextmanager
def process_pool(method):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        yield lambda call: pool.submit(call).result(timeout=60)


@contextmanager
def multiprocessing_pool():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        yield lambda call: pool.apply_async(call).get(timeout=60)


@contextmanager
def with_joblib(backend):
    def run(call):
        with joblib.parallel_backend(backend, n_jobs=2):
            return joblib.Parallel()(joblib.delayed(call)() for _ in range(2))[0]

    # Loky keeps its workers for the next test; these must start anew.
    get_reusable_executor(max_workers=2).shutdown(wait=True)
    yield run
    get_reusable_executor(max_workers=2).shutdown(wait=True)


@contextmanager
def dask_cluster():
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        yield lambda call: client.submit(call).result(timeout=60)


IN_PROCESS = {
    "threading": threads,
    "ThreadPoolExecutor": thread_pool,
    "asyncio.to_thread": tasks,
    "joblib threading": partial(with_joblib, "threading"),
}
PROCESSES = {
    "ProcessPoolExecutor spawn": partial(process_pool, "spawn"),
    "ProcessPoolExecutor forkserver": partial(process_pool, "forkserver"),
    "multiprocessing.Pool": multiprocessing_pool,
    "joblib loky": partial(with_joblib, "loky"),
    "dask": dask_cluster,
}


@pytest.fixture
def host(world):
    return world.load()


@pytest.fixture
def snapshot(host):
    with host.settings.use_backend("fast", fallback="error"):
        return host.settings.snapshot()


@pytest.mark.parametrize("engine", (PROCESSES | IN_PROCESS).values(), ids=PROCESSES | IN_PROCESS)
def test_what_is_bound_runs_under_the_snapshot_and_what_is_not_does_not(host, snapshot, engine):
    host.settings.backend = "cpu"
    with engine() as run:
        # Without the snapshot, the worker knows nothing of the block.
        with host.settings.use_backend("fast"):
            bare = run(host.ask)
        ran = [run(snapshot.bind(func)) for func in (host.where, host.ask, host.seen)]
        assert (run(os.getpid) != os.getpid()) == (engine in PROCESSES.values())
    assert ran == ["fast 1.0", "fast 1.0", (("fast",), "error")]
    assert bare == ("fast 1.0" if engine is tasks else "cpu")


@pytest.fixture
def told(world):
    """Return a function of a module: what ran, and what was said."""
    world.site.write(
        f"{world.name}_tasks.py",
        f"""
        import warnings
        import {world.name} as host
        def told(*_):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                return host.where(), [str(one.message) for one in caught]
        """,
    )
    return __import__(f"{world.name}_tasks").told


@pytest.mark.parametrize(
    ("engine", "line"),
    [
        ("joblib loky", "joblib.delayed(settings.snapshot().bind(func))"),
        ("dask", "carry_selection(client, settings)"),
    ],
)
def test_a_worker_that_was_given_nothing_says_which_line_carries_it(host, told, engine, line):
    host.settings.backend = "fast"
    with PROCESSES[engine]() as run:
        ran, (said,) = run(told)
    assert ran == "cpu"
    assert line in said


class TestDaskWithoutACluster:
    @pytest.fixture
    def bag(self, told):
        return db.from_sequence(range(1), npartitions=1).map(told)

    def test_its_processes_carry_with_an_initializer(self, host, bag):
        with host.settings.use_backend("fast"):
            initializer = host.settings.snapshot().apply
        with dask.config.set({"multiprocessing.initializer": initializer}):
            assert bag.compute(scheduler="processes", num_workers=1) == [("fast 1.0", [])]

    @pytest.mark.parametrize("scheduler", ["threads", "processes"])
    def test_its_schedulers_carry_with_an_executor_of_the_settings(self, host, bag, scheduler):
        pools = {
            "threads": lambda: ThreadPoolExecutor(1),
            "processes": lambda: ProcessPoolExecutor(1, multiprocessing.get_context("spawn")),
        }
        with host.settings.executor(pools[scheduler]()) as pool, dask.config.set(pool=pool):
            for label in ("fast", "other"):
                with host.settings.use_backend(label):
                    assert bag.compute(scheduler=scheduler) == [(f"{label} 1.0", [])]


# These pickle an error each in its own way; what Dask does is told in test_dask.py.
PICKLING = {
    name: PROCESSES[name]
    for name in ("ProcessPoolExecutor spawn", "multiprocessing.Pool", "joblib loky")
}


@pytest.mark.parametrize("engine", PICKLING.values(), ids=PICKLING)
def test_the_error_of_a_worker_reaches_the_caller_with_the_machine(world, snapshot, host, engine):
    # Its error cannot be imported where it is told of.
    world.install("fast", source="class Boom(Exception): pass\nraise Boom('no libcuda')")
    with engine() as run, pytest.raises(BackendLoadError, match="Boom: no libcuda") as caught:
        run(snapshot.bind(host.where))
    error = caught.value
    assert socket.gethostname() == error.machine
    assert f"on {socket.gethostname()!r}" in str(error)
    assert str(os.getpid()) not in str(error)
    assert "'fast'" in str(error)
    assert (error.backend, error.distribution, error.version) == ("fast", "fast-backend", "1.0")


@pytest.mark.parametrize("module", [pickle, cloudpickle], ids=["pickle", "cloudpickle"])
class TestPickling:
    def test_what_is_decorated_pickles_by_reference(self, host, module):
        for public in (host.where, host.where_async, host.rows, host.Model):
            packed = module.dumps(public)
            assert module.loads(packed) is public
            assert len(packed) < 100

    def test_what_is_bound_pickles_by_reference(self, host, snapshot, module):
        for public in (host.where, host.where_async, host.ask, host.Model):
            assert module.loads(module.dumps(snapshot.bind(public))).__wrapped__ is public


def test_cloudpickle_carries_what_wraps_a_decorated_function(host):
    @functools.wraps(host.where)
    def outer():
        return "outer", wrapped()

    wrapped = host.where
    same = cloudpickle.loads(cloudpickle.dumps(outer))
    assert same() == ("outer", "cpu")
    assert host.settings.explain(same).function == "where"


@pytest.mark.parametrize("home", ["__main__", "nowhere"])
def test_cloudpickle_is_told_what_to_do_with_a_function_that_cannot_be_found_elsewhere(host, home):
    def local():
        return "cpu"

    local.__module__ = home
    decorated = host.dispatcher.backend_dispatch(local)
    with pytest.raises(TypeError, match=r"is dispatched by .* Put it in a module that can be"):
        cloudpickle.dumps(decorated)


def test_lambdas_and_functions_that_refer_to_settings_reach_a_worker_of_loky(host, snapshot):
    settings, where = host.settings, host.where

    def in_a_block():
        with settings.use_backend("fast"):
            return where(), os.getpid()

    decorated = settings.use_backend("fast")(lambda: (where(), os.getpid()))
    bound = snapshot.bind(lambda: (where(), os.getpid()))
    with PROCESSES["joblib loky"]() as run:
        for sent in (in_a_block, decorated, bound):
            name, process = run(sent)
            assert name == "fast 1.0"
            assert process != os.getpid()
