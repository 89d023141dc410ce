"""Origins: which release the code in this process comes from, where that is not the installed one.

Python imports a module once. After an upgrade in a running process the old code
runs on, and the metadata tell of the new.
"""

from __future__ import annotations

import re
import sys
from itertools import accumulate
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.labels import key
from scverse_backends._ground.records import LoadedBackend, release
from scverse_backends._ground.safe_repr import ask_text, attempt
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
        known = self._here(_module(candidate))
        if known is not None:
            return _as(known, candidate)
        said = _said_version(_module(candidate))
        if not _numbers(said) or _numbers(said) == _numbers(candidate.version):
            return None
        return candidate._replace(version=said) if is_installed_anew(candidate) else None

    def note(self, candidate: Candidate, older: Candidate | None, reading: Reading) -> Reading:
        """Keep where loaded code comes from; if that is an older release, say so."""
        outcome = reading.outcome
        if isinstance(outcome, LoadedBackend):
            older = older or self._used_by(candidate)
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

    def _here(self, name: str) -> _Origin | None:
        """Give what is known under a name, if that code is still here."""
        known = self._known.get(name)
        here = sys.modules.get(_module(known.candidate)) if known else None
        return known if known and here is not None and here is known.module else None

    def _used_by(self, candidate: Candidate) -> Candidate | None:
        """Tell what the code of an older release is that the module of a newer one has taken in."""
        known = self._here(_names(candidate)[1])
        if known is None:
            return None
        old = _module(known.candidate)
        taken = any(
            one is known.module or ask_text(attrgetter("__module__"), one) == old
            for one in [*_namespace(_module(candidate)).values()]
        )
        return _as(known, candidate) if taken else None


def _as(known: _Origin, candidate: Candidate) -> Candidate | None:
    """Give a candidate as of another release; none if it is of that."""
    _, _, distribution, version = known.candidate
    found = candidate._replace(distribution=distribution, version=version)
    return None if found == candidate else found


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
    said = (_namespace(name).get("__version__") for name in around)
    return next((version for version in said if isinstance(version, str)), "")


def _namespace(module: str) -> dict[str, Any]:
    """Give what is in a module; whatever stands there instead has nothing."""
    return attempt(lambda: vars(sys.modules[module]), lambda _: {})


def _numbers(version: str | None) -> list[int]:
    """Read the numbers of a version, without zeros at its end."""
    found = [int(number) for number in re.findall(r"[0-9]+", version or "")]
    while found and not found[-1]:
        found.pop()
    return found
