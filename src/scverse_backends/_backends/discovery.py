"""Discovery: which entry points are installed, read from metadata alone.

The only module that looks at installed metadata, and nothing here imports a backend.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from functools import cache, partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.callables import making
from scverse_backends._ground.labels import fold
from scverse_backends._ground.records import Candidate
from scverse_backends._ground.safe_repr import (
    ask_text,
    attempt,
    describe_error,
    one_line,
    safe_repr,
    stack_is_nearly_full,
)

from .configuration import STARTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from importlib.metadata import Distribution, DistributionFinder

    _Brought = Callable[[str | None], dict[str, Distribution]]


LONGEST_NAME = 200

HOSTS = "scverse_backends.hosts"
"""The group of the entry points by which hosts say where their dispatchers are."""

_FOLDERS = re.compile(r"^([^/,\n]+\.(?:dist|egg)-info)/", re.MULTILINE)
"""Finds the folders of metadata in a `RECORD`."""

PROJECT_PAGES = ("documentation", "docs", "homepage", "source", "repository", "github")
"""Labels of the pages of a project that people are sent to, the best first."""


class Fault(NamedTuple):
    """An installed distribution whose metadata could not be read."""

    distribution: str
    problem: str


def discover(group: str) -> tuple[tuple[Candidate, ...], tuple[Fault, ...]]:
    """Read the candidates of an entry-point group, in the order of their names.

    One distribution with unreadable metadata hides no other.
    """
    if stack_is_nearly_full():  # Python itself would keep that a folder holds nothing
        msg = "maximum recursion depth exceeded"
        raise RecursionError(msg)
    found: dict[Candidate, None] = {}
    faults, brought = [], cache(_brought)  # all records of a place are read, so once
    for distribution in _installed():
        if isinstance(distribution, Fault):
            faults.append(distribution)
            continue
        # Damaged metadata may raise anything.
        declare: Any = partial(tuple, _declared(distribution, group, brought))
        declared = attempt(declare, describe_error)
        if isinstance(declared, str):
            faults.append(Fault(_where(distribution), declared))
        else:
            found.update(dict.fromkeys(declared))
    return tuple(sorted(found, key=_order)), tuple(faults)


def as_installed_now(candidate: Candidate) -> Candidate:
    """Give a candidate with its version on disk, which may be another than when metadata was read."""
    found = map(_identity, _named(candidate.distribution))
    versions = [version for name, version in found if name == candidate.distribution]
    if candidate.version in versions or not versions:
        return candidate
    return candidate._replace(version=versions[0])


def version_of(distribution: str) -> str | None:
    """Give the version of an installed distribution."""
    found = map(_identity, _named(distribution))
    return next((version for _, version in found if version), None)


def is_installed_anew(candidate: Candidate) -> bool:
    """Whether a distribution was installed after this process imported the library."""
    found = _named(candidate.distribution)
    changed = (attempt(partial(_changed, one), lambda _: 0.0) for one in found)
    return max(changed, default=0.0) > STARTED


def _changed(distribution: Any) -> float:
    return float(os.stat(distribution._path).st_ctime)  # noqa: PTH116, SLF001 - as Python's own


def shadowing_file(candidate: Candidate) -> str | None:
    """Name the file that an import finds in the place of the distribution's own, if it does."""
    package = candidate.module.partition(".")[0]

    def look(distribution: Distribution) -> str:
        names = (f"{package}.py", f"{package}/__init__.py")
        own = [Path(str(distribution.locate_file(name))) for name in names]
        spec = importlib.util.find_spec(package)
        origin = Path(spec.origin) if spec and spec.origin else None
        there = [file for file in own if file.is_file()]
        if origin is None or not there or any(map(origin.samefile, there)):
            return ""
        return str(origin)

    return _ask(candidate.distribution, look) or None


def look_anew() -> None:
    """Have Python forget what it saw in a folder, which it keeps while the folder's time is the same."""
    from importlib.metadata import MetadataPathFinder

    # Before Python 3.12, the one for modules leaves out the one for metadata.
    for forget in (importlib.invalidate_caches, MetadataPathFinder().invalidate_caches):
        attempt(forget, lambda _: None)


def groups(ending: str) -> tuple[str, ...]:
    """Name the entry-point groups of everything installed whose names end in a certain way."""
    found: set[str] = set()
    for distribution in _installed():
        if not isinstance(distribution, Fault):
            # What cannot be read is reported by `discover`, for the group that it looks at.
            text = ask_text(_entry_points, distribution) or ""
            found.update(group for group, _ in _lines(text) if group.endswith(ending))
    return tuple(sorted(found))


