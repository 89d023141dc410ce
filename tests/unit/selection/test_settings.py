"""The settings of a host: the process-wide default, what cannot be set, and looking again."""

import asyncio
import copy
import pickle
from collections import UserList
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from unittest import mock

import pytest

from scverse_backends.exceptions import BackendError

pytestmark = pytest.mark.usefixtures("backends")


def test_a_change_made_in_a_thread_or_a_task_reaches_all_others(host):
    async def change():
        host.settings.backend = "other"

    async def main():
        await asyncio.create_task(change())
        return host.where()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(setattr, host.settings, "backend", "mine").result(timeout=60)
    assert (host.where(), host.settings.backend) == ("mine", "mine")
    assert (asyncio.run(main()), host.where()) == ("other", "other")


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


@pytest.mark.parametrize("wrong", ["nope", "auto", ["mine", "nope"], ("mine", "broken")])
def test_a_failed_choice_leaves_the_one_before(host, install, wrong):
    install("broken", source="raise RuntimeError('no device')")
    host.settings.backend = "other"
    with pytest.raises(BackendError):
        host.settings.backend = wrong
    assert (host.where(), host.settings.backend) == ("other", "other")


def test_inside_a_block_no_other_thread_or_task_sees_the_change(host):
    async def change():
        host.settings.backend = "other"
        return host.where()

    async def main():
        with host.settings.use_backend("mine"):
            return await asyncio.create_task(change()), host.where()

    with ThreadPoolExecutor(1) as pool, host.settings.use_backend("cpu"):
        host.settings.backend = "mine"
        assert pool.submit(host.where).result(timeout=60) == "cpu"
    assert asyncio.run(main()) == ("other", "mine")


def test_deleting_it_goes_back_to_the_host(host):
    host.settings.backend = "mine"
    del host.settings.backend
    assert (host.settings.backend, host.where()) == ("cpu", "cpu")


def test_the_default_cannot_be_deleted_inside_a_block(host):
    host.settings.backend = "mine"
    with (
        host.settings.use_backend("cpu"),
        pytest.raises(RuntimeError, match="inside a use_backend block"),
    ):
        del host.settings.backend
    assert host.settings.backend == "mine"


def put_by_mock(settings, name, value):
    return mock.patch.object(settings, name, value)


@contextmanager
def put_by_monkeypatch(settings, name, value):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, name, value)
        yield


@pytest.mark.parametrize("put", [put_by_mock, put_by_monkeypatch])
@pytest.mark.parametrize(
    ("name", "value", "seen"),
    [
        ("backend", "other", ("other",)),
        ("backends", ["other", "mine"], ("other", "mine")),
    ],
)
@pytest.mark.parametrize("before", [["cpu"], ["mine"]])
@pytest.mark.parametrize("block", [False, True])
def test_what_a_test_puts_in_place_of_a_choice_is_taken_out_again(
    host, put, name, value, seen, before, block
):
    host.settings.backend = before
    with host.settings.use_backend(*before) if block else nullcontext():
        with put(host.settings, name, value):
            assert (host.settings.backends, host.where()) == (seen, seen[0])
            with put(host.settings, name, "cpu"):
                assert host.where() == "cpu"
            assert host.settings.backends == seen
        assert host.settings.backends == tuple(before)
    assert host.settings.backends == tuple(before)


def test_a_mock_of_another_attribute_is_refused_and_nothing_of_it_stays(host):
    with (
        pytest.raises(AttributeError, match="read-only"),
        mock.patch.object(host.settings, "use_backend"),
    ):
        pytest.fail("it was replaced")
    assert vars(host.settings) == {}


def test_what_completion_lists_is_public(dispatcher):
    for value in (dispatcher, dispatcher.settings):
        assert [name for name in dir(value) if name.startswith("_")] == []
        assert all(hasattr(value, name) for name in dir(value))
    assert {"use_backend", "by_function"} < {*dir(dispatcher.settings)}


METHODS = ("use_backend", "trace", "explain", "get_backend", "snapshot", "refresh")
REFUSED = {
    "backned": r"no 'backned'\. Did you mean 'backend'\?.*There are: 'backend', 'backends', 'fall",
    "verbosity": r"no 'verbosity'\. There are: 'backend'",
    **{name: rf"'{name}' of the settings of .* cannot be replaced" for name in METHODS},
    **dict.fromkeys(("by_function", "_secret", "__class__", "__dict__"), ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_setting_is_not_set_and_the_nearest_is_named(dispatcher, name):
    with pytest.raises(AttributeError, match=f"(?s){REFUSED[name]}"):
        setattr(dispatcher.settings, name, "fast")
    assert getattr(dispatcher.settings, name, None) != "fast"


def test_a_name_instead_of_a_function_is_answered_with_what_to_give(dispatcher):
    with pytest.raises(
        TypeError, match=r"'scale' is not a dispatched function of .* Give the func"
    ):
        dispatcher.settings.explain("scale", [1])


def test_a_dispatcher_has_no_settings_of_its_own(dispatcher):
    with pytest.raises(AttributeError, match="fallback"):
        dispatcher.fallback = "error"


def test_settings_are_equal_if_they_are_of_one_host(host, make_dispatcher):
    settings = host.settings
    copies = [copy.copy(settings), copy.deepcopy(settings), pickle.loads(pickle.dumps(settings))]
    assert copies == [settings] * 3
    assert len({settings, *copies}) == 1
    assert settings != make_dispatcher().settings
    assert settings != settings.backend
