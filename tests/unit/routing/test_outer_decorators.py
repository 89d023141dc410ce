"""`explain` tells what a call meets when it arrives through decorators outside of ours."""

import asyncio
import functools
from types import SimpleNamespace

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


def test_the_call_does_not_run(dispatcher, decorated):
    func = decorated(seeded, lambda data, seed=None: pytest.fail("it ran"))
    assert dispatcher.settings.explain(func, 1).backend == "cpu"


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


def test_a_coroutine_that_a_decorator_gives_is_not_left_behind(dispatcher, decorated):
    def later(func):
        @functools.wraps(func)
        async def wrapper(*args, **kwargs):
            await asyncio.sleep(0)
            return func(*args, **kwargs)

        return wrapper

    assert dispatcher.settings.explain(decorated(later), 1).backend == "cpu"


def test_a_trace_that_is_on_records_nothing_of_it(dispatcher, decorated):
    func = decorated(seeded)
    with dispatcher.settings.trace() as trace:
        dispatcher.settings.explain(func, 1)
        assert len(trace) == 0
        func(1)
    assert len(trace) == 1


def test_explain_looks_through_a_block_that_decorates(dispatcher, decorated):
    inner = decorated(seeded)
    func = dispatcher.settings.use_backend("mine")(inner)
    assert dispatcher.settings.explain(func, 1).backend == func(1) == "cpu"


def test_a_coroutine_functions_call_is_decided_as_it_arrives(dispatcher):
    @seeded
    @dispatcher.backend_dispatch
    async def func(data, seed=None):
        return "cpu"

    async def mine(data):
        return "mine"

    with dispatcher.register(SimpleNamespace(name="mine", func=mine)):
        dispatcher.settings.fallback = "silent"
        with dispatcher.settings.use_backend("mine"):
            assert dispatcher.settings.explain(func, 1).backend == "cpu"
            assert asyncio.run(func(1)) == "cpu"
