"""Running out of memory is the caller's affair: it is no damage of a package, and is not kept."""

import sys
from importlib.metadata import Distribution, DistributionFinder
from zipfile import ZipFile

import pytest

from scverse_backends.manifest import AdapterError, place

GROUP = "tests.example_host.backends"


class Finder(DistributionFinder):
    """Stands before the others; what it finds is up to a test."""

    def find_spec(self, *_):
        return None

    def find_distributions(self, context):
        yield from self.found(context)


class Package(Distribution):
    """A distribution whose files are wherever its finder keeps them."""

    def read_text(self, filename):
        texts = {
            "METADATA": "Metadata-Version: 2.1\nName: kept\nVersion: 1.0\n",
            "entry_points.txt": f"[{GROUP}]\nkept = kept_backend\n",
        }
        return texts.get(filename)

    def locate_file(self, path):
        return File()


class File:
    """One that is there, and is too much for this machine."""

    def __str__(self):
        return "kept elsewhere"

    def is_file(self):
        return True

    def open(self, mode):
        raise MemoryError


@pytest.fixture
def finder(monkeypatch):
    made = Finder()
    monkeypatch.setattr(sys, "meta_path", [made, *sys.meta_path])
    return made


@pytest.mark.parametrize("looks", [0, 1, 2], ids=["listing", "judging", "finding a manifest"])
def test_running_out_of_memory_passes_and_the_next_look_finds_everything(
    dispatcher, ship, finder, looks
):
    remaining = iter([()] * looks)

    def found(_):
        for nothing in remaining:
            return nothing
        raise MemoryError

    ship()
    finder.found = found
    with pytest.raises(MemoryError):
        dispatcher.backends()
    finder.found = lambda _: ()
    assert [info.name for info in dispatcher.backends()] == ["tiled"]


def test_running_out_of_memory_while_a_manifest_is_read_passes(dispatcher, finder, monkeypatch):
    package = Package()
    finder.found = lambda _: [package]
    with pytest.raises(MemoryError):
        dispatcher.backends()
    monkeypatch.setattr(File, "is_file", lambda _: False)
    assert [info.name for info in dispatcher.backends()] == ["kept"]


def test_a_module_in_a_zip_file_has_no_folder_for_a_manifest(tmp_path, monkeypatch):
    with ZipFile(tmp_path / "zipped.zip", "w") as archive:
        archive.writestr("zipped_backend/__init__.py", "")
        archive.writestr("zipped_backend/adapter.py", "name = 'zipped'")
    monkeypatch.syspath_prepend(str(tmp_path / "zipped.zip"))
    with pytest.raises(AdapterError, match="no folder holds the module"):
        place("zipped_backend.adapter")
