"""The index of labels: what each label names, among entries in one fixed order.

An entry point's name belongs to that entry point, ahead of what any adapter
calls itself. Of several adapters that claim one label, the first in the order
has it: those with a manifest, then those without. So a label means the same
whatever was loaded before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from scverse_backends._ground.callables import once
from scverse_backends._ground.labels import fault, fold
from scverse_backends._ground.records import LoadedBackend, release
from scverse_backends.exceptions import BackendError, UntrustedBackendError

from .facts import difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from scverse_backends._ground.records import BackendState, Candidate, Source, Verdict

    from .manifest import Manifest
    from .reading import Outcome, Reading


class Installed:
    """One installed adapter as far as it is known; several entry points may lead to it.

    Attributes
    ----------
    source
        What is loaded.
    names
        Its entry points that the host does not refuse.
    trusted_as
        The trusted names that they serve.
    claims
        The labels that the adapter, or its manifest, claims, by their folded form; its name first.
    backend
        The backend as it was loaded, or else as its manifest describes it.
    is_read
        Whether it is known what the manifest says, if there is one.
    by_manifest
        What the manifest gave: a backend, or why none may be used; ``None`` without a usable one.
    manifest
        The manifest, unless it is known to be wrong.
    error
        What the last try to load it raised. It is shown, and the next use tries again.
    problems
        What there is to warn of, and whether that was done.
    """

    def __init__(self, source: Source | None) -> None:
        self.source = source
        self.names: tuple[str, ...] = ()
        self.trusted_as: frozenset[str] = frozenset()
        self.backend: LoadedBackend | None = None
        self.claims: dict[str, str] = {}
        self.forget()

    def forget(self) -> None:
        """Forget what may have changed on disk; what is loaded stays."""
        if not self.is_loaded:
            self.backend, self.claims = None, {}
        self.is_read = False
        self.by_manifest: Outcome | None = None
        self.manifest: Manifest | None = None
        self.error: BackendError | None = None
        self.problems: dict[str, bool] = {}

    @property
    def is_loaded(self) -> bool:
        """Whether the backend is the loaded one."""
        return self.backend is not None and self.backend.described is None

    @property
    def usable(self) -> LoadedBackend | None:
        """The backend, unless the last try to load it failed."""
        return None if self.error else self.backend

    @property
    def has_manifest(self) -> bool:
        """Whether a manifest says what its labels are."""
        return isinstance(self.by_manifest, LoadedBackend)

    @property
    def state(self) -> BackendState:
        """How far it came."""
        if isinstance(self.error, UntrustedBackendError):
            return "refused"
        return "broken" if self.error else "loaded" if self.is_loaded else "installed"

    def take(self, outcome: Outcome) -> None:
        """Take in what loading, or its manifest, gave."""
        if isinstance(outcome, BackendError):
            self.error = outcome
            if isinstance(outcome, UntrustedBackendError):
                self.backend, self.claims = None, {}
            return
        self.claims = _claims(outcome)
        if outcome.described is None:
            self.error = None
            problem = difference(self.by_manifest, outcome) if self.manifest else None
            self.note([self._distrust(problem)] if problem else [])

    def keep_reading(self, reading: Reading) -> bool:
        """Keep what the manifest says, unless another thread read it before."""
        if self.is_read:
            return False
        self.by_manifest, problems, self.manifest = reading
        self.is_read = True
        self.note(problems)
        return True

    def note(self, problems: Iterable[str]) -> None:
        """Remember what there is to warn of."""
        for problem in problems:
            self.problems.setdefault(problem, False)

    def take_untold(self) -> list[str]:
        """Give what there is to warn of, and was not given before."""
        new = [problem for problem, told in self.problems.items() if not told]
        self.problems.update(dict.fromkeys(new, True))
        return new

    def note_upgrade(self, candidate: Candidate) -> None:
        """Remember to warn if another version is loaded than is installed by now."""
        loaded = self.backend
        if loaded is not None and loaded.version != candidate.version:
            now = release(candidate.distribution, candidate.version)
            problem = (
                f"{now} is installed, and {loaded.version} is loaded. Restart Python to use it"
            )
            self.note([problem])

    def compare_function(self, name: str, found: Any) -> str | None:
        """Tell in what the manifest is wrong about one function of the loaded adapter."""
        if self.manifest is None or not self.is_loaded:
            return None
        from .offers import disagreement

        problem = disagreement(self.manifest.offers.get(name), found)
        return self._distrust(f"{problem} for {name!r}") if problem else None

    def _distrust(self, problem: str) -> str:
        """Say what a manifest is wrong about, and take nothing more from it."""
        self.manifest = None
        source = cast("Source", self.source)
        return (
            f"its manifest {problem}. The adapter is used. If you maintain "
            f"{source.distribution}, run: scverse-backends manifest write {source.value}"
        )


class Entry(NamedTuple):
    """One entry point: the verdict on it, and what is known of the adapter that it leads to."""

    verdict: Verdict
    installed: Installed


class Label(NamedTuple):
    """One label as it was written, and the entry that it names.

    A distribution's name is a label too. It is only listed where no other tells two apart.
    """

    written: str
    entry: Entry
    is_listed: bool = True


class LabelIndex:
    """What every label of the installed backends names.

    Parameters
    ----------
    verdicts
        What is installed, in the order of candidates.
    known
        What is known of it from before.
    """

    def __init__(self, verdicts: Sequence[Verdict], known: Mapping[Source, Installed]) -> None:
        groups: dict[Source, list[Verdict]] = {}
        for verdict in verdicts:
            groups.setdefault(verdict.candidate.source, []).append(verdict)
        self.installed = {source: known.get(source) or Installed(source) for source in groups}
        self.entries = tuple(Entry(v, self.installed[v.candidate.source]) for v in verdicts)
        self._usable = [entry for entry in self.entries if not entry.verdict.refused]
        self.ambiguous = _ambiguous(self._usable)
        self.named = self._by_name()
        self.reorder()
        for source, installed in self.installed.items():
            served = [verdict for verdict in groups[source] if not verdict.refused]
            installed.names = tuple(verdict.candidate.name for verdict in served)
            installed.trusted_as = frozenset(n for verdict in served for n in verdict.trusted_as)
            installed.note_upgrade(groups[source][0].candidate)
            if installed.backend is not None:
                installed.backend = self._named(installed, installed.backend)

    def _by_name(self) -> dict[str, Label]:
        """Give the labels that are names of entry points, or else of distributions.

        They come before what adapters call themselves. Of several with one name, what is not
        refused comes first, then what the host trusts.
        """
        found: dict[str, Label] = {}
        order = sorted(
            self.entries, key=lambda e: (bool(e.verdict.refused), not e.verdict.trusted_as)
        )
        for entry in order:
            name = entry.verdict.candidate.name
            if not fault(name):
                found.setdefault(fold(name), Label(name, entry))
        for folded, entry in _distributions(self._usable).items():
            is_listed = fold(entry.verdict.candidate.name) in self.ambiguous
            written = str(entry.verdict.candidate.distribution)
            found.setdefault(folded, Label(written, entry, is_listed))
        return found

    def reorder(self) -> None:
        """Work out anew what labels name, now that more is known of a backend."""
        self.view = View(self)

    def in_order(self) -> list[Entry]:
        """List the entries that are not refused, in the order in which they are asked."""
        return sorted(self._usable, key=lambda entry: not entry.installed.has_manifest)

    def labels_of(self, installed: Installed) -> tuple[str, ...]:
        """List the labels that name one adapter, as they were written."""
        return tuple(self.view.by_adapter.get(installed, ()))

    def put(self, installed: Installed, outcome: Outcome) -> bool:
        """Take in what loading, or a manifest, gave.

        Returns
        -------
        Whether a label names another backend than before.
        """
        installed.take(outcome)
        self.reorder()
        if isinstance(outcome, BackendError):
            return False
        shared = {*installed.claims}
        rivals = [one for one in self.installed.values() if not shared.isdisjoint(one.claims)]
        for one in dict.fromkeys((installed, *rivals)):
            one.note(self._conflicts(one))
            backend = outcome if one is installed else one.backend
            one.backend = self._named(one, cast("LoadedBackend", backend))
        return len(rivals) > 1

    def _named(self, installed: Installed, backend: LoadedBackend) -> LoadedBackend:
        """Give a backend a canonical name that names it: its own, or else another of its labels."""
        own = next(iter(installed.claims.values()))
        labels = self.labels_of(installed)
        if fold(own) not in map(fold, labels):
            own = next(iter(labels), own)
        return backend if backend.name == own else backend.under(name=own)

    def _conflicts(self, installed: Installed) -> Iterator[str]:
        """Say which labels of an adapter name another one."""
        labels = {fold(label): label for label in (*installed.names, *installed.claims.values())}
        for folded, label in labels.items():
            holder = self.view.labels.get(folded)
            if holder is not None and holder.entry.installed is not installed:
                other = holder.entry.verdict.candidate
                yield (
                    f"{release(other.distribution, other.version)} also provides a backend named "
                    f"{label!r} and keeps the name"
                )


class View:
    """What follows from all that is known by now, worked out when it is first asked for."""

    def __init__(self, index: LabelIndex) -> None:
        self._index = index

    @once
    def labels(self) -> dict[str, Label]:
        """Give every label that is known so far and names a usable backend, by its folded form."""
        index = self._index
        # An impostor does not keep a trusted name from what serves it.
        found = {f: one for f, one in index.named.items() if not one.entry.verdict.impostor}
        for entry in index.in_order():
            for folded, written in entry.installed.claims.items():
                label = found.get(folded)
                is_own = label is not None and label.entry.installed is entry.installed
                if label is None or (is_own and not label.is_listed):
                    found[folded] = Label(written, entry)
        return {
            folded: label
            for folded, label in found.items()
            if folded not in index.ambiguous and not label.entry.verdict.refused
        }

    @once
    def by_adapter(self) -> dict[Installed, list[str]]:
        """List the labels that name each adapter, as they were written."""
        found: dict[Installed, list[str]] = {}
        for label in self.labels.values():
            if label.is_listed:
                found.setdefault(label.entry.installed, []).append(label.written)
        return found


def _claims(backend: LoadedBackend) -> dict[str, str]:
    claims: dict[str, str] = {}
    for label in backend.labels:
        claims.setdefault(fold(label), label)
    return claims


def _distributions(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Give the one adapter of each distribution that has one, by the distribution's name."""
    named = _grouped(entries, lambda candidate: candidate.distribution)
    return {
        folded: found[0]
        for folded, found in named.items()
        if len({entry.verdict.candidate.source for entry in found}) == 1
    }


def _ambiguous(entries: Iterable[Entry]) -> dict[str, list[Candidate]]:
    """Give the entry-point names that several distributions have, and the host trusts none of them."""
    # What is damaged comes behind any other.
    named = _grouped(entries, lambda c: c.name if c.distribution and c.value else None)
    return {
        folded: [entry.verdict.candidate for entry in found]
        for folded, found in named.items()
        if len({fold(str(entry.verdict.candidate.distribution)) for entry in found}) > 1
        and not any(entry.verdict.trusted_as for entry in found)
    }


def _grouped(
    entries: Iterable[Entry], name: Callable[[Candidate], str | None]
) -> dict[str, list[Entry]]:
    """Collect the entries that have one name, by its folded form."""
    named: dict[str, list[Entry]] = {}
    for entry in entries:
        label = name(entry.verdict.candidate)
        if not fault(label):
            named.setdefault(fold(str(label)), []).append(entry)
    return named
