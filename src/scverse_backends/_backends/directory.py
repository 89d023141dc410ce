"""The directory: which loaded backend answers to which label.

A label belongs to one backend, and to the same one whatever was loaded
before: an entry point's name belongs to that entry point, ahead of what any
adapter calls itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scverse_backends._ground.labels import fault, key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scverse_backends._ground.records import Candidate, LoadedBackend, Source


class Directory:
    """The labels of the installed backends that are loaded."""

    def __init__(self) -> None:
        self._holders: dict[str, LoadedBackend] = {}
        self._written: dict[str, str] = {}
        self._entered: dict[Candidate, LoadedBackend] = {}
        self._backends: dict[LoadedBackend, None] = {}

    def find(self, folded: str) -> LoadedBackend | None:
        """Give the backend that answers to a folded label."""
        return self._holders.get(folded)

    def name_of(self, candidate: Candidate) -> str:
        """Tell what an entry point's backend goes by; its own name until it is loaded."""
        entered = self._entered.get(candidate)
        return entered.name if entered else candidate.name

    def labels(self) -> tuple[str, ...]:
        """List every label that is answered to, as it was written."""
        return tuple(self._written.values())

    def labels_of(self, backend: LoadedBackend) -> tuple[str, ...]:
        """List the labels that one backend answers to, as they were written."""
        return tuple(self._written[k] for k, holder in self._holders.items() if holder is backend)

    def backends(self) -> tuple[LoadedBackend, ...]:
        """List the backends that answer to a label, each once."""
        return tuple(self._backends)

    def holds(self, backend: LoadedBackend) -> bool:
        """Whether a backend answers to a label."""
        return backend in self._backends

    def enter(
        self, loaded: LoadedBackend, candidate: Candidate, owners: Mapping[str, Source]
    ) -> tuple[LoadedBackend, list[str]]:
        """Enter a backend, once for each of its entry points.

        Parameters
        ----------
        loaded
            The backend as its adapter describes it.
        candidate
            The entry point through which it was loaded.
        owners
            Whose each entry point's name is, by its folded form.

        Returns
        -------
        The backend under a name that is its own, and a sentence for each label it does not get.
        """
        known = self._entered.get(candidate)
        if known is not None:
            return known, []
        free: dict[str, None] = {}
        problems = []
        for label in dict.fromkeys((candidate.name, loaded.name, *loaded.aliases)):
            holder = None if fault(label) else self._holder(label, candidate, owners)
            if holder:
                problems.append(f"the label {label!r} stays with {holder}")
            elif not fault(label):
                free[label] = None
        backend = self._adopt(loaded, candidate, free)
        return backend, problems

    def _holder(self, label: str, candidate: Candidate, owners: Mapping[str, Source]) -> str | None:
        """Name whoever else a label belongs to."""
        holder = self._holders.get(key(label))
        if holder is not None and holder.source != candidate.source:
            return f"{holder.name!r} of {holder.distribution}"
        owner = owners.get(key(label))
        if owner is not None and owner != candidate.source:
            return f"the entry point {label!r} of {owner.distribution}"
        return None

    def _adopt(
        self, loaded: LoadedBackend, candidate: Candidate, free: dict[str, None]
    ) -> LoadedBackend:
        """Give a backend its labels, and a canonical name among them."""
        sibling = next((b for b in self.backends() if b.source == candidate.source), None)
        name = loaded.name if loaded.name in free else next(iter(free), loaded.name)
        backend = sibling or loaded.under(name, loaded.aliases)
        if free:
            self._backends[backend] = None
        for label in free:
            self._holders.setdefault(key(label), backend)
            self._written.setdefault(key(label), label)
        self._entered[candidate] = backend
        return backend
