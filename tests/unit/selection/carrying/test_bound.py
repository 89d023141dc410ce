"""A bound function applies its snapshot around each call, and looks like the function."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import pickle
import socket
import typing

import pytest

from scverse_backends.exceptions import BackendSnapshotError


@pytest.fixture
def snapshot(host):
    with host.settings.use_backend("fast"):
        return host.settings.snapshot()


@pytest.fixture(params=["as it is", "pickled"])
def bound(request, snapshot):
    """Bind, and take the result through pickle or not."""

    def bound(func):
        made = snapshot.bind(func)
        return pickle.loads(pickle.dumps(made)) if request.param == "pickled" else made

    return bound


CALLED = {
    "a dispatched function": lambda host: host.where,
    "a function": lambda host: host.ask,
    "a partial": lambda host: functools.partial(host.ask),
    "a bound method": lambda host: host.Plain().ask,
    "an unbound one": lambda host: functools.partial(host.Plain.ask, None),
}


@pytest.mark.parametrize("called", CALLED.values(), ids=CALLED)
def test_what_is_called_runs_inside_the_snapshot(host, bound, called):
    func = bound(called(host))
    assert func() == "fast 1.0"
    assert host.where() == "cpu"
    assert not inspect.iscoroutinefunction(func)


@pytest.mark.parametrize("name", ["where_async", "ask_async", "partial"])
def test_a_coroutine_function_stays_one_and_runs_inside_the_snapshot(host, bound, snapshot, name):
    func = bound(getattr(host, name, None) or functools.partial(host.where_async))

    async def main():
        work = func()
        assert host.where() == "cpu"
        return await work, host.where()

    assert inspect.iscoroutinefunction(func)
    assert inspect.iscoroutinefunction(snapshot.bind(func))
    assert asyncio.run(main()) == ("fast 1.0", "cpu")


@pytest.mark.parametrize("name", ["where", "where_async", "ask", "ask_async"])
def test_a_bound_function_keeps_what_the_function_shows_of_itself(host, bound, name):
    own = getattr(host, name)
    func, wrapped = bound(own), functools.wraps(own)(lambda *args, **kwargs: None)
    for shown in ("__name__", "__qualname__", "__module__", "__doc__"):
        assert getattr(func, shown) == getattr(own, shown)
    assert func.__wrapped__ is own
    assert inspect.signature(func) == inspect.signature(own)
    assert inspect.getfullargspec(func) == inspect.getfullargspec(wrapped)
    assert typing.get_type_hints(func) == typing.get_type_hints(own)
    assert f"{name}" in repr(func)
    assert "Snapshot of" in repr(func)


def test_a_plain_function_that_pickle_cannot_name_becomes_a_plain_function(host, snapshot):
    class Actor:
        @snapshot.bind
        def look(self, where: int = 1) -> str:
            return host.where()

        @snapshot.bind
        async def wait(self):
            return host.where()

    assert [name for name, _ in inspect.getmembers(Actor, inspect.isfunction)] == ["look", "wait"]
    assert inspect.iscoroutinefunction(Actor.wait)
    assert (Actor().look(), asyncio.run(Actor().wait())) == ("fast 1.0", "fast 1.0")


def test_a_function_that_is_bound_where_it_is_defined_pickles_by_its_name(world, monkeypatch):
    module = world.site.write(
        "bound_at_home.py",
        f"""
        import {world.name} as host
        with host.settings.use_backend("fast"):
            snapshot = host.settings.snapshot()
        @snapshot.bind
        def task(): return host.where()
        """,
    )
    task = __import__(module.stem).task
    assert pickle.loads(pickle.dumps(task)) is task
    assert (inspect.isfunction(task), task()) == (True, "fast 1.0")


def test_a_bound_function_passes_on_what_it_is_given_and_ends_when_it_raises(host, bound):
    assert bound(divmod)(7, 2) == (3, 1)
    assert bound(sorted)([1, 3, 2], reverse=True) == [3, 2, 1]
    assert bound(dict)(self=1, func=2, snapshot=3) == {"self": 1, "func": 2, "snapshot": 3}
    assert bound(host.where)(backend="other") == "other 1.0"
    with pytest.raises(ZeroDivisionError):
        bound(divmod)(1, 0)
    assert host.where() == "cpu"


def test_a_call_of_it_is_explained_as_it_would_run(host, bound):
    decision = host.settings.explain(bound(host.where))
    assert (decision.backend, decision.reason) == ("fast", "selected by a snapshot")
    assert host.where() == "cpu"


def test_a_bound_function_can_be_a_method(host, snapshot, bound):
    class Analysis:
        label = "mine"
        ask = bound(host.Plain.ask)

        @snapshot.bind
        def run(self):
            return self.label, host.where()

    assert Analysis().run() == Analysis.run(Analysis()) == ("mine", "fast 1.0")
    assert Analysis().ask() == Analysis.ask(Analysis()) == "fast 1.0"


def test_what_cannot_be_bound_is_refused(host, snapshot):
    def generator():
        yield host.where()

    for func in (host.rows, generator):
        with pytest.raises(TypeError, match=r"generator function .*its body runs between"):
            snapshot.bind(func)
    with pytest.raises(TypeError, match="can be called, not 3"):
        snapshot.bind(3)


def test_what_pickle_cannot_find_cannot_be_pickled_bound_either(snapshot, dispatcher):
    local = dispatcher.backend_dispatch(name="local")(lambda: 1)
    assert snapshot.bind(local)() == 1
    with pytest.raises((AttributeError, pickle.PicklingError), match="local"):
        pickle.dumps(snapshot.bind(local))


async def awaited(func):
    """Call a function, and await what it gives if that is a coroutine."""
    given = func()
    return await given if inspect.isawaitable(given) else given


class TestWithoutTheHost:
    """Another process may lack the host; unpickling there must not be what fails."""

    @pytest.mark.parametrize("name", ["where", "Model", "where_async"])
    def test_a_call_says_that_the_host_is_missing(self, world, name):
        made = world.elsewhere(
            f"pickle.dumps(host.settings.snapshot().bind(host.{name}))",
            "host.settings.backend = 'fast'",
        )
        (world.site.folder / f"{world.name}.py").unlink()
        func = pickle.loads(made)
        assert inspect.iscoroutinefunction(func) is (name == "where_async")
        with pytest.raises(BackendSnapshotError, match="ModuleNotFoundError") as caught:
            asyncio.run(awaited(func))
        assert (caught.value.machine, caught.value.process) == (socket.gethostname(), os.getpid())

    @pytest.mark.parametrize("name", ["where", "where_async"])
    def test_a_function_that_another_version_of_the_host_lacks_is_named(self, world, name):
        made = world.elsewhere(f"pickle.dumps(host.settings.snapshot().bind(host.{name}))")
        source = (world.site.folder / f"{world.name}.py").read_text(encoding="utf-8")
        world.site.write(f"{world.name}.py", source.replace(name, "place"))
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'"):
            asyncio.run(awaited(pickle.loads(made)))
