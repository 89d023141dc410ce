"""The descriptions: what the manifests of installed backends say, and where they are wrong.

A manifest is read once, and only for a backend that the host does not refuse.
What is wrong with it is told once, and the adapter is asked instead.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .loading import AdapterError, describe
from .trust import review

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scverse_backends._ground.labels import Configuration
    from scverse_backends._ground.records import Candidate, LoadedBackend, Source, Verdict

    from .manifest import Manifest


class Description(NamedTuple):
    """What a manifest says of a backend.

    Parameters
    ----------
    backend
        The backend as it would be when loaded, but for an adapter that cannot
        run anything; ``None`` where the adapter must be asked.
    manifest
        The manifest behind it.
    blocked
        Why the backend may not be loaded, if by its own account it is blocked.
    problems
        One sentence for each thing that is not accepted.
    """

    backend: LoadedBackend | None = None
    manifest: Manifest | None = None
    blocked: str | None = None
    problems: tuple[str, ...] = ()


class Descriptions:
    """The manifests of one host's backends."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._lock = Lock()
        self._found: dict[Source, Description] = {}
        self._told: set[tuple[Source, str]] = set()
        self._wrong: set[Source] = set()

    def read(self, verdict: Verdict, blocked: frozenset[str]) -> Description:
        """Read the manifest of a backend that is not refused; none of the backend's code runs."""
        source = verdict.candidate.source
        found = self._found.get(source)
        if found is None:
            # Not within the lock: to find the file, the import system is asked.
            found = self._found.setdefault(source, self._read(verdict, blocked))
        return found

    def forget(self) -> None:
        """Have every manifest read anew."""
        with self._lock:
            self._found, self._told, self._wrong = {}, set(), set()

    def untold(self, candidate: Candidate, problems: Iterable[str]) -> list[str]:
        """Leave out the problems that were told before."""
        with self._lock:
            new = [p for p in problems if (candidate.source, p) not in self._told]
            self._told.update((candidate.source, problem) for problem in new)
        return new

    def compare(self, loaded: LoadedBackend) -> str | None:
        """Tell in what a manifest is wrong about the adapter itself."""
        said = self._said_of(loaded)
        if said is None:
            return None
        pairs: dict[str, tuple[Any, Any]] = {
            "name": (said.name, loaded.name),
            "aliases": (sorted(said.aliases), sorted(map(str, loaded.aliases))),
            "renames": (_plain(said.renames), _plain(loaded.renames)),
        }
        wrong = [what for what, (theirs, ours) in pairs.items() if theirs != ours]
        if not wrong:
            return None
        theirs, ours = pairs[wrong[0]]
        return self._disagrees(loaded, f"has the {wrong[0]} {theirs!r}, and the adapter {ours!r}")

    def compare_function(self, loaded: LoadedBackend, name: str, found: Any) -> str | None:
        """Tell in what a manifest is wrong about one function of the adapter."""
        said = self._said_of(loaded)
        if said is None:
            return None
        from .offers import disagreement

        problem = disagreement(said.offers.get(name), found)
        return self._disagrees(loaded, f"{problem} for {name!r}") if problem else None

    def _said_of(self, loaded: LoadedBackend) -> Manifest | None:
        """Give the manifest of a loaded backend, unless it is known to be wrong."""
        source = loaded.source
        described = self._found.get(source) if source and source not in self._wrong else None
        return described.manifest if described else None

    def _disagrees(self, loaded: LoadedBackend, problem: str) -> str:
        """Say it, and take nothing more from this manifest."""
        source = cast("Source", loaded.source)
        self._wrong.add(source)
        return (
            f"its manifest {problem}. The adapter is right; whoever maintains it mends that with: "
            f"scverse-backends manifest write {source.value}"
        )

    def _read(self, verdict: Verdict, blocked: frozenset[str]) -> Description:
        # Imported here: most runs never need a manifest, and hosts pay for imports.
        from .manifest import ManifestError

        try:
            found = _stand_in(verdict.candidate)
        except ManifestError as error:
            return _unusable(f"its manifest {error}")
        except AdapterError as error:
            return _unusable(f"its manifest says what no adapter may: {error}")
        if found is None:
            return Description()
        manifest, backend = found
        claims = review(self._configuration, verdict, backend, blocked)
        if claims.is_blocked:
            return Description(blocked=claims.refused)
        if claims.refused:
            return _unusable(f"its manifest claims what is not its own: {claims.refused}")
        accepted = backend.under(backend.name, claims.aliases)
        return Description(accepted, manifest, problems=claims.problems)


def _stand_in(candidate: Candidate) -> tuple[Manifest, LoadedBackend] | None:
    """Make the backend that a candidate's manifest describes, if it ships one."""
    from .manifest import find, parse
    from .stand_in import stand_in

    data = find(candidate)
    manifest = None if data is None else parse(data)
    if manifest is None or manifest.adapter not in (None, candidate.value):
        return None
    adapter, described = stand_in(manifest)
    return manifest, describe(adapter, candidate, described)


def _unusable(problem: str) -> Description:
    return Description(problems=(f"{problem}. The adapter is asked instead.",))


def _plain(renames: Any) -> dict[str, dict[str, str]]:
    return {function: dict(pairs) for function, pairs in renames.items()}
