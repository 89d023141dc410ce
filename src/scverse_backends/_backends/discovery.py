"""Discovery: which entry points are installed, read from metadata alone.

The only module that looks at installed metadata, and nothing here imports a backend.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.labels import key
from scverse_backends._ground.records import Candidate
from scverse_backends._ground.safe_repr import ask_text, describe_error, one_line, safe_repr

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import Distribution, EntryPoint


LONGEST_NAME = 200

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
    found: dict[Candidate, None] = {}
    faults = []
    for distribution in _installed():
        if isinstance(distribution, Fault):
            faults.append(distribution)
            continue
        try:
            found.update(dict.fromkeys(_declared(distribution, group)))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - damaged metadata may raise anything
            faults.append(Fault(_where(distribution), describe_error(error)))
    return tuple(sorted(found, key=_order)), tuple(faults)


def groups(ending: str) -> tuple[str, ...]:
    """Name the entry-point groups of everything installed whose names end in a certain way."""
    found: set[str] = set()
    for distribution in _installed():
        # What cannot be read is told by `discover`, for whichever group is looked at.
        with suppress(Exception):
            if not isinstance(distribution, Fault) and f"{ending}]" in (
                distribution.read_text("entry_points.txt") or ""
            ):
                found.update(point.group for point in distribution.entry_points)
    return tuple(sorted(group for group in found if group.endswith(ending)))


def _installed(**wanted: Any) -> Iterator[Distribution | Fault]:
    """Ask every finder for what is installed; one that fails hides no other."""
    # Imported here: a host that never selects a backend does not pay for it.
    from importlib.metadata import DistributionFinder

    context = DistributionFinder.Context(**wanted)
    for finder in [*sys.meta_path]:
        try:
            find: Any = getattr(finder, "find_distributions", None)
            if find is not None:
                yield from find(context)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a foreign finder may raise anything
            yield Fault(f"the finder {safe_repr(finder, LONGEST_NAME)}", describe_error(error))


def project_url(distribution: str) -> str | None:
    """Give the page of an installed distribution by its metadata, best where it is documented.

    Only pages of the web count: the metadata is a stranger's.
    """
    named = (found for found in _installed(name=distribution) if not isinstance(found, Fault))
    return next((ask_text(_project_url, found) for found in named), None) or None


def _project_url(distribution: Distribution) -> str:
    """Read the pages of a project by their labels, folded as is usual for well-known ones."""
    said: Any = distribution.metadata
    pages = [str(page).partition(",") for page in said.get_all("Project-URL", [])]
    urls = {"homepage": str(said.get("Home-page"))}
    for label, _, url in reversed(pages):
        urls["".join(filter(str.isalnum, label)).lower()] = url.strip()
    known = (urls.get(label, "") for label in PROJECT_PAGES)
    return next((url for url in known if url.startswith(("https://", "http://"))), "")


def _declared(distribution: Distribution, group: str) -> Iterator[Candidate]:
    """Give the candidates of one distribution, unless an earlier one on the path shadows it."""
    text = distribution.read_text("entry_points.txt")
    # Most distributions say nothing about this group; parsing them would cost a second in all.
    if not text or group not in text:
        return
    entry_points = [point for point in distribution.entry_points if point.group == group]
    if not entry_points:
        return
    name, version = _identity(distribution)
    if name is not None and not _is_first(distribution, name):
        return
    for point in entry_points:
        yield Candidate(one_line(point.name, LONGEST_NAME), _reference(point), name, version)


def _reference(point: EntryPoint) -> str:
    """Give the object reference without the extras that old metadata may add."""
    return point.value.partition("[")[0].strip()


def _identity(distribution: Distribution) -> tuple[str | None, str | None]:
    """Read name and version; damaged metadata gives ``None``."""
    try:
        metadata: Any = distribution.metadata
        name, version = metadata.get("Name"), metadata.get("Version")
    except Exception:  # noqa: BLE001 - damaged metadata may raise anything
        return None, None
    return _shown(name), _shown(version)


def _shown(text: str | None) -> str | None:
    """Give a name as it can be shown; nobody is trusted by one that cannot."""
    return one_line(text, LONGEST_NAME) if text else None


def _is_first(distribution: Distribution, name: str) -> bool:
    """Whether an import would find this distribution, not another of the same name before it."""
    named = (found for found in _installed(name=name) if not isinstance(found, Fault))
    first = next((found for found in named if ask_text(_metadata, found)), None)
    if first is None:
        # Its folder is not named as its metadata says; then nothing can stand before it.
        return True
    return str(first.locate_file("")) == str(distribution.locate_file("")) and (
        _metadata(first) == _metadata(distribution)
    )


def _metadata(distribution: Distribution) -> str:
    return distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""


def _where(distribution: Distribution) -> str:
    """Name a distribution that may not be able to tell its own name."""
    name = _identity(distribution)[0] or ask_text(_place, distribution)
    return name or safe_repr(distribution, LONGEST_NAME)


def _place(distribution: Distribution) -> str:
    return str(getattr(distribution, "_path", distribution))


def _order(candidate: Candidate) -> tuple[str, bool, str, str]:
    """Order by name; of one name, damaged metadata come behind any others."""
    distribution, value = candidate.distribution, candidate.value
    is_damaged = distribution is None or not value
    return key(candidate.name), is_damaged, key(distribution or ""), value
