"""What becomes of a `use_backend` block in which a generator is suspended.

A context variable is changed where the generator runs, which is in whoever asks it for the next
item. So the block is open in the consumer between two items, and belongs to its context.
"""

import asyncio
import contextlib
import gc
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

pytestmark = pytest.mark.usefixtures("backends")


@pytest.fixture
def rows(host):
    """A generator function whose body is one block around all that it yields."""

    def rows(label):
        with host.settings.use_backend(label):
            for _ in range(3):
                yield host.where()

    return rows


def test_the_block_is_open_in_its_consumer_until_the_last_item(host, rows):
    seen = [(row, host.where()) for row in rows("mine")]
    assert seen == [("mine", "mine")] * 3
    assert host.where() == "cpu"


def test_a_consumer_that_stops_early_leaves_it_open_until_the_generator_goes(host, rows):
    steps = rows("mine")
    for _ in steps:
        break
    assert host.where() == "mine"
    del steps
    gc.collect()
    assert host.where() == "cpu"


def test_closing_ends_it_at_once(host, rows):
    with contextlib.closing(rows("mine")) as steps:
        next(steps)
        assert host.where() == "mine"
    assert host.where() == "cpu"


def test_a_context_of_its_own_keeps_it_from_the_consumer(host, rows):
    context, steps = copy_context(), rows("mine")
    assert [context.run(next, steps) for _ in range(3)] == ["mine"] * 3
    assert host.where() == "cpu"


def test_a_block_of_the_consumer_stands_before_it(host, rows):
    steps = rows("mine")
    next(steps)
    with host.settings.use_backend("other"):
        assert host.where() == "other"
        # The generator continues inside of the consumer's block.
        assert next(steps) == "other"
    assert next(steps) == "mine"
    steps.close()
    assert host.where() == "cpu"


def test_a_generator_that_another_thread_continues_runs_under_that_threads_selection(host, rows):
    steps = rows("mine")
    next(steps)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(next, steps).result(timeout=10) == "cpu"
        pool.submit(steps.close).result(timeout=10)
        assert pool.submit(host.where).result(timeout=10) == "cpu"
    # Closed elsewhere, it could not end what it had begun here; a new choice stands before that.
    assert host.where() == "mine"
    with host.settings.use_backend("cpu"):
        assert host.where() == "cpu"


def test_an_asynchronous_generator_keeps_it_within_its_task(host):
    async def rows():
        with host.settings.use_backend("mine"):
            for _ in range(3):
                await asyncio.sleep(0)
                yield host.where()

    async def consume():
        return [(row, host.where()) async for row in rows()]

    async def main():
        both = await asyncio.gather(consume(), asyncio.to_thread(host.where))
        return both, host.where()

    assert asyncio.run(main()) == ([[("mine", "mine")] * 3, "cpu"], "cpu")


def test_a_suspended_snapshot_behaves_the_same(host):
    with host.settings.use_backend("mine"):
        snapshot = host.settings.snapshot()

    def rows():
        with snapshot:
            while True:
                yield host.where()

    one, two = rows(), rows()
    assert (next(one), next(two), host.where()) == ("mine", "mine", "mine")
    one.close()
    assert host.where() == "mine"
    two.close()
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


def test_a_generator_that_ends_inside_a_block_leaves_that_block_in_force(host, rows):
    generator = rows("mine")
    next(generator)
    with host.settings.use_backend("other"):
        generator.close()
        assert host.where() == "other"
    assert host.where() == "cpu"


def test_a_generator_that_ends_inside_a_block_of_the_same_labels_leaves_that_block_as_it_is(
    host, rows
):
    generator = rows("mine")
    next(generator)
    with host.settings.use_backend("mine"):
        host.settings.backend = "other"
        generator.close()
        assert host.where() == "other"
    assert host.where() == "cpu"


def test_a_generator_that_ends_inside_a_call_leaves_nothing_selected(host, rows):
    generator = rows("mine")
    next(generator)
    assert host.through(generator.close, backend="cpu") is None
    assert host.where() == "cpu"
