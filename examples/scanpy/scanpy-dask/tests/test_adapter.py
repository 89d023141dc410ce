"""What a host finds when it follows the entry point."""

import importlib.metadata
import subprocess
import sys

import pytest

import scanpy_dask


@pytest.fixture
def entry_point():
    (found,) = importlib.metadata.entry_points(group="scanpy.backends", name="scanpy_dask")
    return found


def test_the_entry_point_names_an_adapter_of_this_package(entry_point):
    assert entry_point.dist.name == "scanpy-dask"
    assert entry_point.load().name == "scanpy-dask"
    assert entry_point.load().aliases == ["dask"]


def test_the_adapter_offers_preprocessing_under_scanpys_names(entry_point):
    adapter = entry_point.load()
    assert adapter.__all__ == ["pp"]
    assert adapter.pp.pca is scanpy_dask.pp.pca
    assert all(callable(getattr(adapter.pp, name)) for name in adapter.pp.__all__)


def test_everything_listed_as_public_exists():
    assert all(hasattr(scanpy_dask, name) for name in scanpy_dask.__all__)
    assert not hasattr(scanpy_dask, "tl")


def test_a_worker_that_imports_the_package_imports_no_scanpy():
    program = """
import sys, scanpy_dask
assert "scanpy" not in sys.modules
print(scanpy_dask.pp.pca.__name__, "scanpy" in sys.modules)
"""
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("pca True\n", "")
