"""Coroutine functions: decided when they are called, held while they are awaited."""

import asyncio
import gc
import inspect
import warnings

import pytest

pytestmark = pytest.mark.usefixtures("backends")

CHOICES = {"host": "cpu", "backend": "mine"}


@pytest.fixture(params=CHOICES.values(), ids=CHOICES)
def label(request):
    """A choice for a call: the host, or a backend."""
    return request.param


def test_it_is_a_coroutine_function_for_asyncio_too(host):
    assert inspect.iscoroutinefunction(host.where_async)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from Python 3.14 on
        assert asyncio.iscoroutinefunction(host.where_async)


def test_where_it_runs_is_decided_when_it_is_called(host):
    with host.settings.use_backend("mine"):
        inside = host.where_async()
    outside = host.where_async()
    host.settings.backend = "other"
    assert asyncio.run(inside) == "mine"
    assert asyncio.run(outside) == "cpu"


def test_a_calls_choice_holds_for_everything_it_awaits(host, label):
    async def inner():
        before = host.where()
        await asyncio.sleep(0)
        return before, host.where(), await host.where_async(), host.settings.backend

    async def main():
        host.settings.backend = "other"
        return await host.through_async(inner, backend=label), host.where()

    assert asyncio.run(main()) == ((label,) * 4, "other")


def test_its_exception_comes_from_awaiting_and_leaves_nothing_selected(host, label):
    async def fail():
        await asyncio.sleep(0)
        raise KeyError("lost")

    async def main():
        call = host.through_async(fail, backend=label)
        with pytest.raises(KeyError, match="lost"):
            await call
        return host.where(), host.settings.backend

    assert asyncio.run(main()) == ("cpu", "cpu")


def test_its_cancellation_reaches_the_implementation_and_leaves_nothing_selected(host, label):
    ended = []

    async def wait():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(host.where())

    async def main():
        task = asyncio.create_task(host.through_async(wait, backend=label))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return host.where()

    assert (asyncio.run(main()), ended) == ("cpu", [label])


def test_a_plain_implementation_runs_when_it_is_awaited_and_under_its_selection(host, install):
    source = "name = {name!r}\ndef through_async(call): return call()\ndef where(): return name"
    install("plain", source=source)
    called = host.through_async(host.where, backend="plain")
    assert asyncio.run(called) == "plain"


@pytest.fixture
def told():
    """Collect whatever Python complains of, to the end."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield lambda: (gc.collect(), caught)[1]


def test_closing_a_coroutine_before_it_began_is_no_offence(host, label, told):
    host.where_async(backend=label).close()
    assert told() == []


def test_forgetting_to_await_is_told_once(host, label, told):
    host.where_async(backend=label)
    (warning,) = told()
    assert warning.category is RuntimeWarning
    assert "was never awaited" in str(warning.message)


def test_a_coroutine_that_is_closed_midway_leaves_nothing_selected(host, label):
    coroutine = host.through_async(lambda: asyncio.sleep(0), backend=label)
    coroutine.send(None)
    coroutine.close()
    assert (host.where(), host.settings.backend) == ("cpu", "cpu")