def _installed(**wanted: Any) -> Iterator[Distribution | Fault]:
    """Ask every finder for what is installed; one that fails hides no other."""
    # An import passes over what is no string, and Python's own finder would end there.
    on_path: list[object] = [*sys.path]
    places = [place for place in on_path if isinstance(place, str)]
    context = _context()(**{"path": places, **wanted})
    for finder in [*sys.meta_path]:
        try:
            find: Any = getattr(finder, "find_distributions", None)
            if find is not None:
                # pip renames what it could not remove, and means to remove it later.
                yield from (one for one in find(context) if not _folder(one).startswith("~"))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a foreign finder may raise anything
            yield Fault(f"the finder {safe_repr(finder, LONGEST_NAME)}", describe_error(error))


@cache
def _context() -> Callable[..., DistributionFinder.Context]:
    """Import what reads metadata, and give what says which to look for."""
    # Imported here: a host that never selects a backend does not pay for it.
    with making:
        from importlib.metadata import DistributionFinder, MetadataPathFinder, PathDistribution

        # Python imports the rest when it first looks for metadata, and reads it: here, of nothing.
        nothing = DistributionFinder.Context(path=[os.devnull])
        attempt(lambda: [*MetadataPathFinder.find_distributions(nothing)], lambda _: None)
        attempt(lambda: PathDistribution(Path(os.devnull)).metadata, lambda _: None)
    return DistributionFinder.Context


def _named(name: str | None) -> Iterator[Distribution]:
    """Find what is installed under one name and can be read; nothing has no name."""
    found = _installed(name=name) if name else ()
    return (one for one in found if not isinstance(one, Fault))


def _ask(name: str | None, look: Callable[[Distribution], Any]) -> Any:
    """Ask the first that is installed under a name; ``None`` if there is none, or it raises."""
    found = next(_named(name), None)
    return None if found is None else attempt(partial(look, found), lambda _: None)


def installed_file(distribution: str | None, name: str) -> Any:
    """Give the place of a file that a distribution would bring, relative to where packages are."""
    return _ask(distribution, lambda found: found.locate_file(name))


def project_url(distribution: str) -> str | None:
    """Give the page of an installed distribution by its metadata, best where it is documented.

    Only pages of the web count: the metadata is a stranger's.
    """
    return _ask(distribution, _project_url) or None


def _project_url(distribution: Distribution) -> str:
    """Read the pages of a project by their labels, folded as is usual for well-known ones."""
    said: Any = distribution.metadata
    pages = [str(page).partition(",") for page in said.get_all("Project-URL", [])]
    urls = {"homepage": str(said.get("Home-page"))}
    for label, _, url in reversed(pages):
        urls["".join(filter(str.isalnum, label)).lower()] = url.strip()
    known = (urls.get(label, "") for label in PROJECT_PAGES)
    return next((url for url in known if url.startswith(("https://", "http://"))), "")


def _declared(distribution: Distribution, group: str, brought: _Brought) -> Iterator[Candidate]:
    """Give the candidates of one distribution, unless another of its name stands before it."""
    text = _entry_points(distribution)
    # Most distributions say nothing about this group; parsing them would cost a second in all.
    if group not in text:
        return
    lines = [one_line for found, one_line in _lines(text) if found == group]
    if not lines:
        return
    bringer = None if _records_itself(distribution) else _bringer(distribution, brought)
    name, version = _identity(bringer or distribution)
    if bringer is None and name is not None and not _is_first(distribution, name, brought):
        return
    for text in lines:
        point, equals, value = map(str.strip, text.partition("="))
        if not equals:
            msg = f"{text!r} is not an entry point; write name = value"
            raise ValueError(msg)
        # Old metadata may add extras.
        yield Candidate(
            one_line(point, LONGEST_NAME), value.partition("[")[0].strip(), name, version
        )


