"""While a backend runs a function, the calls that it makes of that function stay on the host."""

import asyncio
import gc
import os
import threading
import weakref
from contextvars import copy_context
from types import SimpleNamespace

import pytest


@pytest.fixture
def smooth(dispatcher, offer):
    """A host function whose backend calls it, with what a test has happen in between."""
    between, ran = [], []
    smooth = dispatcher.backend_dispatch(name="smooth")(lambda data: "host")

    def fast(data):
        ran.append("fast")
        for work in between:
            work()
        return "fast on " + smooth(data)

    offer("fast", smooth=fast)
    return SimpleNamespace(call=smooth, between=between, ran=ran, dispatcher=dispatcher)


def in_another_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


@pytest.mark.parametrize(
    "change",
    [
        lambda smooth: smooth.dispatcher.register(SimpleNamespace(name="extra")).remove(),
        lambda smooth: smooth.dispatcher.refresh(),
        lambda smooth: smooth.dispatcher.discover(),
        lambda smooth: in_another_thread(smooth.dispatcher.refresh),
    ],
    ids=["registers", "refreshes", "discovers", "refreshes elsewhere"],
)
def test_a_change_of_what_is_registered_meanwhile_does_not_send_them_to_the_backend(smooth, change):
    smooth.between.append(lambda: change(smooth))
    assert smooth.call(1, backend="fast") == "fast on host"
    assert smooth.call(1, backend="fast") == "fast on host"
    assert smooth.ran == ["fast", "fast"]


def test_the_backend_that_is_registered_anew_meanwhile_is_the_same_one(dispatcher):
    ran = []
    smooth = dispatcher.backend_dispatch(name="smooth")(lambda data: "host")

    def implementation(data):
        ran.append("fast")
        registered.pop().remove()
        registered.append(dispatcher.register(fast))
        return smooth(data, backend="fast")

    fast = SimpleNamespace(name="fast", smooth=implementation)
    registered = [dispatcher.register(fast)]
    assert (smooth(1, backend="fast"), ran) == ("host", ["fast"])


def test_a_backend_that_the_host_calls_within_its_fallback_runs(dispatcher):
    @dispatcher.backend_dispatch
    def smooth(data, extra=None):
        return "host" if extra is None else "host, " + smooth(data, backend=extra)

    fast = SimpleNamespace(name="fast", smooth=lambda data: "fast " + smooth(data))
    with dispatcher.register(fast), dispatcher.settings.use_backend("fast", fallback="silent"):
        assert smooth(1, extra="fast") == "host, fast host"
        assert smooth(1) == "fast host"


