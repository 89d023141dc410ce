"""A trace is told of calls that bound work makes elsewhere, or says that it does not know of any."""

import asyncio
import gc
import json
import multiprocessing
import os
import pickle
import socket
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

HOST = """
    from scverse_backends import BackendDispatcher
    dispatcher = BackendDispatcher(
        entrypoint_group="{name}.backends", host_name="{name}", fallback="silent", untrusted="allow"
    )
    settings = dispatcher.settings
    @dispatcher.backend_dispatch
    def inner(value, scale=1, n_jobs=None): return value * scale
    @dispatcher.backend_dispatch
    def outer(value): return inner(value)
    @dispatcher.backend_dispatch
    def fail(): raise ValueError("no")
    def work(value): return outer(value) + inner(value)
    async def work_async(value): return outer(value)
    def nothing(): return 0
"""
BACKEND = """
    name = "{name}"
    def inner(value, scale=float("inf"), extra=3): return value
"""


@pytest.fixture
def host(world):
    world.write_host(HOST)
    world.install("fast", source=BACKEND)
    return world.load()


@pytest.fixture
def snapshot(host):
    with host.settings.use_backend("fast", options={"inner": {"extra": 4}}):
        return host.settings.snapshot()


def threads():
    return ThreadPoolExecutor(2)


def processes(method="spawn"):
    return ProcessPoolExecutor(1, multiprocessing.get_context(method))


def seen(trace):
    return [(record.function, record.backend, record.parent) for record in trace.records]


WORK = [("outer", "cpu", None), ("inner", "fast", 0), ("inner", "fast", None)]


def test_calls_in_a_thread_are_traced_if_what_makes_them_was_bound_in_the_block(host, snapshot):
    before = snapshot.bind(host.work)
    with host.settings.trace() as trace, threads() as pool:
        pool.submit(host.work, 1).result()
        pool.submit(before, 1).result()
        assert seen(trace) == []
        pool.submit(snapshot.bind(host.work), 1).result()
    assert seen(trace) == WORK
    assert {record.worker for record in trace.records} == {None}


@pytest.mark.parametrize("every_thread", [False, True])
def test_records_of_another_process_come_last_and_are_whole(host, snapshot, every_thread):
    with host.settings.trace(every_thread=every_thread) as trace:
        with processes() as pool:
            bound = snapshot.bind(host.work)
            assert [*pool.map(bound, [1, 2])] == [2, 4]
        with snapshot:
            host.inner(1)
    own, *others = trace.records
    assert len(trace) == 7
    assert own.worker is None
    assert seen(trace)[1:] == [
        (function, backend, parent if parent is None else parent + first)
        for first in (1, 4)
        for function, backend, parent in WORK
    ]
    (machine, _, process) = others[0].worker.rpartition(":")
    assert machine == socket.gethostname()
    assert int(process) != os.getpid()
    call = others[1]
    assert (call.distribution, call.version, call.outcome) == ("fast-backend", "1.0", "returned")
    assert call.options == own.options == (("extra", 4),)
    assert call.differing_defaults[0].parameter == own.differing_defaults[0].parameter
    assert call.site.function == "outer"
    assert others[0].is_fallback
    assert "does not implement it" in others[0].refusals[0].reason
    assert others[0].refusals[0].kind == "cannot-run"
    assert all(one.start >= 0 for one in others)
    assert len(json.loads(trace.to_json())["records"]) == 7
    assert trace.provenance()["backends"]["fast"]["functions"] == ["inner"]
    assert "7 calls" in str(trace)


def test_a_call_that_raises_there_is_told(host, snapshot):
    with host.settings.trace() as trace, processes() as pool:
        error = pool.submit(snapshot.bind(host.fail)).exception()
    assert trace.records[0].error.startswith("ValueError: no")
    assert str(error) == "no"


def test_a_forked_process_that_is_sent_nothing_tells_too_and_leaves_the_trace_alone(host, snapshot):
    with host.settings.trace() as trace:
        bound = snapshot.bind(host.work)

        def work():
            nonlocal trace
            bound(1)
            trace = None
            gc.collect()

        for _ in range(2):
            process = multiprocessing.get_context("fork").Process(target=work)
            process.start()
            process.join(timeout=60)
    assert len(trace) == 6


