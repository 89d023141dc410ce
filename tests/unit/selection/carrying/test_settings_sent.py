"""Functions that are sent to workers refer to settings and blocks, which go along by their host."""

import copy
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from scverse_backends.exceptions import BackendNotInstalledError, BackendSnapshotError


def test_settings_from_another_process_are_those_of_the_same_host_here(world):
    sent = world.elsewhere("host.settings")
    host = world.load()
    with sent.use_backend("fast"):
        assert host.where() == "fast 1.0"
        assert host.settings.backend == "fast"


def test_what_another_process_selected_does_not_come_with_its_settings(world):
    sent = world.elsewhere("host.settings", "host.settings.backend = 'fast'")
    assert sent.backend == world.load().settings.backend == "cpu"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_settings_selects_for_the_same_host(host, copied):
    copied(host.settings).backend = "fast"
    assert host.where() == "fast 1.0"


@pytest.mark.parametrize("labels", [("fast",), ("fast", "other"), ()])
def test_a_block_from_another_process_selects_here(world, labels):
    block = world.elsewhere(f"host.settings.use_backend(*{labels}, fallback='error')")
    host = world.load()
    with block:
        assert host.where() == ("fast 1.0" if labels else "cpu")
        assert host.settings.fallback == "error"
    assert (host.where(), host.settings.fallback) == ("cpu", "warn")


def test_a_block_whose_backend_is_missing_here_says_so_when_it_is_entered(world):
    block = world.elsewhere("host.settings.use_backend('fast')")
    world.uninstall("fast")
    with pytest.raises(BackendNotInstalledError, match="pip install fast-backend"), block:
        pass


@pytest.mark.parametrize("expression", ["host.settings", "host.settings.use_backend('cpu')"])
def test_without_the_host_here_the_error_says_where_and_what_to_do(world, expression):
    gone = "import os; os.remove(host.__file__)"
    with pytest.raises(BackendSnapshotError, match=r"cannot be found on .* importable") as caught:
        world.elsewhere(expression, gone)
    assert (caught.value.host, caught.value.label) == (world.name, "")


def test_a_method_of_settings_can_be_the_task_of_a_process(world):
    host = world.load()
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        assert pool.submit(host.settings.available_backends).result(timeout=60) == ["fast", "other"]
