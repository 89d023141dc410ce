"""The process-wide default: ``settings.backend = ...``, seen by every thread and task."""

import asyncio
from collections import UserList
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from scverse_backends.exceptions import BackendError

pytestmark = pytest.mark.usefixtures("backends")


def test_every_thread_sees_it(host):
    host.settings.backend = "mine"
    with ThreadPoolExecutor(4) as pool:
        ran = [*pool.map(lambda _: host.where(), range(16))]
    assert ran == ["mine"] * 16


def test_a_thread_that_runs_already_sees_a_change(host):
    changed, seen = Event(), []
    with ThreadPoolExecutor(1) as pool:

        def watch():
            seen.append(host.where())
            started.set()
            changed.wait(timeout=10)
            seen.append(host.where())

        started = Event()
        watching = pool.submit(watch)
        started.wait(timeout=10)
        host.settings.backend = "mine"
        changed.set()
        watching.result(timeout=10)
    assert seen == ["cpu", "mine"]


def test_a_change_made_in_a_thread_reaches_all_others(host):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(setattr, host.settings, "backend", "mine").result(timeout=10)
    assert (host.where(), host.settings.backend) == ("mine", "mine")


def test_a_change_made_in_a_task_reaches_all_others(host):
    async def change():
        host.settings.backend = "mine"

    async def main():
        await asyncio.create_task(change())
        return host.where()

    assert asyncio.run(main()) == "mine"
    assert host.where() == "mine"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("mine", ("mine",)),
        ("cuda", ("mine",)),
        ("CPU", ("cpu",)),
        (("other", "mine"), ("other", "mine")),
        (["jax"], ("other",)),
        (["mine", "cuda", "other", "mine"], ("mine", "other")),
        (("mine", "cpu"), ("mine", "cpu")),
        (UserList(["other", "cpu"]), ("other", "cpu")),
    ],
)
def test_reading_after_writing_gives_the_canonical_names_of_what_was_written(host, written, read):
    host.settings.backend = written
    assert (host.settings.backend, host.settings.backends) == (read[0], read)
    with host.settings.use_backend("other"):
        host.settings.backend = written
        assert (host.settings.backend, host.settings.backends) == (read[0], read)


def test_changing_the_list_that_was_written_changes_no_choice(host):
    wanted = ["mine"]
    host.settings.backend = wanted
    wanted[0] = "other"
    assert (host.where(), host.settings.backends) == ("mine", ("mine",))


@pytest.mark.parametrize("wrong", ["nope", "auto", ["mine", "nope"], ("mine", "broken")])
def test_a_failed_choice_leaves_the_one_before(host, install, wrong):
    install("broken", source="raise RuntimeError('no device')")
    host.settings.backend = "other"
    with pytest.raises(BackendError):
        host.settings.backend = wrong
    assert (host.where(), host.settings.backend) == ("other", "other")


def test_inside_a_block_it_changes_that_block_and_the_end_restores_what_was_before(host):
    host.settings.backend = "other"
    with host.settings.use_backend("cpu"):
        host.settings.backend = "mine"
        assert (host.where(), host.settings.backend) == ("mine", "mine")
    assert (host.where(), host.settings.backend) == ("other", "other")


def test_inside_nested_blocks_it_changes_the_innermost_only(host):
    with host.settings.use_backend("other"):
        with host.settings.use_backend("cpu"):
            host.settings.backend = "mine"
            assert host.where() == "mine"
        assert host.where() == "other"
        host.settings.backend = "mine"
        assert host.where() == "mine"
    assert host.where() == "cpu"


def test_inside_a_block_no_other_thread_sees_the_change(host):
    with ThreadPoolExecutor(1) as pool, host.settings.use_backend("cpu"):
        host.settings.backend = "mine"
        assert pool.submit(host.where).result(timeout=10) == "cpu"


def test_a_task_that_was_started_inside_a_block_changes_its_own_copy(host):
    async def change():
        host.settings.backend = "other"
        return host.where()

    async def main():
        with host.settings.use_backend("mine"):
            changed = await asyncio.create_task(change())
            return changed, host.where()

    assert asyncio.run(main()) == ("other", "mine")


def test_a_block_hides_a_change_that_another_thread_makes_until_it_ends(host):
    with ThreadPoolExecutor(1) as pool, host.settings.use_backend("mine"):
        pool.submit(setattr, host.settings, "backend", "other").result(timeout=10)
        assert host.where() == "mine"
    assert host.where() == "other"


def test_what_a_coroutine_writes_outside_of_any_block_holds_for_the_process(host):
    async def choose():
        host.settings.backend = "other"
        return host.settings.backend

    host.settings.backend = "mine"
    assert asyncio.run(host.through_async(choose)) == "other"
    assert host.settings.backend == "other"


def test_what_a_function_writes_outside_of_any_block_holds_for_the_process(host):
    def choose():
        host.settings.backend = "other"
        return host.settings.backend

    host.settings.backend = "mine"
    assert host.through(choose) == "other"
    assert host.settings.backend == "other"


def test_settings_list_the_backends_that_load_and_hand_out_their_adapters(host, install):
    install("broken", source="raise RuntimeError('no device')")
    assert host.settings.available_backends() == ["mine", "other"]
    assert host.settings.get_backend("cuda").name == "mine"
    assert host.settings.get_backend("cpu") is None


def test_several_choices_are_set_and_read_alike(host):
    host.settings.backends = ("mine", "cpu")
    kept = host.settings.backends
    host.settings.backend = "cpu"
    host.settings.backends = kept
    assert host.settings.backends == ("mine", "cpu")


def test_deleting_it_goes_back_to_the_host(host):
    host.settings.backend = "mine"
    del host.settings.backend
    assert (host.settings.backend, host.where()) == ("cpu", "cpu")


def test_it_cannot_be_deleted_inside_a_block(host):
    host.settings.backend = "mine"
    with (
        host.settings.use_backend("cpu"),
        pytest.raises(RuntimeError, match="inside a use_backend block"),
    ):
        del host.settings.backend
    assert host.settings.backend == "mine"