def test_coroutines_that_run_at_the_same_time_are_traced(host, snapshot):
    async def main():
        bound = snapshot.bind(host.work_async)
        loop = asyncio.get_running_loop()
        with threads() as pool:
            calls = (loop.run_in_executor(pool, asyncio.run, bound(1)) for _ in range(2))
            await asyncio.gather(*calls)
            await bound(1)

    with host.settings.trace() as trace:
        asyncio.run(main())
    assert len(trace) == 6


def test_a_call_is_not_traced_twice(host, snapshot):
    with host.settings.trace() as trace, host.settings.trace(every_thread=True) as all_:
        bound = snapshot.bind(host.work)
        bound(1)
        with threads() as pool:
            pool.submit(bound, 1).result()
    assert len(trace) == len(all_) == 6
    bound(1)
    assert len(trace) == len(all_) == 6


def test_what_is_bound_outlives_the_trace(host, snapshot):
    with host.settings.trace():
        bound = snapshot.bind(host.work)
    gc.collect()
    assert bound(1) == pickle.loads(pickle.dumps(bound))(1) == 2
    with processes() as pool:
        assert pool.submit(bound, 1).result() == 2


def test_a_trace_says_when_nothing_came_back(host, snapshot):
    with host.settings.trace() as trace, processes() as pool:
        assert pool.submit(snapshot.bind(host.nothing)).result() == 0
    for text in (repr(trace), str(trace).replace("\n             ", " ")):
        assert "0 calls" in text
        assert "no call of it has come back" in text
        assert "trace.to_json()" in text


def test_a_trace_with_calls_of_its_own_says_it_too(host, snapshot):
    with host.settings.trace() as trace:
        pickle.dumps(snapshot.bind(host.nothing))
        host.inner(1)
    assert "no call of it has come back" in str(trace)


def test_a_trace_misses_nothing_that_was_sent_to_a_thread(host, snapshot):
    with host.settings.trace() as trace, threads() as pool:
        sent = pickle.dumps(snapshot.bind(host.work))
        pool.submit(lambda: pickle.loads(sent)(1)).result()
    assert len(trace) == 3
    assert "no call of it has come back" not in str(trace)


def test_an_empty_trace_says_what_it_does_not_know(host):
    with host.settings.trace() as trace:
        pass
    assert "bound inside the block, by snapshot.bind" in repr(trace)
    with host.settings.trace(every_thread=True) as trace:
        pass
    assert repr(trace) == f"<trace of {host.__name__}: 0 calls>"


def test_observers_are_told_of_this_process_only(host, snapshot):
    told = []
    with host.settings.observe(lambda decision: told.append(decision.function)):
        bound = snapshot.bind(host.work)
        assert bound(1) == 2
    assert pickle.loads(pickle.dumps(bound))(1) == 2
    assert told == ["outer", "inner", "inner"]


def test_a_bound_function_shows_that_it_is_traced(host, snapshot):
    with host.settings.trace():
        assert repr(snapshot.bind(host.work)).endswith(", traced>")


def test_what_a_trace_was_told_by_is_gone_with_it(host, snapshot, tmp_path_factory, monkeypatch):
    place = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr("tempfile.tempdir", str(place))
    with host.settings.trace() as trace:
        snapshot.bind(host.work)
    (folder,) = place.iterdir()
    assert folder.stat().st_mode & 0o077 == 0
    del trace
    gc.collect()
    assert [*place.iterdir()] == []


def test_a_forked_copy_of_a_trace_leaves_what_it_is_told_by(
    host, snapshot, tmp_path_factory, monkeypatch
):
    place = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr("tempfile.tempdir", str(place))
    traces = [host.settings.trace()]
    with traces[0]:
        snapshot.bind(host.work)

    def forget():
        traces.clear()
        gc.collect()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads
        process = multiprocessing.get_context("fork").Process(target=forget)
        process.start()
    process.join(60)
    assert process.exitcode == 0
    assert len([*place.iterdir()]) == 1
