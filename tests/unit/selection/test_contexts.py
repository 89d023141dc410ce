"""Blocks belong to their context: threads, tasks and generators do not disturb one another."""

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


def test_a_function_that_asyncio_sends_to_a_thread_is_inside_the_block(host):
    async def main():
        with host.settings.use_backend("mine"):
            return await asyncio.to_thread(host.where)

    assert asyncio.run(main()) == "mine"


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


def selecting(host, *labels):
    """Yield where a call runs, between a block's beginning and its end."""
    with host.settings.use_backend(*labels):
        while True:
            yield host.where()


def test_a_generators_block_reaches_its_consumer_while_it_is_suspended(host):
    generator = selecting(host, "mine")
    assert host.where() == "cpu"
    assert (next(generator), host.where()) == ("mine", "mine")
    generator.close()
    assert host.where() == "cpu"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("labels", [("mine", "other"), ("mine", "mine")])
def test_suspended_generators_may_end_in_any_order(host, order, labels):
    host.settings.backend = "cpu"
    generators = [selecting(host, label) for label in labels]
    for generator, label in zip(generators, labels, strict=True):
        assert next(generator) == label
    generators[order[0]].close()
    assert host.where() == labels[order[1]]
    generators[order[1]].close()
    assert host.where() == "cpu"


def test_a_generator_that_ends_inside_a_block_leaves_that_block_in_force(host):
    generator = selecting(host, "mine")
    next(generator)
    with host.settings.use_backend("other"):
        generator.close()
        assert host.where() == "other"
    assert host.where() == "cpu"


def test_a_generator_that_ends_inside_a_block_of_the_same_labels_leaves_that_block_as_it_is(host):
    generator = selecting(host, "mine")
    next(generator)
    with host.settings.use_backend("mine"):
        host.settings.backend = "other"
        generator.close()
        assert host.where() == "other"
    assert host.where() == "cpu"


def test_a_generator_that_ends_inside_a_call_leaves_nothing_selected(host):
    generator = selecting(host, "mine")
    next(generator)
    assert host.through(generator.close, backend="cpu") is None
    assert host.where() == "cpu"


def test_a_block_inside_a_task_of_a_generator_ends_with_it(host):
    async def rows():
        with host.settings.use_backend("mine"):
            for _ in range(2):
                yield host.where()

    async def main():
        return [(row, host.where()) async for row in rows()], host.where()

    assert asyncio.run(main()) == ([("mine", "mine")] * 2, "cpu")


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
