"""Threads and tasks that switch, nest, raise and are cancelled: every call runs where it should.

Takes three seconds, or as many as SCVERSE_BACKENDS_STRESS_SECONDS says. What is expected is known
by a model of a few lines: each worker keeps the stack of what it has asked for.
"""

import asyncio
import gc
import logging
import os
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

pytestmark = pytest.mark.slow

LOG = logging.getLogger(__name__)
SECONDS = float(os.environ.get("SCVERSE_BACKENDS_STRESS_SECONDS", "3"))
THREADS, TASKS, DEPTH = 32, 200, 5
LABELS = ("fast", "other", "cpu")

HOST = """
    import asyncio
    from scverse_backends import BackendDispatcher
    dispatcher = BackendDispatcher(
        entrypoint_group="{name}.backends", host_name="{name}", untrusted="allow"
    )
    settings = dispatcher.settings
    @dispatcher.backend_dispatch
    def record(seen): seen.append("cpu")
    @dispatcher.backend_dispatch
    def fail(seen):
        seen.append("cpu")
        raise LookupError
    @dispatcher.backend_dispatch
    async def record_async(seen):
        seen.append("cpu")
        await asyncio.sleep(0)
        record(seen)
"""
BACKEND = """
    import asyncio
    import {host} as host
    name = {{name!r}}
    __all__ = ["record", "fail", "record_async"]
    def record(seen): seen.append(name)
    def fail(seen):
        record(seen)
        raise LookupError
    async def record_async(seen):
        seen.append(name)
        await asyncio.sleep(0)
        host.record(seen)
"""


@pytest.fixture(autouse=True)
def eager_threads():
    """Have threads take turns a hundred times as often as they do."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 100)
    yield
    sys.setswitchinterval(usual)


@pytest.fixture
def host(world):
    world.write_host(HOST)
    for name in ("fast", "other"):
        world.install(name, source=BACKEND.format(host=world.name))
    return world.load()


class Worker:
    """One thread's or task's random walk, and what it expects of it."""

    def __init__(self, host, seed, base):
        self.host = host
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self.base = base
        self.calls = 0

    def check(self, seen, expected, times=1):
        """A call left its mark, made by one of the expected implementations."""
        self.calls += 1
        assert len(seen) == times
        assert set(seen) <= expected

    def call(self, expected):
        """Call, plainly, by the call's own choice, or so that it raises."""
        seen, kind = [], self.random.randrange(4)
        if kind == 0:
            own = self.random.choice(LABELS)
            self.host.record(seen, backend=own)
            expected = {own}
        elif kind == 1:
            with suppress(LookupError):
                self.host.fail(seen)
        elif kind == 2:
            snapshot = self.host.settings.snapshot()
            assert snapshot.backends[0] in expected
            expected = {snapshot.backends[0]}
            snapshot.bind(self.host.record)(seen)
        else:
            self.host.record(seen)
        self.check(seen, expected)

    def block(self):
        """Choose what to open: a block, a snapshot of another one, or a change within one."""
        label = self.random.choice(LABELS)
        block = self.host.settings.use_backend(label, fallback="error")
        if self.random.random() < 0.3:
            with block:
                block = self.host.settings.snapshot()
        return block, label

    def walk(self, depth=0, expected=None):
        """Call, open blocks, call inside them, and leave them in all ways there are."""
        outer = expected or self.base
        self.call(outer)
        block, label = self.block()
        with suppress(ZeroDivisionError), block:
            self.call({label})
            if depth < DEPTH and self.random.random() < 0.6:
                self.walk(depth + 1, {label})
            if self.random.random() < 0.3:
                label = self.random.choice(LABELS)
                self.host.settings.backend = label
            self.call({label})
            if self.random.random() < 0.2:
                raise ZeroDivisionError
        self.call(outer)

    async def walk_async(self, depth=0, expected=None):
        outer = expected or self.base
        block, label = self.block()
        try:
            with suppress(ZeroDivisionError), block:
                await asyncio.sleep(0)
                self.call({label})
                await self.call_async({label})
                if depth < DEPTH and self.random.random() < 0.6:
                    await self.walk_async(depth + 1, {label})
                self.call({label})
                if self.random.random() < 0.2:
                    raise ZeroDivisionError
        finally:
            # After a cancellation, too.
            self.call(outer)

    async def call_async(self, expected):
        seen, own = [], self.random.choice((None, *LABELS))
        await self.host.record_async(seen, backend=own)
        # The call's choice holds within it, on both sides of its wait, and not behind it.
        self.check(seen, expected if own is None else {own}, times=2)
        seen = []
        self.host.record(seen)
        self.check(seen, expected)