def _entry_points(distribution: Distribution) -> str:
    return distribution.read_text("entry_points.txt") or ""


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Give the lines of each group; a malformed one of another group hides nothing."""
    group = ""
    for found in map(str.strip, text.splitlines()):
        if found.startswith("[") and found.endswith("]"):
            group = found[1:-1]
        elif found and not found.startswith("#"):
            yield group, found


def _identity(distribution: Distribution) -> tuple[str | None, str | None]:
    """Read name and version; damaged metadata gives ``None``."""
    metadata: Any = attempt(lambda: distribution.metadata, lambda _: {})
    name, version = metadata.get("Name"), metadata.get("Version")
    if name:
        name = _named_by(_folder(distribution), name, version)
    return _shown(name), _shown(version)


def _named_by(folder: str, name: str, version: str | None) -> str:
    """Give the name of a distribution: that of its folder, where its metadata says another.

    Any wheel can bring a folder with the metadata of another package.
    """
    stem, _, ending = folder.rpartition(".")
    if ending == "dist-info":
        own = stem.rpartition("-")[0] or stem
        is_named = fold(name) in (fold(stem), fold(own)) or fold(stem) == fold(f"{name}-{version}")
    elif ending == "egg-info":
        own, is_named = stem, f"{fold(stem)}-".startswith(f"{fold(name)}-")
    else:
        return name
    return name if is_named else own


def _shown(text: str | None) -> str | None:
    """Give a name as it can be shown, so that no two names look the same."""
    if not text:
        return None
    # Names are ASCII. A letter that only looks like one of them makes another name.
    return one_line(text if text.isascii() else ascii(text)[1:-1], LONGEST_NAME)


def _is_first(distribution: Distribution, name: str, brought: _Brought) -> bool:
    """Whether an import would find this distribution, not another of the same name before it."""
    named = [one for one in _named(name) if ask_text(_metadata, one)]
    # Its folder may not be named as its metadata says; then nothing can stand before it.
    beside = [one for one in named if _location(one) == _location(named[0])]
    first = (
        max(beside, key=partial(_soundness, brought))
        if beside[1:]
        else next(iter(beside), distribution)
    )
    return _what_it_is(first) == _what_it_is(distribution)


def _what_it_is(distribution: Distribution) -> tuple[str | None, str, str]:
    return _location(distribution), _folder(distribution), _metadata(distribution)


def _records_itself(distribution: Distribution) -> bool:
    """Whether what an installer recorded of a distribution holds its own metadata, if it has files."""
    folder = _folder(distribution)
    return not folder or f"{folder}/METADATA" in (_record(distribution))


def _bringer(distribution: Distribution, brought: _Brought) -> Distribution | None:
    """Find what brought the folder of a distribution, if that is another one."""
    return brought(_location(distribution)).get(_folder(distribution))


def _brought(place: str | None) -> dict[str, Distribution]:
    """Tell what brought folders of others into a place, by what installers recorded there."""
    return {
        folder: one
        for one in _installed(path=[str(place)])
        if not isinstance(one, Fault) and _location(one) == place
        for folder in _FOLDERS.findall(_record(one))
        if folder != _folder(one)
    }


def _location(distribution: Distribution) -> str | None:
    """Tell where a distribution is; one that has no files is nowhere."""
    return ask_text(lambda found: str(found.locate_file("")), distribution)


def _soundness(brought: _Brought, distribution: Distribution) -> tuple[bool, bool, list[int]]:
    """Rank folders of one name: one that is its package's own and recorded, then the newest release."""
    version = ask_text(lambda found: found.metadata["Version"], distribution)
    is_own = _bringer(distribution, brought) is None
    return is_own, bool(_record(distribution)), numbers(version)


def numbers(version: str | None) -> list[int]:
    """Read the numbers of a version, without zeros at its end."""
    found = [int(number) for number in re.findall(r"[0-9]+", version or "")]
    while found and not found[-1]:
        found.pop()
    return found


def _metadata(distribution: Distribution) -> str:
    return distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""


def _record(distribution: Distribution) -> str:
    """Read what an installer recorded, as far as that can be read."""
    return ask_text(lambda found: found.read_text("RECORD"), distribution) or ""


def _folder(distribution: Distribution) -> str:
    """Name the folder of a distribution, if it has one."""
    return ask_text(attrgetter("_path.name"), distribution) or ""


def _where(distribution: Distribution) -> str:
    """Name a distribution that may not be able to tell its own name."""
    name = _identity(distribution)[0]
    place = ask_text(lambda found: str(getattr(found, "_path", found)), distribution)
    return name or place or safe_repr(distribution, LONGEST_NAME)


def _order(candidate: Candidate) -> tuple[str, bool, str, str]:
    """Order by name; of one name, damaged metadata come behind any others."""
    distribution, value = candidate.distribution, candidate.value
    is_damaged = distribution is None or not value
    return fold(candidate.name), is_damaged, fold(distribution or ""), value
