"""A trace follows the context: nested traces, selections, threads, tasks and generators."""

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from weakref import ref

import pytest

pytestmark = pytest.mark.usefixtures("backends")


def test_nested_traces_each_see_their_calls(host):
    with host.settings.trace() as outer:
        host.scale([1])
        with host.settings.trace() as inner:
            host.scale([1])
        host.scale([1])
    assert (len(outer), len(inner)) == (3, 1)


def test_a_trace_inside_a_call_sees_no_parent_beyond_itself(host):
    inner = host.settings.trace()

    def then():
        with inner:
            host.scale([2])

    with host.settings.trace() as outer:
        host.scale([1], then=then)
    assert [record.parent for record in outer.records] == [None, 0]
    assert [record.parent for record in inner.records] == [None]


def test_a_trace_may_be_entered_again_and_adds_to_what_it_has(host):
    trace = host.settings.trace()
    for _ in range(2):
        with trace:
            host.scale([1])
    assert len(trace) == 2


def test_a_trace_that_is_on_cannot_be_entered_once_more(host):
    with host.settings.trace() as trace:
        with pytest.raises(RuntimeError, match="on here already"):
            trace.__enter__()
        host.scale([1])
    assert len(trace) == 1


def test_ending_a_trace_that_is_not_on_does_no_harm(host):
    host.settings.trace().__exit__(None, None, None)
    with host.settings.trace() as trace:
        host.settings.trace().__exit__(None, None, None)
        host.scale([1])
    assert len(trace) == 1


def test_a_block_that_outlives_the_trace_stays_in_force(host):
    block = host.settings.use_backend("fast")
    with host.settings.trace():
        block.__enter__()
    assert host.settings.backend == "fast"
    assert host.scale([1]) == [3]
    block.__exit__(None, None, None)
    assert host.settings.backend == "cpu"


@pytest.mark.parametrize("backend", [None, "fast"])
def test_what_a_call_changes_in_the_context_is_left_when_it_ends(host, backend):
    left = []

    def then():
        block = host.settings.use_backend("picky", fallback="silent")
        block.__enter__()
        left.append(block)

    with host.settings.trace() as trace:
        host.scale([1], then=then, backend=backend)
        assert host.settings.backend == "picky"
        host.scale([1])
        left[0].__exit__(None, None, None)
        host.scale([1])
    assert [record.parent for record in trace.records] == [None, None, None]
    assert host.settings.backend == "cpu"


def test_a_trace_that_a_call_ends_has_ended(host):
    trace = host.settings.trace()
    trace.__enter__()
    host.scale([1], then=lambda: trace.__exit__(None, None, None))
    host.scale([1])
    assert len(trace) == 1


def test_a_thread_that_carries_the_context_is_traced_within_its_call(host):
    def then():
        with ThreadPoolExecutor(1) as pool:
            pool.submit(copy_context().run, host.scale, [1]).result()

    with host.settings.trace() as trace:
        host.scale([1], then=then)
    assert [record.parent for record in trace.records] == [None, 0]


def test_a_context_that_outlives_the_trace_adds_nothing(host):
    with host.settings.trace() as trace:
        context = copy_context()
    assert context.run(host.scale, [1]) == [2]
    assert len(trace) == 0


def test_many_threads_lose_no_record(host):
    with host.settings.trace() as trace, ThreadPoolExecutor(8) as pool:
        contexts = [copy_context() for _ in range(8)]
        calls = [
            pool.submit(context.run, lambda: [host.scale([1]) for _ in range(200)])
            for context in contexts
        ]
        for call in calls:
            call.result()
    assert len(trace) == 1600


@pytest.mark.parametrize("backend", [None, "fast"])
def test_a_coroutine_is_recorded_once_with_what_it_calls(host, backend):
    async def main():
        return await host.fetch([1], backend=backend)

    with host.settings.trace() as trace:
        asyncio.run(main())
    first, *inner = trace.records
    assert (first.function, first.backend, first.outcome) == ("fetch", backend or "cpu", "returned")
    assert [record.parent for record in inner] == [0] * len(inner)
    assert first.duration > 0


def test_tasks_are_traced_each_within_its_own_call(host):
    async def one(number):
        async def then():
            await asyncio.sleep(0.001 * number)
            return host.scale([number])

        return await host.fetch([number], then=then)

    async def main():
        await asyncio.gather(*map(one, range(5)))

    with host.settings.trace() as trace:
        asyncio.run(main())
    parents = [trace.records[r.parent].function for r in trace.records if r.parent is not None]
    assert parents == ["fetch"] * 5
    assert len({r.parent for r in trace.records if r.parent is not None}) == 5


def test_a_coroutine_that_fails_or_is_cancelled_says_so(host):
    async def fail():
        raise ValueError

    async def main():
        with pytest.raises(ValueError):  # noqa: PT011 - it has no text
            await host.fetch([1], then=fail)
        task = asyncio.create_task(host.fetch([1], then=lambda: asyncio.sleep(10)))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with host.settings.trace() as trace:
        asyncio.run(main())
    assert [r.error for r in trace.records] == ["ValueError", "asyncio.exceptions.CancelledError"]


def test_a_coroutine_awaited_after_the_trace_is_in_it_and_ends(host):
    async def main():
        with host.settings.trace() as trace:
            waiting = host.fetch([1])
        before = trace.records[0].outcome
        await waiting
        host.scale([1])
        return before, trace

    before, trace = asyncio.run(main())
    assert (before, trace.records[0].outcome) == ("running", "returned")
    assert [record.function for record in trace.records] == ["fetch"]


@pytest.mark.parametrize("backend", [None, "fast"])
def test_a_generator_is_recorded_with_what_its_steps_call(host, backend):
    with host.settings.trace() as trace:
        steps = host.rows(2, backend=backend)
        assert trace.records[0].outcome == "running"
        assert len([*steps]) == 2
    first, *inner = trace.records
    assert (first.function, first.outcome) == ("rows", "returned")
    assert [record.parent for record in inner] == ([0, 0] if backend is None else [])


def test_a_generator_that_is_closed_has_returned(host):
    with host.settings.trace() as trace:
        steps = host.rows(5)
        next(steps)
        steps.close()
    assert trace.records[0].outcome == "returned"


def test_what_is_between_a_generator_s_steps_is_not_within_it(host):
    with host.settings.trace() as trace:
        for _ in host.rows(1):
            host.scale([1])
    assert [record.parent for record in trace.records] == [None, 0, None]


def test_a_trace_keeps_no_argument_or_result_alive(host):
    class Data(list):
        pass

    data = Data([1])
    host.settings.fallback = "silent"
    with host.settings.trace() as trace:
        results = [host.scale(data, backend=backend) for backend in (None, "fast", "picky")]
    gone = ref(data)
    del data, results
    gc.collect()
    assert gone() is None
    assert len(trace) == 3


def test_a_trace_that_was_thrown_away_leaves_nothing(host):
    with host.settings.trace() as trace:
        host.scale([1])
    gone = ref(trace)
    del trace
    gc.collect()
    assert gone() is None
