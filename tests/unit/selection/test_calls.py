"""A call's own ``backend=`` holds for the call and everything it calls, and no longer."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

pytestmark = pytest.mark.usefixtures("backends")


def test_what_a_call_calls_runs_where_it_was_to_run(make_host):
    host = make_host(fallback="silent")
    assert host.through(host.where, backend="mine") == "mine"
    assert host.only_here(host.where, backend="mine") == "mine"
    host.settings.backend = "mine"
    assert host.through(host.where, backend="cpu") == "cpu"
    with host.settings.use_backend("other"):
        assert host.through(host.where, backend="cpu") == "cpu"


def test_a_calls_choice_holds_through_calls_that_choose_nothing_and_ends_where_another_chooses(
    host,
):
    def inner():
        return host.where(), host.where(backend="other"), host.where()

    ran = host.through(lambda: host.through(inner), backend="mine")
    assert ran == ("mine", "other", "mine")
    assert host.where() == "cpu"


def test_a_block_inside_the_call_stands_before_it(host):
    inner = host.settings.use_backend("other")(host.where)
    assert host.through(inner, backend="mine") == "other"


def test_what_is_written_inside_the_call_holds_until_its_end(host):
    def inner():
        host.settings.backend = "other"
        return host.settings.backend, host.where()

    assert host.through(inner, backend="mine") == ("other", "other")
    assert host.through(host.where, backend="mine") == "mine"
    assert host.where() == "cpu"


def test_a_calls_choice_ends_with_an_exception(host):
    def fail():
        raise KeyError("lost")

    for backend in ("mine", "cpu"):
        with pytest.raises(KeyError, match="lost"):
            host.through(fail, backend=backend)
    assert (host.where(), host.settings.backend) == ("cpu", "cpu")


def test_a_calls_choice_reaches_a_thread_that_is_given_a_copy_of_the_context_and_no_other(host):
    with ThreadPoolExecutor(1) as pool:

        def work():
            copied = pool.submit(copy_context().run, host.where)
            return copied.result(timeout=60), pool.submit(host.where).result(timeout=10)

        assert host.through(work, backend="mine") == ("mine", "cpu")


def test_a_calls_choice_holds_for_a_call_in_every_task_that_the_call_starts(host):
    async def both():
        return await asyncio.gather(host.where_async(), asyncio.to_thread(host.where))

    assert asyncio.run(host.through_async(both, backend="mine")) == ["mine", "mine"]
