"""`explain` tells what a call meets when it arrives through decorators outside of ours."""

import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from threading import Event, Thread

import pytest


@pytest.fixture
def decorated(dispatcher, offer):
    """Give a host function inside a decorator, that ``mine`` runs where no seed is given."""

    def decorated(decorator, host=lambda data, seed=None: "cpu"):
        offer(func=lambda data: "mine")
        dispatcher.settings.fallback = "silent"
        return decorator(dispatcher.backend_dispatch(name="func")(host))

    return decorated


def seeded(func):
    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        return func(*args, **{"seed": 7, **kwargs})

    return wrapper


def choosing(func):
    @functools.wraps(func)
    def wrapper(*args, backend="cpu", **kwargs):
        return func(*args, backend=backend, **kwargs)

    return wrapper


def cached(func):
    return functools.wraps(func)(functools.lru_cache(func))


@pytest.mark.parametrize("decorator", [seeded, choosing, cached, lambda func: func])
@pytest.mark.parametrize("call", [{}, {"seed": 1}, {"backend": "mine"}], ids=str)
def test_explain_names_who_then_runs_the_call(dispatcher, decorated, decorator, call):
    func = decorated(decorator)
    with dispatcher.settings.use_backend("mine"):
        said = dispatcher.settings.explain(func, 1, **call).backend
        assert said == func(1, **call)


def test_the_call_does_not_run_and_a_trace_that_is_on_records_nothing_of_it(dispatcher, decorated):
    ran = []
    func = decorated(seeded, lambda data, seed=None: ran.append("it ran"))
    with dispatcher.settings.trace() as trace:
        assert dispatcher.settings.explain(func, 1).backend == "cpu"
        assert (ran, len(trace)) == ([], 0)
        func(1)
    assert (ran, len(trace)) == (["it ran"], 1)


def test_other_functions_that_a_decorator_calls_do_run(dispatcher, decorated):
    checked = dispatcher.backend_dispatch(name="check")(lambda data: data > 0)

    def checking(func):
        @functools.wraps(func)
        def wrapper(data):
            if not checked(data):
                raise ValueError("not positive")
            return func(data)

        return wrapper

    func = decorated(checking)
    assert dispatcher.settings.explain(func, 1).backend == "cpu"
    with pytest.raises(ValueError, match="not positive"):
        dispatcher.settings.explain(func, -1)


def test_a_decorator_that_answers_by_itself_is_looked_past(dispatcher, decorated):
    def answering(func):
        return functools.wraps(func)(lambda data: "the answer")

    assert dispatcher.settings.explain(decorated(answering), 1).backend == "cpu"


POOL = ThreadPoolExecutor(1)


def in_a_pool(func):
    return functools.wraps(func)(lambda *args, **call: POOL.submit(func, *args, **call).result(30))


def in_a_thread(func):
    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        results = []
        thread = Thread(target=lambda: results.append(func(*args, **kwargs)))
        thread.start()
        thread.join()
        return results[0]

    return wrapper


def in_a_context_of_its_own(func):
    return functools.wraps(func)(lambda *args, **call: Context().run(func, *args, **call))


ELSEWHERE = [in_a_pool, in_a_thread, in_a_context_of_its_own]


# pytest reports what ends a thread, SystemExit too; Python itself does not.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("decorator", ELSEWHERE)
@pytest.mark.parametrize("call", [{}, {"seed": 1}, {"backend": "mine"}], ids=str)
@pytest.mark.parametrize("default", ["cpu", "mine"])
def test_a_call_that_a_decorator_makes_elsewhere_is_decided_and_does_not_run(
    dispatcher, decorated, decorator, call, default
):
    ran = []
    func = decorated(decorator, lambda data, seed=None: ran.append("cpu") or "cpu")
    dispatcher.settings.backend = default
    func(1)  # from now on, calls of this shape go straight to who runs them
    ran.clear()
    said = dispatcher.settings.explain(func, 1, **call).backend
    assert ran == []
    assert said == func(1, **call)


