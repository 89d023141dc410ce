"""A snapshot of another process finds its host and backends here, or says what is missing."""

import os
import pickle
import shutil
import socket
import sys
from types import SimpleNamespace

import pytest

from scverse_backends.exceptions import (
    BackendNotInstalledError,
    BackendSnapshotError,
    UnknownBackendError,
    UntrustedBackendError,
)
from scverse_backends.records import Snapshot

SELECT = "host.settings.backend = ['fast', 'other', 'cpu']"
HERE = (f"{socket.gethostname()!r}", str(os.getpid()))


@pytest.fixture
def snapshot(world, taken_elsewhere):
    """A snapshot that another process took of ``fast``, ``other`` and the host."""
    name, text = taken_elsewhere
    return pickle.loads(pickle.dumps(Snapshot.from_json(text.replace(name, world.name))))


def test_a_snapshot_of_another_process_equals_one_taken_here(world, snapshot):
    made = world.elsewhere("host.settings.snapshot()", SELECT)
    assert made == snapshot
    assert made.backends == ("fast", "other", "cpu")
    assert world.site.imported() == set()
    settings = world.load().settings
    with settings.use_backend("fast", "other", "cpu"):
        assert settings.snapshot() == made


def raised(kind, snapshot):
    """Give the error of a snapshot that cannot be applied, as it reaches another process."""
    with pytest.raises(kind) as caught, snapshot:
        pass
    error = pickle.loads(pickle.dumps(caught.value))
    assert type(error) is kind
    assert str(error) == str(caught.value)
    assert error.machine == socket.gethostname()
    assert all(text in str(error) for text in HERE)
    return error


def test_binding_imports_nothing_and_entering_the_host_and_the_backends(world, snapshot):
    bound = snapshot.bind(abs)
    assert world.site.imported() == set()
    assert bound(-1) == 1
    with snapshot:
        assert world.load().where() == "fast 1.0"
    assert len(world.site.imported()) == 3


def test_another_version_is_refused_before_any_of_its_code_runs(world, snapshot):
    world.install("fast", "2.0")
    error = raised(BackendSnapshotError, snapshot)
    assert (error.host, error.label, error.process) == (world.name, "fast", os.getpid())
    assert "taken of fast-backend 1.0, and there it is fast-backend 2.0" in error.problem
    assert f"{world.name}_fast" not in world.site.imported()


def test_the_same_release_from_another_place_will_do(world, snapshot):
    world.uninstall("fast")
    world.site.install(
        "Fast_Backend",
        group=f"{world.name}.backends",
        entry_points={"fast": "moved"},
        modules={"moved": "name = 'fast'\ndef where(): return 'moved'"},
    )
    with snapshot:
        assert world.load().where() == "moved"


def test_an_absent_backend_that_the_host_knows_comes_with_what_to_install(world, snapshot):
    world.uninstall("fast")
    error = raised(BackendNotInstalledError, snapshot)
    assert "pip install fast-backend" in str(error)
    assert error.label == "fast"


def test_an_absent_backend_that_the_host_does_not_know_is_unknown(world, snapshot):
    world.uninstall("other")
    assert raised(UnknownBackendError, snapshot).label == "other"


def test_a_backend_that_must_not_run_here_does_not(world, snapshot, monkeypatch):
    monkeypatch.setenv("SCVERSE_BACKENDS_BLOCK", "fast")
    assert "blocked" in str(raised(UntrustedBackendError, snapshot))


def test_a_registered_adapter_is_known_only_where_it_was_registered(world):
    register = "host.dispatcher.register(type('A', (), {'name': 'mine'}))"
    snapshot = world.elsewhere(
        "host.settings.snapshot()", register, "host.settings.backend = 'mine'"
    )
    error = raised(BackendSnapshotError, snapshot)
    assert error.label == "mine"
    assert "Register it there too" in error.problem


