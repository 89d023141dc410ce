"""Readings: what a manifest, or loading the adapter itself, says of a backend.

Python imports a module once. After an upgrade in a running process the old code
runs on, and the metadata tell of the new: so `Origins` keeps which release the
code in this process comes from.
"""

from __future__ import annotations

import sys
from itertools import accumulate
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.callables import making
from scverse_backends._ground.labels import fold
from scverse_backends._ground.records import LoadedBackend, release
from scverse_backends._ground.safe_repr import ask_text, attempt
from scverse_backends.exceptions import BackendLoadError, UntrustedBackendError

from .discovery import is_installed_anew, numbers, shadowing_file
from .facts import AdapterError, remarks
from .loading import describe, import_reference, load_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from scverse_backends._ground.records import Candidate
    from scverse_backends.exceptions import BackendError

    from .manifest import Manifest
    from .trust import Judge

    Outcome = LoadedBackend | BackendError


class Reading(NamedTuple):
    """What a manifest, or loading the adapter itself, says of a backend.

    Parameters
    ----------
    outcome
        The backend, or why it cannot be used; ``None`` where a manifest says nothing
        and the adapter must be asked. A backend of a manifest cannot run anything.
    problems
        One sentence for each thing that is not accepted.
    manifest
        The manifest behind it.
    """

    outcome: Outcome | None = None
    problems: tuple[str, ...] = ()
    manifest: Manifest | None = None


def read_manifest(candidate: Candidate, judge: Judge) -> Reading:
    """Read the manifest of a backend that is not refused; none of the backend's code runs."""
    # Imported here: most runs never need a manifest, and hosts pay for imports.
    with making:
        from .manifest import ManifestError

    try:
        manifest, backend = _stand_in(candidate)
    except ManifestError as error:
        return _unusable(f"its manifest {error}")
    except AdapterError as error:
        return _unusable(f"its manifest says what no adapter may: {error}")
    if backend is None:
        return Reading()
    claims = judge.review(backend)
    if claims.is_blocked:
        host = judge.configuration.host
        return Reading(about(UntrustedBackendError, candidate, host, reason=claims.refused))
    if claims.refused:
        return _unusable(f"its manifest claims what is not its own: {claims.refused}")
    return Reading(backend.under(aliases=claims.aliases), claims.problems, manifest)


def _stand_in(candidate: Candidate) -> tuple[Manifest | None, LoadedBackend | None]:
    """Make the backend that a candidate's manifest describes, if it ships one."""
    with making:
        from .manifest import find, parse
        from .offers import stand_in

    data = find(candidate)
    manifest = None if data is None else parse(data)
    if manifest is None or manifest.adapter not in (None, candidate.value):
        return None, None
    adapter, described = stand_in(manifest)
    return manifest, describe(adapter, candidate, described)


def _unusable(problem: str) -> Reading:
    return Reading(problems=(f"{problem}. The adapter is asked instead.",))


def load_adapter(candidate: Candidate, judge: Judge) -> Reading:
    """Import and describe an adapter; whatever it raises becomes its error."""
    host = judge.configuration.host

    def failed(error: BaseException) -> Reading:
        failure = load_error(error, candidate.name, host, candidate)
        shadowing = shadowing_file(candidate)
        if shadowing:
            failure.problem += f" (it imported {shadowing}, which is no file of the package)"
        return Reading(failure)

    def load() -> Reading:
        loaded = describe(import_reference(candidate.value), candidate)
        claims = judge.review(loaded)
        if claims.refused:
            return Reading(about(UntrustedBackendError, candidate, host, reason=claims.refused))
        problems = (*claims.problems, *remarks(loaded.adapter))
        return Reading(loaded.under(aliases=claims.aliases), problems)

    return attempt(load, failed)


def about(kind: Callable[..., Any], candidate: Candidate, host: str, **data: Any) -> Any:
    """Make an error or warning about one candidate."""
    name, _, distribution, version = candidate
    return kind(name, host=host, distribution=distribution, version=version, **data)


class Origins:
    """What was loaded in this process, by its module and by its distribution."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[ModuleType | None, Candidate]] = {}

    def older(self, candidate: Candidate) -> Candidate | None:
        """Give a candidate as the code tells that is here already, if that is of another release."""
        known = self._here(candidate.module)
        if known is not None:
            return _as(known, candidate)
        said = _said_version(candidate.module)
        if not numbers(said) or numbers(said) == numbers(candidate.version):
            return None
        return candidate._replace(version=said) if is_installed_anew(candidate) else None

    def note(self, candidate: Candidate, older: Candidate | None, reading: Reading) -> Reading:
        """Keep where loaded code comes from; if that is an older release, say so."""
        outcome = reading.outcome
        if isinstance(outcome, LoadedBackend):
            older = older or self._used_by(candidate)
            origin = sys.modules.get(candidate.module), older or candidate
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

    def _here(self, name: str) -> Candidate | None:
        """Give what was loaded under a name, if that code is still here."""
        module, known = self._known.get(name, (None, None))
        is_here = known and module is not None and sys.modules.get(known.module) is module
        return known if is_here else None

    def _used_by(self, candidate: Candidate) -> Candidate | None:
        """Tell what the code of an older release is that the module of a newer one has taken in."""
        known = self._here(_names(candidate)[1])
        if known is None:
            return None
        old = known.module
        taken = any(
            one is sys.modules.get(old) or ask_text(attrgetter("__module__"), one) == old
            for one in [*_namespace(candidate.module).values()]
        )
        return _as(known, candidate) if taken else None


def _as(known: Candidate, candidate: Candidate) -> Candidate | None:
    """Give a candidate as of another release; none if it is of that."""
    found = candidate._replace(distribution=known.distribution, version=known.version)
    return None if found == candidate else found


def _names(candidate: Candidate) -> tuple[str, str]:
    """Name by what code is known that was there before: its module, and its distribution."""
    return candidate.module, f"distribution {fold(str(candidate.distribution))}"


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
