"""The packages under examples/, as they are installed; what they compute is the conformance suite's."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.examples,
    # Whether this file is the first to use "tiled" depends on what else is run.
    pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.UntrustedBackendWarning"),
]

PACKAGES = ("example_host", "example_host_accel", "example_host_tiled", "example_host_dask")


def run_python(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("entry_point", ["example_accel", "tiled"])
def test_a_backend_imports_neither_the_host_nor_the_dispatcher(entry_point):
    script = (
        "import sys; from importlib.metadata import entry_points\n"
        f"(entry,) = entry_points(group='example_host.backends', name={entry_point!r})\n"
        "entry.load()\n"
        "print({'example_host', 'scverse_backends'}.intersection(sys.modules))\n"
    )
    run = run_python("-c", script)
    assert run.stdout.strip() == "set()", run.stderr


@pytest.mark.parametrize(
    "adapter",
    [
        "example_host_accel._backends.example_host",
        "example_host_tiled._adapter:ExampleHostAdapter",
        "example_host_dask._adapter",
    ],
)
def test_each_backend_ships_a_manifest_that_is_true(adapter):
    run = run_python("-m", "scverse_backends", "manifest", "check", adapter)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_every_example_in_the_docstrings_runs(package):
    root = importlib.import_module(package)
    found = pkgutil.walk_packages(root.__path__, f"{package}.")
    modules = [root, *(importlib.import_module(module.name) for module in found)]
    outcomes = [doctest.testmod(module) for module in modules]
    assert sum(outcome.failed for outcome in outcomes) == 0
    assert sum(outcome.attempted for outcome in outcomes) >= 7
