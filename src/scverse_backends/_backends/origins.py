"""Origins: which release the code in this process comes from, where that is not the installed one.

Python imports a module once. After an upgrade in a running process the old code
runs on, and the metadata tell of the new.
"""

from __future__ import annotations

import re
import sys
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from scverse_backends._ground.labels import key
from scverse_backends._ground.records import LoadedBackend, release
from scverse_backends.exceptions import BackendLoadError

from .discovery import is_installed_anew

if TYPE_CHECKING:
    from types import ModuleType

    from scverse_backends._ground.records import Candidate

    from .loading import Reading


class _Origin(NamedTuple):
    module: ModuleType | None
    candidate: Candidate


class Origins:
    """What was loaded in this process, by its module and by its distribution."""

    def __init__(self) -> None:
        self._known: dict[str, _Origin] = {}

    def older(self, candidate: Candidate) -> Candidate | None:
        """Give a candidate as the code tells that is here already, if that is of another release."""
        known = [self._known[name] for name in _names(candidate) if name in self._known]
        here = [one for one in known if sys.modules.get(_module(one.candidate)) is one.module]
        if here:
            _, _, distribution, version = here[0].candidate
            found = candidate._replace(distribution=distribution, version=version)
            return None if found == candidate else found
        said = _said_version(_module(candidate))
        if not _numbers(said) or _numbers(said) == _numbers(candidate.version):
            return None
        return candidate._replace(version=said) if is_installed_anew(candidate) else None

    def note(self, candidate: Candidate, older: Candidate | None, reading: Reading) -> Reading:
        """Keep where loaded code comes from; if that is an older release, say so."""
        outcome = reading.outcome
        if isinstance(outcome, LoadedBackend):
            origin = _Origin(sys.modules.get(_module(candidate)), older or candidate)
            self._known.update(dict.fromkeys(_names(candidate), origin))
        if older is None:
            return reading
        now, then = release(*candidate[2:]), release(*older[2:])
        told = f"{now} is installed, and code of {then} is loaded. Restart Python to use it"
        if isinstance(outcome, BackendLoadError):
            outcome.problem += f". {told}"
        if not isinstance(outcome, LoadedBackend):
            return reading
        return reading._replace(
            outcome=outcome.under(code=older), problems=(*reading.problems, told)
        )


def _names(candidate: Candidate) -> tuple[str, str]:
    """Name by what code is known that was there before: its module, and its distribution."""
    return _module(candidate), f"distribution {key(str(candidate.distribution))}"


def _module(candidate: Candidate) -> str:
    return candidate.value.partition(":")[0].strip()


def _said_version(module: str) -> str:
    """Read what an imported module, or else the packages that it is in, say that they are."""
    if module not in sys.modules:
        return ""
    around = accumulate(module.split("."), "{}.{}".format)
    said = (getattr(sys.modules.get(name), "__dict__", {}).get("__version__") for name in around)
    return next((version for version in said if isinstance(version, str)), "")


def _numbers(version: str | None) -> list[int]:
    """Read the numbers of a version, without zeros at its end."""
    found = [int(number) for number in re.findall(r"[0-9]+", version or "")]
    while found and not found[-1]:
        found.pop()
    return found