def in_threads(host, seconds, base):
    """Let many threads walk, and give how many calls they made."""
    end = time.monotonic() + seconds

    def work(seed):
        worker = Worker(host, seed, base)
        while time.monotonic() < end:
            worker.walk()
        return worker.calls, host.settings.backends

    with ThreadPoolExecutor(THREADS) as pool:
        results = [*pool.map(work, range(THREADS))]
    assert {backends[0] for _, backends in results} <= base
    return sum(calls for calls, _ in results)


async def in_tasks(host, seconds, base):
    """Let many tasks walk, cancel some, and give how many calls and cancellations there were."""
    end, canceller = time.monotonic() + seconds, random.Random(0)  # noqa: S311 - no secret
    workers = [Worker(host, seed, base) for seed in range(TASKS)]

    async def work(worker):
        while time.monotonic() < end:
            await worker.walk_async()

    running = {asyncio.create_task(work(worker)): worker for worker in workers}
    cancelled = 0
    while running:
        if time.monotonic() < end:
            for task in canceller.sample([*running], 10):
                task.cancel()
        done, _ = await asyncio.wait(running, timeout=0.005, return_when="FIRST_COMPLETED")
        for task in done:
            worker = running.pop(task)
            if not task.cancelled():
                task.result()
            else:
                cancelled += 1
                if time.monotonic() < end:
                    running[asyncio.create_task(work(worker))] = worker
    assert len(asyncio.all_tasks()) == 1
    return sum(worker.calls for worker in workers), cancelled


def switch_default(host, stop, failures):
    """Change the process-wide default; the next call in any thread gets the new one."""
    with ThreadPoolExecutor(1) as pool:
        number = 0
        while not stop.is_set():
            label = LABELS[number % 3]
            number += 1
            host.settings.backend = label
            seen = []
            pool.submit(host.record, seen).result()
            if (seen, host.settings.backends) != ([label], (label,)):
                failures.append((label, seen))
        del host.settings.backend


def ours():
    """Count the objects of this library that are alive."""
    gc.collect()
    modules = (str(getattr(type(found), "__module__", "")) for found in gc.get_objects())
    return sum(module.startswith("scverse_backends") for module in modules)


def run_all(host, seconds):
    """Run threads and tasks at once, each seeing the default that another thread switches."""
    stop, failures, outcomes = threading.Event(), [], []
    switcher = threading.Thread(target=switch_default, args=(host, stop, failures))
    base = {*LABELS}
    tasks = threading.Thread(
        target=lambda: outcomes.append(asyncio.run(in_tasks(host, seconds, base)))
    )
    switcher.start()
    tasks.start()
    try:
        calls = in_threads(host, seconds, base)
    finally:
        tasks.join()
        stop.set()
        switcher.join()
    assert failures == []
    ((more, cancelled),) = outcomes
    return calls, more, cancelled


@pytest.mark.timeout(SECONDS + 120)
def test_every_call_runs_where_its_context_says_and_nothing_is_left_behind(host, record_property):
    run_all(host, 0.5)
    threads, before = threading.active_count(), ours()
    calls, more, cancelled = run_all(host, SECONDS)
    LOG.info("%d calls in threads, %d in tasks, %d cancellations", calls, more, cancelled)
    # How many there are depends on the machine; that there are some of each kind does not.
    assert min(calls, more, cancelled) > 0
    assert threading.active_count() == threads
    # Selections are kept once they were made; of those there is a fixed number.
    assert ours() - before < 100
    for label in LABELS:
        seen = []
        host.record(seen, backend=label)
        assert seen == [label]
    assert host.settings.backends == ("cpu",)
    assert host.settings.explain(host.record, []).reason == "nothing is selected"
