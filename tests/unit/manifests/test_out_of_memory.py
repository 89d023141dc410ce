"""Running out of memory is the caller's affair: it is no damage of a package, and is not kept."""

from types import SimpleNamespace
from zipfile import ZipFile

import pytest

from scverse_backends.manifest import AdapterError, place


class File:
    """One that is there, and is too much for this machine."""

    def __str__(self):
        return "kept elsewhere"

    def is_file(self):
        return True

    def open(self, mode):
        raise MemoryError


@pytest.fixture
def finder(find_distributions):
    """What finds distributions, by a method ``found`` that is up to a test."""
    made = SimpleNamespace()
    find_distributions(lambda context: made.found())
    return made


@pytest.mark.parametrize("looks", [0, 1, 2], ids=["listing", "judging", "finding a manifest"])
def test_running_out_of_memory_passes_and_the_next_look_finds_everything(
    dispatcher, ship, finder, looks
):
    remaining = iter([()] * looks)

    def found():
        for nothing in remaining:
            return nothing
        raise MemoryError

    ship()
    finder.found = found
    with pytest.raises(MemoryError):
        dispatcher.backends()
    finder.found = tuple
    assert [info.name for info in dispatcher.backends()] == ["tiled"]


def test_running_out_of_memory_while_a_manifest_is_read_passes(
    dispatcher, finder, monkeypatch, pack
):
    package = pack("kept", "1.0", "kept = kept_backend", lambda path: File())
    finder.found = lambda: [package]
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
