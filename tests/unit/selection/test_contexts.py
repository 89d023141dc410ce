"""Blocks belong to their context: threads and tasks do not disturb one another."""

import asyncio
import importlib
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Barrier

import pytest

pytestmark = pytest.mark.usefixtures("backends")


def test_a_thread_does_not_see_the_block_of_another(host):
    with ThreadPoolExecutor(1) as pool, host.settings.use_backend("mine"):
        assert pool.submit(host.where).result(timeout=10) == "cpu"
        assert host.where() == "mine"


def test_a_thread_that_is_given_a_copy_of_the_context_is_inside_the_block(host):
    with ThreadPoolExecutor(1) as pool:
        with host.settings.use_backend("mine"):
            context = copy_context()
        assert pool.submit(context.run, host.where).result(timeout=10) == "mine"
        assert pool.submit(host.where).result(timeout=10) == "cpu"


def test_many_threads_may_be_inside_different_blocks_of_the_same_objects(host):
    blocks = {name: host.settings.use_backend(name) for name in ("mine", "other", "cpu")}
    barrier = Barrier(len(blocks))

    def work(name):
        with blocks[name]:
            barrier.wait(timeout=10)
            ran = {host.where() for _ in range(50)}
            barrier.wait(timeout=10)
        return ran, host.where()

    with ThreadPoolExecutor(len(blocks)) as pool:
        results = dict(zip(blocks, pool.map(work, blocks), strict=True))
    assert results == {name: ({name}, "cpu") for name in blocks}


def test_tasks_may_be_inside_different_blocks_at_the_same_time(host):
    async def work(name):
        with host.settings.use_backend(name):
            ran = set()
            for _ in range(5):
                await asyncio.sleep(0)
                ran.add(host.where())
        return ran, host.where()

    async def main():
        return await asyncio.gather(*map(work, ("mine", "other", "cpu")))

    assert asyncio.run(main()) == [({name}, "cpu") for name in ("mine", "other", "cpu")]


def test_a_task_keeps_the_block_in_which_it_was_started(host):
    async def work():
        await asyncio.sleep(0)
        return host.where()

    async def main():
        with host.settings.use_backend("mine"):
            task = asyncio.create_task(work())
        return await task, host.where()

    assert asyncio.run(main()) == ("mine", "cpu")


def test_leaving_a_block_from_another_context_disturbs_nobody(host):
    block = host.settings.use_backend("mine")
    with block:
        copy_context().run(block.__exit__, None, None, None)
        assert host.where() == "mine"
    block.__exit__(None, None, None)
    assert host.where() == "cpu"


CURIOUS = """
    import place
    name = "curious"
    at_import = place.where()
    place.settings.backend = "other"
    def can_run(function, arguments): return place.where() == "cpu"
    def where(): return name
"""


@pytest.fixture
def curious(host, site, install):
    """Install a backend that, while it is imported and while it is asked, calls the host."""
    site.write("place.py", "")
    place = importlib.import_module("place")
    place.where, place.settings = host.where, host.settings
    install("curious", source=CURIOUS)


def test_what_a_backend_runs_of_its_own_finds_the_host_selected(host, curious):
    with host.settings.use_backend("mine"):
        assert host.settings.get_backend("curious").at_import == "cpu"
        assert host.where(backend="curious") == "curious"


def test_what_a_backend_selects_while_it_is_imported_ends_with_the_import(host, curious):
    host.settings.get_backend("curious")
    assert (host.settings.backend, host.where()) == ("cpu", "cpu")
