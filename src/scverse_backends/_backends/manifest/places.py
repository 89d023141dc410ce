"""Places: where the manifest of an installed adapter is, found without importing anything.

It lies beside the adapter's module and has its name: ``pkg/sub/adapter.toml``
for ``pkg.sub.adapter``. A distribution's metadata says where its files are. An
editable install keeps them elsewhere, where an import would find them: the
import system is asked where a package is, and asked no more than that.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .record import ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.machinery import ModuleSpec

    from scverse_backends._ground.records import Candidate

SUFFIX = ".toml"
LARGEST = 4 * 2**20
"""Bytes in the largest manifest that is read: some thousands of functions."""


def find(candidate: Candidate) -> bytes | None:
    """Read the file of a candidate's manifest; ``None`` if it ships none.

    Raises
    ------
    ManifestError
        If it is there and cannot be read.
    """
    module = candidate.value.partition(":")[0].strip()
    if not all(part.isidentifier() for part in module.split(".")):
        return None
    for place in _places(module, candidate.distribution):
        found = _read(place)
        if found is not None:
            return found
    return None


def beside(module: str) -> Path | None:
    """Tell where the manifest of a module belongs, if that is in a folder."""
    for folder in _folders(module.rpartition(".")[0], module):
        if Path(folder).is_dir():
            return Path(folder, module.rpartition(".")[2] + SUFFIX)
    return None


def _places(module: str, distribution: str | None) -> Iterator[Any]:
    """List where a manifest may be; a place is a path, or like one inside a zip file."""
    package, _, name = module.rpartition(".")
    place = _installed(str(distribution), module.replace(".", "/") + SUFFIX)
    if place is not None:
        yield place
    for folder in _folders(package, module):
        yield from _inside(folder, name + SUFFIX)


def _installed(distribution: str, path: str) -> Any:
    from importlib.metadata import distribution as named

    try:
        return named(distribution).locate_file(path)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - foreign metadata may raise anything; an import may still work
        return None


def _inside(folder: str, name: str) -> Iterator[Any]:
    """Give the path of a file in a folder, which may be in a zip file."""
    path = Path(folder)
    yield path / name
    for archive in () if path.exists() else path.parents:
        if archive.is_file():
            import zipfile

            with suppress(OSError, zipfile.BadZipFile):
                yield zipfile.Path(archive, (path.relative_to(archive) / name).as_posix())


def _folders(package: str, module: str) -> list[str]:
    """Ask the import system for the folders of a package; no code of the package runs."""
    folders: list[str] | None = None
    walked = ""
    for part in package.split(".") if package else ():
        walked = f"{walked}.{part}" if walked else part
        spec = _spec(walked, folders)
        if spec is None or spec.submodule_search_locations is None:
            return []
        folders = list(spec.submodule_search_locations)
    if folders is None:
        spec = _spec(module, None)
        # A module that is a package has a manifest beside its folder.
        origins = [] if spec is None else spec.submodule_search_locations or [spec.origin or ""]
        folders = [str(Path(origin).parent) for origin in origins if origin]
    return folders


def _spec(name: str, path: list[str] | None) -> ModuleSpec | None:
    """Find a module as an import would, without the modules that it is in."""
    for finder in [*sys.meta_path]:
        with suppress(Exception):  # a foreign finder may raise anything
            spec = finder.find_spec(name, path)
            if spec is not None:
                return spec
    return None


def _read(place: Any) -> bytes | None:
    try:
        if not place.is_file():
            return None
        with place.open("rb") as file:
            data: bytes = file.read(LARGEST + 1)
    except MemoryError:
        raise
    except Exception as error:
        msg = f"cannot be read: {type(error).__name__}: {error}"
        raise ManifestError(msg) from error
    if len(data) > LARGEST:
        msg = f"is larger than {LARGEST // 2**20} MiB"
        raise ManifestError(msg)
    return data
