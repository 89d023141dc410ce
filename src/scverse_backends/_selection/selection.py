"""What a selection is: an ordered choice of backends, for every function or for some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.labels import CPU
from scverse_backends._ground.records import Omission

if TYPE_CHECKING:
    from collections.abc import Callable

    from scverse_backends._backends.configuration import FallbackPolicy
    from scverse_backends._ground.records import LoadedBackend

CALL = "the call's own argument"
"""The origin of what one call selects."""

BLOCK = "use_backend"
"""The origin of what a block selects."""

PROCESS = "settings.backend"
"""The origin of what is set for the whole process."""

SNAPSHOT = "a snapshot"
"""The origin of what a snapshot selects."""


class Pick(NamedTuple):
    """One choice of a selection.

    Parameters
    ----------
    name
        Canonical name of the backend; the label as it was written where that is left out.
    backend
        What runs; ``None`` for the host.
    is_optional
        Whether it is left out where it cannot be had.
    left_out
        Why it is left out here; completes "backend ...".
    failed
        Whether it is left out because it did not load, which may go well the next time.
    """

    name: str
    backend: LoadedBackend | None
    is_optional: bool = False
    left_out: str | None = None
    failed: bool = False


class Rule(NamedTuple):
    """What is selected for the functions that a key fits.

    Parameters
    ----------
    key
        A dispatch name, or a pattern over dispatch names.
    picks
        In order of preference. Where all of them are left out, the next rule holds.
    origin
        Where it was written, in words.
    options
        Options of backends that the calls are given, by name.
    """

    key: str
    picks: tuple[Pick, ...]
    origin: str | None
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Canonical names of what is not left out."""
        return tuple(pick.name for pick in self.picks if pick.left_out is None)


class Selection:
    """An ordered choice of backends and a fallback policy; compared by identity, so made once.

    Attributes
    ----------
    picks
        Every choice, also those that are left out.
    backends
        In order of preference; ``None`` is the host.
    names
        Their canonical names; ``"cpu"`` is the host's.
    is_host
        Whether the host is the first choice, for every function.
    fallback
        The policy of this selection; ``None`` for the process-wide one.
    origin
        Where the choice was made, in words; ``None`` where none was made.
    rules
        What is selected for some functions only; the first that fits holds.
    options
        Options of backends that the calls of one function are given.
    """

    __slots__ = (
        "_of", "backends", "fallback", "is_host", "names", "options", "origin", "picks", "rules",
    )  # fmt: skip

    def __init__(
        self,
        picks: tuple[Pick, ...],
        fallback: FallbackPolicy | None,
        origin: str | None,
        rules: tuple[Rule, ...] = (),
        options: tuple[tuple[str, Any], ...] = (),
    ) -> None:
        self.picks = picks
        there = [pick for pick in picks if pick.left_out is None]
        self.backends = tuple(pick.backend for pick in there)
        self.names = tuple(pick.name for pick in there)
        self.is_host = self.backends[:1] == (None,) and not rules
        self.fallback: FallbackPolicy | None = fallback
        self.origin = origin
        self.rules = rules
        self.options = options
        self._of: dict[str, Selection] = {}

    @property
    def omitted(self) -> tuple[Omission, ...]:
        """What is left out, with the reason."""
        return tuple(Omission(pick.name, pick.left_out) for pick in self.picks if pick.left_out)

    @property
    def is_kept(self) -> bool:
        """Whether the same choice gives the same object; options need not be comparable."""
        return not any(rule.options for rule in self.rules)

    @property
    def has_failed(self) -> bool:
        """Whether a backend of it did not load; it is tried again when it is named again."""
        return any(pick.failed for pick in self.every_pick)

    @property
    def every_pick(self) -> tuple[Pick, ...]:
        """The choices, those of functions too."""
        return (*self.picks, *(pick for rule in self.rules for pick in rule.picks))

    @property
    def rules_by_key(self) -> dict[str, Rule]:
        """The rule of each key that holds: the first of which something is not left out."""
        found: dict[str, Rule] = {}
        for rule in self.rules:
            if rule.names:
                found.setdefault(rule.key, rule)
        return found

    def may_lack(self, backend: LoadedBackend) -> bool:
        """Whether a backend of it is optional, and so left out once it is gone."""
        return any(pick.is_optional and pick.backend is backend for pick in self.picks)

    def options_beside(self, other: Selection) -> tuple[Rule, ...]:
        """Give the options that another selection lacks, of functions that it leaves where they are."""
        return tuple(
            rule
            for rule in self.rules
            if rule.options
            and rule.picks == other.of(rule.key).picks
            and not any(rule is one for one in other.rules)
        )

    def of(self, function: str) -> Selection:
        """Give what is selected for one function."""
        if not self.rules:
            return self
        found = self._of.get(function)
        return found or self._of.setdefault(function, self._find(function))

    def _find(self, function: str) -> Selection:
        from fnmatch import fnmatchcase

        lost: tuple[Pick, ...] = ()
        for rule in self.rules:
            if fnmatchcase(function, rule.key):
                picks = lost + rule.picks
                if rule.names:
                    return Selection(picks, self.fallback, rule.origin, options=rule.options)
                lost = picks
        return Selection(lost + self.picks, self.fallback, self.origin)


class Missing(Selection):
    """Stands for a selection that could not be found here; each call that needs it looks again.

    Attributes
    ----------
    find
        Gives the selection, or raises what is in its way.
    """

    __slots__ = ("find",)

    def __init__(self, find: Callable[[], Selection], fallback: FallbackPolicy) -> None:
        super().__init__((), fallback, None)
        self.find = find


CPU_PICK = Pick(CPU, None)
"""The choice of the host."""

HOST = Selection((CPU_PICK,), None, None)
"""What holds until anything is selected."""