def test_an_adapter_that_was_registered_here_does_not_stand_in_for_a_package(world, snapshot):
    world.uninstall("fast")
    with world.load().dispatcher.register(SimpleNamespace(name="fast")):
        error = raised(BackendSnapshotError, snapshot)
    assert "taken of fast-backend 1.0, and there it is an adapter that was registered" in str(error)


def test_a_missing_host_is_named(world, snapshot):
    (world.site.folder / f"{world.name}.py").unlink()
    shutil.rmtree(world.site.folder / "__pycache__", ignore_errors=True)
    error = raised(BackendSnapshotError, snapshot)
    assert (error.host, error.label) == (world.name, "fast, other, cpu")
    assert "ModuleNotFoundError" in error.problem


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise RuntimeError('no GPU')", "RuntimeError: no GPU"),
        ("", "makes no dispatcher"),
    ],
)
def test_a_host_that_fails_to_import_or_makes_no_dispatcher_any_more_is_named(
    world, snapshot, source, said
):
    world.write_host(source)
    assert said in raised(BackendSnapshotError, snapshot).problem


def test_a_host_whose_dispatcher_moved_into_another_module_is_found(world):
    world.site.write(f"{world.name}_parts/__init__.py", "from . import dispatching")
    source = (world.site.folder / f"{world.name}.py").read_text(encoding="utf-8")
    world.site.write(f"{world.name}_parts/dispatching.py", source)
    world.write_host("from {name}_parts.dispatching import *")
    snapshot = world.elsewhere("host.settings.snapshot()", SELECT)
    world.site.write(f"{world.name}_parts/elsewhere.py", source)
    world.site.write(f"{world.name}_parts/__init__.py", "from . import elsewhere")
    (world.site.folder / f"{world.name}_parts/dispatching.py").unlink()
    with snapshot:
        host = __import__(f"{world.name}_parts").elsewhere
        assert host.where() == "fast 1.0"


def test_a_dispatcher_that_another_package_makes_for_the_host_is_found(world, snapshot):
    world.site.write(
        f"{world.name}_factory.py",
        "from scverse_backends import BackendDispatcher\n"
        "def make(name): return BackendDispatcher("
        "entrypoint_group=f'{name}.backends', host_name=name, untrusted='allow')",
    )
    world.write_host(
        """
        import {name}_factory
        dispatcher = {name}_factory.make("{name}")
        settings = dispatcher.settings
        @dispatcher.backend_dispatch
        def where(): return "cpu"
        """
    )
    with world.elsewhere("host.settings.snapshot()", SELECT):
        assert sys.modules[world.name].where() == "fast 1.0"


def test_a_dispatcher_that_no_import_makes_is_told_to_be_made_by_one(world):
    lines = (
        "from threading import Thread; from scverse_backends import BackendDispatcher; made = []",
        "options = {'entrypoint_group': 'x.backends', 'host_name': 'nowhere'}",
        "thread = Thread(target=lambda: made.append(BackendDispatcher(**options)))",
        "thread.start(); thread.join()",
    )
    error = raised(BackendSnapshotError, world.elsewhere("made[0].settings.snapshot()", *lines))
    assert "makes no dispatcher of nowhere" in error.problem


def test_the_main_module_of_a_script_is_found_by_the_processes_it_spawns(world, run_python):
    script = world.site.write(
        "main_script.py",
        f"""
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context
        from scverse_backends import BackendDispatcher
        dispatcher = BackendDispatcher(
            entrypoint_group="{world.name}.backends", host_name="script", untrusted="allow"
        )
        @dispatcher.backend_dispatch
        def where(): return "cpu"
        if __name__ == "__main__":
            with dispatcher.settings.use_backend("fast"):
                bound = dispatcher.settings.snapshot().bind(where)
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                print(pool.submit(bound).result())
        """,
    )
    finished = run_python(script)
    assert finished.stdout == "fast 1.0\n", finished.stderr