def test_a_call_of_another_thread_runs_while_one_is_explained(dispatcher, decorated):
    def waiting(func):
        @functools.wraps(func)
        def wrapper(data, **kwargs):
            if data == "explained":
                inside.set()
                assert done.wait(60)
            return func(data, **kwargs)

        return wrapper

    inside, done = Event(), Event()
    func = decorated(waiting)
    with ThreadPoolExecutor(1) as pool:
        said = pool.submit(dispatcher.settings.explain, func, "explained")
        assert inside.wait(60)
        assert func("called") == "cpu"
        assert func("called", backend="mine") == "mine"
        done.set()
        assert said.result(30).backend == "cpu"
    assert func("called") == "cpu"


def test_two_threads_explain_at_once(dispatcher, decorated):
    func = decorated(in_a_pool, lambda data, seed=None: pytest.fail("it ran"))
    with ThreadPoolExecutor(4) as pool:
        said = [*pool.map(lambda n: dispatcher.settings.explain(func, n).backend, range(12))]
    assert said == ["cpu"] * 12


def test_what_a_decorator_raises_before_the_call_is_raised(dispatcher, decorated):
    def leaving(func):
        @functools.wraps(func)
        def wrapper(data):
            raise SystemExit(3)

        return wrapper

    with pytest.raises(SystemExit):
        dispatcher.settings.explain(decorated(leaving), 1)


def test_a_coroutine_that_a_decorator_gives_is_not_left_behind(dispatcher, decorated):
    def later(func):
        @functools.wraps(func)
        async def wrapper(*args, **kwargs):
            await asyncio.sleep(0)
            return func(*args, **kwargs)

        return wrapper

    assert dispatcher.settings.explain(decorated(later), 1).backend == "cpu"


def test_a_coroutine_functions_call_is_decided_as_it_arrives(dispatcher, offer):
    @seeded
    @dispatcher.backend_dispatch
    async def func(data, seed=None):
        return "cpu"

    async def mine(data):
        return "mine"

    offer(func=mine)
    with dispatcher.settings.use_backend("mine", fallback="silent"):
        assert dispatcher.settings.explain(func, 1).backend == asyncio.run(func(1)) == "cpu"


class TestACallThatAnotherOneMakesOnTheWay:
    """It is not the one that is explained, and runs."""

    @pytest.fixture
    def func(self, dispatcher, decorated):
        """Give a function whose decorator calls another dispatched one first, that calls it too."""
        check = dispatcher.backend_dispatch(name="check")(lambda func, data: func(data - 1))

        def checking(func):
            @functools.wraps(func)
            def wrapper(data, **kwargs):
                assert check(func, data) == "mine"
                return func(data, **{"seed": 7, **kwargs})

            return wrapper

        return decorated(checking)

    def test_is_of_another_function(self, dispatcher, func):
        with dispatcher.settings.use_backend("mine"):
            decision = dispatcher.settings.explain(func, 1)
            assert decision.backend == func(1) == "cpu"
        assert decision.forwarded == ("data", "seed")

    @pytest.mark.parametrize("told_last", [True, False])
    def test_is_of_a_sink(self, dispatcher, func, told_last):
        inner = dispatcher.dispatched["func"]
        ran = []

        def sink(decision):
            def ended(record):
                ran.append((record.function, inner(0)))

            return ended if told_last else ran.append((decision.function, inner(0)))

        with dispatcher.settings.use_backend("mine"), dispatcher.settings.observe(sink):
            assert dispatcher.settings.explain(func, 1).forwarded == ("data", "seed")
        assert sorted(ran) == [("check", "mine"), ("func", "mine")]

    def test_a_sink_may_explain(self, dispatcher, decorated):
        func = decorated(seeded, lambda data, seed=None: pytest.fail("it ran"))
        said = []
        with dispatcher.settings.observe(
            lambda _: said.append(dispatcher.settings.explain(func, 1))
        ):
            assert dispatcher.backend_dispatch(name="other")(lambda: 3)() == 3
        assert [decision.backend for decision in said] == ["cpu"]
