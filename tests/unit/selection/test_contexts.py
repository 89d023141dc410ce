"""Blocks belong to their context: of a thread, a task, or the consumer of a generator."""

import asyncio
import contextlib
import gc
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

pytestmark = pytest.mark.usefixtures("backends")


def test_a_thread_sees_the_block_of_another_only_in_a_copy_of_its_context(host):
    with ThreadPoolExecutor(1) as pool:
        with host.settings.use_backend("mine"):
            context = copy_context()
            assert pool.submit(host.where).result(timeout=60) == "cpu"
            assert host.where() == "mine"
        assert pool.submit(context.run, host.where).result(timeout=60) == "mine"
        assert pool.submit(host.where).result(timeout=60) == "cpu"


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


@pytest.fixture
def rows(host):
    """A generator function whose body is one block around all that it yields."""

    def rows(label):
        with host.settings.use_backend(label):
            for _ in range(3):
                yield host.where()

    return rows


def test_the_block_is_open_in_its_consumer_until_the_last_item_or_until_it_is_closed(host, rows):
    seen = [(row, host.where()) for row in rows("mine")]
    assert seen == [("mine", "mine")] * 3
    assert host.where() == "cpu"
    with contextlib.closing(rows("mine")) as steps:
        next(steps)
        assert host.where() == "mine"
    assert host.where() == "cpu"


def test_a_consumer_that_stops_early_leaves_it_open_until_the_generator_goes(host, rows):
    steps = rows("mine")
    for _ in steps:
        break
    assert host.where() == "mine"
    del steps
    gc.collect()
    assert host.where() == "cpu"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("labels", [("mine", "other"), ("mine", "mine")])
def test_suspended_generators_may_end_in_any_order(host, rows, order, labels):
    host.settings.backend = "cpu"
    generators = [rows(label) for label in labels]
    for generator, label in zip(generators, labels, strict=True):
        assert next(generator) == label
    generators[order[0]].close()
    assert host.where() == labels[order[1]]
    generators[order[1]].close()
    assert host.where() == "cpu"


@pytest.mark.parametrize(("label", "setting"), [("other", "other"), ("mine", "other")])
def test_a_generator_that_ends_inside_a_block_leaves_that_block_as_it_is(
    host, rows, label, setting
):
    generator = rows("mine")
    next(generator)
    with host.settings.use_backend(label):
        host.settings.backend = setting
        generator.close()
        assert host.where() == "other"
    assert host.where() == "cpu"