class TestATaskThatOutlivesTheCall:
    @pytest.fixture
    def embed(self, dispatcher, offer):
        @dispatcher.backend_dispatch
        async def embed(batch, done=None):
            return await done() if done else "host"

        async def fast(batch, done=None):
            return await done() if done else "fast"

        offer("fast", embed=fast)
        dispatcher.settings.fallback = "error"
        dispatcher.settings.backend = "fast"
        return embed

    def test_is_inside_until_the_call_ends(self, embed):
        async def main():
            tasks, ended = [], asyncio.Event()

            async def follow_up():
                first = await embed(2)
                await ended.wait()
                return first, await embed(2)

            async def done():
                tasks.append(asyncio.create_task(follow_up()))
                await asyncio.sleep(0.01)
                return "done"

            assert await embed(1, done) == "done"
            ended.set()
            return await tasks[0]

        assert asyncio.run(main()) == ("host", "fast")

    @pytest.mark.parametrize("selected", ["fast", "cpu", "lacks"])
    def test_keeps_no_argument_alive(self, dispatcher, offer, selected):
        tasks = []

        class Table:
            pass

        async def load(table):
            tasks.append(asyncio.create_task(asyncio.sleep(60)))

        async def main():
            table = Table()
            gone = weakref.ref(table)
            await public(table, backend=selected)
            del table
            gc.collect()
            tasks.pop().cancel()
            return gone()

        async def fast(table):
            await load(None)

        public = dispatcher.backend_dispatch(load)
        offer("fast", load=fast)
        offer("lacks")
        dispatcher.settings.fallback = "silent"
        assert asyncio.run(main()) is None

    def test_a_generator_that_was_closed_is_not_inside_any_more(self, dispatcher, offer):
        @dispatcher.backend_dispatch
        def rows(data):
            yield "host"

        def fast(data):
            later.append(copy_context())
            yield "fast"

        later = []
        offer("fast", rows=fast)
        with dispatcher.settings.use_backend("fast"):
            steps = rows(1)
            assert next(steps) == "fast"
            assert later[0].run(lambda: [*rows(1)]) == ["host"]
            steps.close()
            assert later[0].run(lambda: [*rows(1)]) == ["fast"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_fork_takes_only_its_own_thread_along(dispatcher):
    """A thread of the child may get the number of one that was inside in the parent."""
    inside, leave = threading.Event(), threading.Event()
    smooth = dispatcher.backend_dispatch(name="smooth")(lambda data, threads=None: "host")

    def implementation(data):
        if data == "wait":
            inside.set()
            leave.wait()
        return "fast"

    def child():
        found = set()
        threads = [threading.Thread(target=lambda: found.add(smooth(1))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return 0 if found == {"fast"} else 1

    with dispatcher.register(SimpleNamespace(name="fast", smooth=implementation)):
        dispatcher.settings.backend = "fast"
        other = threading.Thread(target=smooth, args=("wait",))
        other.start()
        inside.wait()
        process = os.fork()
        if process == 0:
            os._exit(child())
        leave.set()
        other.join()
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0


class TestARecursiveHostFunction:
    @pytest.fixture
    def depth(self, dispatcher, offer):
        @dispatcher.backend_dispatch
        def depth(n, mode="a"):
            return 0 if n == 0 else 1 + depth(n - 1, mode=mode)

        offer("lacks", depth=lambda n: "lacks")
        offer("calls", depth=lambda n, mode="a": depth(n, mode=mode))
        return depth

    def deepest(self, call):
        low, high = 1, 900
        while low < high:
            middle = (low + high + 1) // 2
            try:
                call(middle)
                low = middle
            except RecursionError:
                high = middle - 1
        return low

    @pytest.mark.parametrize("label", ["lacks", "calls"])
    def test_goes_half_as_deep_on_a_backend_as_alone(self, dispatcher, depth, label):
        alone = self.deepest(lambda n: depth(n, mode="b"))
        dispatcher.settings.fallback = "silent"
        with dispatcher.settings.use_backend(label):
            assert self.deepest(lambda n: depth(n, mode="b")) >= 0.5 * alone

    def test_goes_nearly_half_as_deep_where_each_names_its_backend_or_is_traced(
        self, dispatcher, depth
    ):
        @dispatcher.backend_dispatch
        def named(n):
            return 0 if n == 0 else 1 + named(n - 1, backend="cpu")

        alone = self.deepest(lambda n: depth(n, mode="b"))
        assert self.deepest(lambda n: named(n, backend="cpu")) >= 0.45 * alone
        with dispatcher.settings.trace():
            assert self.deepest(lambda n: depth(n, mode="b")) >= 0.45 * alone


def test_the_end_of_the_stack_is_never_an_answer(make_dispatcher):
    """Wherever in a first call the stack ends, later calls run on the backend."""

    def world():
        dispatcher = make_dispatcher()
        func = dispatcher.backend_dispatch(name="func")(lambda data: "host")
        dispatcher.register(SimpleNamespace(name="fast", func=lambda data: "fast"))
        dispatcher.settings.backend = "fast"
        return func

    def deep(n, call):
        return call(1) if n == 0 else deep(n - 1, call)

    world()(1)
    ends = set()
    for n in range(960, 760, -1):
        func = world()
        try:
            ends.add(deep(n, func))
        except RecursionError:
            ends.add("the end")
        assert func(1) == "fast"
    assert ends == {"fast", "the end"}
