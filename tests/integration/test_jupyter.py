"""A selection in a notebook, whose cells a real kernel runs."""

import os
import re

import pytest
from jupyter_client.manager import start_new_kernel

pytestmark = pytest.mark.slow

COLOUR = re.compile("\x1b\\[[0-9;]*m")


@pytest.fixture(scope="module")
def kernel(shared_world):
    """Run cells in one kernel, and give what each showed."""
    # The kernel imports this library and the host from where this process does.
    folders = [str(shared_world.site.folder), os.environ.get("PYTHONPATH", "")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, folders)))
        manager, client = start_new_kernel(kernel_name="python3", startup_timeout=60)
    seen = []

    def hear(message):
        content = message["content"]
        if message["msg_type"] == "execute_result":
            seen.append(content["data"]["text/plain"])
        if message["msg_type"] == "error":
            seen.append(content["evalue"])
            run.traceback = [COLOUR.sub("", line) for line in content["traceback"]]

    def run(cell):
        seen.clear()
        client.execute_interactive(cell, timeout=60, output_hook=hear)
        return seen[-1] if seen else None

    run(f"import asyncio, threading\nimport {shared_world.name} as host\nsettings = host.settings")
    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def run(kernel):
    """The same kernel, in which nothing is selected."""
    kernel("del settings.backend\nsettings.fallback = 'warn'")
    return kernel


def test_what_one_cell_sets_the_next_cells_threads_and_tasks_see(run):
    assert run("host.where()") == "'cpu'"
    run("settings.backend = 'fast'")
    assert run("host.where()") == "'fast 1.0'"
    run(
        "seen = []\n"
        "thread = threading.Thread(target=lambda: seen.append(host.where()))\n"
        "thread.start(); thread.join()"
    )
    assert run("seen") == "['fast 1.0']"
    assert run("await asyncio.sleep(0)\nhost.where()") == "'fast 1.0'"
    assert run("await asyncio.to_thread(host.where)") == "'fast 1.0'"
    assert run("await asyncio.create_task(host.where_async())") == "'fast 1.0'"


def test_a_block_holds_through_an_await_and_ends_with_its_cell(run):
    cell = (
        "with settings.use_backend('fast'):\n"
        "    await asyncio.sleep(0)\n"
        "    held = host.where(), await asyncio.to_thread(host.where), settings.backend\n"
        "held"
    )
    assert run(cell) == "('fast 1.0', 'fast 1.0', 'fast')"
    assert run("host.where()") == "'cpu'"
    assert run("with settings.use_backend('fast'):\n    1 / 0") == "division by zero"
    assert run("host.where()") == "'cpu'"


def test_an_error_is_shown_without_what_dispatches(run):
    assert "Did you mean 'fast'?" in run("settings.use_backend('fats')")
    assert not any("/scverse_backends/" in part for part in run.traceback)
    run("@host.dispatcher.backend_dispatch\ndef rank(values): return values")
    cell = "with settings.use_backend('fast', fallback='error'):\n    rank([1])"
    assert run(cell).startswith("rank: 'fast' does not implement it. Nothing ran")
    assert sum("/scverse_backends/" in part for part in run.traceback) == 1
    assert any("skipping hidden" in part for part in run.traceback)
