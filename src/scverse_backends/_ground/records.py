"""Frozen records that travel between the rooms; no behaviour beyond reading them.

They are named tuples: a host pays for this module at import, and a named
tuple costs a sixth of what a frozen dataclass does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from .rendering import Page

ABSENT: Any = object()
"""Stands for what is not there: a default, an attribute, an implementation."""

RefusalKind = Literal["cannot-run", "should-not-run", "left-out"]
BackendState = Literal["installed", "loaded", "broken", "refused", "registered"]


class Source(NamedTuple):
    """What an entry point leads to, in whichever version; two entry points may lead to one adapter."""

    value: str
    distribution: str | None


class Candidate(NamedTuple):
    """An entry point as its metadata describes it, not imported.

    Parameters
    ----------
    name
        Name of the entry point.
    value
        Its object reference, ``package.module`` or ``package.module:attribute``.
    distribution, version
        The installed distribution that declares it, where its metadata says.
    """

    name: str
    value: str
    distribution: str | None
    version: str | None

    @property
    def module(self) -> str:
        """What is imported for it."""
        return self.value.partition(":")[0].strip()

    @property
    def source(self) -> Source:
        """What is loaded through it."""
        return Source(self.value, self.distribution)


class Verdict(NamedTuple):
    """What the host thinks of a candidate, from metadata alone."""

    candidate: Candidate
    trusted_as: tuple[str, ...] = ()
    refused: str | None = None
    impostor: bool = False


class LoadedBackend:
    """An adapter, and what it says of itself; compared by identity.

    Attributes
    ----------
    described
        Of one that is not loaded, by dispatch name, what its manifest describes;
        ``None`` in place of what only the adapter's stand-in can show.
    code
        The candidate as the code tells that was loaded, where that is of an older release.
    """

    name: str
    aliases: tuple[str, ...]
    renames: Mapping[str, Mapping[str, str]]
    fixed: Mapping[str, Mapping[str, Any]]
    can_run: Callable[[str, dict[str, Any]], object] | None
    should_run: Callable[[str, dict[str, Any]], object] | None

    def __init__(
        self,
        adapter: Any,
        candidate: Candidate | None,
        described: Mapping[str, Any] | None,
        facts: Mapping[str, Any],
    ) -> None:
        self.adapter = adapter
        self.candidate = candidate
        self.described = described
        self.code: Candidate | None = None
        # Not by way of `__dict__`: Python would read them at half the speed ever after.
        for name, value in facts.items():
            setattr(self, name, value)

    def under(self, **facts: Any) -> LoadedBackend:
        """Give the same backend with other facts, such as another name."""
        everything = vars(self) | facts
        return LoadedBackend(self.adapter, self.candidate, self.described, everything)

    @property
    def labels(self) -> tuple[str, ...]:
        """What it claims to be called, its name first."""
        return (self.name, *self.aliases)

    @property
    def source(self) -> Source | None:
        """What was loaded; ``None`` for one registered in this process."""
        return self.candidate.source if self.candidate else None

    @property
    def distribution(self) -> str | None:
        """Name of the installed distribution; ``None`` for one registered in this process."""
        candidate = self.code or self.candidate
        return candidate.distribution if candidate else None

    @property
    def version(self) -> str | None:
        """Version of that distribution; of the code that runs, after an upgrade."""
        candidate = self.code or self.candidate
        return candidate.version if candidate else None


class BackendInfo(NamedTuple):
    """One backend as `BackendDispatcher.backends` lists it.

    Parameters
    ----------
    name
        Canonical name where it is known without an import, else the entry point's.
    state
        ``"installed"`` (not imported), ``"loaded"``, ``"broken"``, ``"refused"``
        or ``"registered"`` (in this process).
    trusted
        Whether the host trusts it.
    distribution, version
        What is installed.
    entry_point
        Its object reference.
    reason
        Why it is broken or refused.
    """

    name: str
    state: BackendState
    trusted: bool
    distribution: str | None
    version: str | None
    entry_point: str | None
    reason: str | None = None


class Refusal(NamedTuple):
    """One backend's "no" to one call, with a reason that completes "backend ...".

    Parameters
    ----------
    backend
        Name of the backend.
    reason
        Why it does not run the call.
    """

    backend: str
    reason: str

    @property
    def kind(self) -> RefusalKind:
        """``"cannot-run"``, ``"should-not-run"`` if it could, ``"left-out"`` if it is optional."""
        return _KINDS[type(self)]


class Preference(Refusal):
    """The "no" of a backend that could run a call and had better not; the next choice runs it."""

    __slots__ = ()


class Omission(Refusal):
    """An optional backend that is left out of a selection here, so no call comes to it."""

    __slots__ = ()


_KINDS: dict[type[Refusal], RefusalKind] = {
    Refusal: "cannot-run",
    Preference: "should-not-run",
    Omission: "left-out",
}


def refusal_of_kind(kind: RefusalKind, backend: str, reason: str) -> Refusal:
    """Make the "no" that says of itself that it is of a kind."""
    found = next(one for one, its_kind in _KINDS.items() if its_kind == kind)
    return found(backend, reason)


class DefaultDifference(NamedTuple):
    """A parameter the caller left out, whose defaults differ between host and backend.

    Parameters
    ----------
    parameter
        Its name, as the host has it.
    host, backend
        The default of each.
    """

    parameter: str
    host: Any
    backend: Any


class Decision(NamedTuple):
    """Where one call runs, and why.

    Parameters
    ----------
    function
        Dispatch name of the function.
    backend
        Canonical name of the backend; ``"cpu"`` for the host's own code.
    distribution, version
        The installed distribution of that backend; ``None`` for the host.
    reason
        Why it runs there.
    refusals
        Who was asked before and could not take the call; first, who is left out here.
    ignored
        Arguments given that do not reach the backend, named ignorable by the host.
    renamed
        Arguments that reach the backend under another name, as ``(given, received)``.
    forwarded
        Names of the arguments that reach whoever runs the call.
    differing_defaults
        Parameters left out, whose default on the backend is not the host's.
    is_fallback
        Whether the host is to run it although only backends were selected.
    options
        What the block gives the call: options of the backend, which the call itself left out.
    missing_members
        Where it constructs a class: what the host's class has and the backend's
        lacks, ``"score"`` or, of a method's parameters, ``"score(strict)"``.
    is_stopped
        Whether ``fallback="error"`` stops it before anything runs.
    """

    function: str
    backend: str
    distribution: str | None
    version: str | None
    reason: str
    refusals: tuple[Refusal, ...] = ()
    ignored: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    forwarded: tuple[str, ...] = ()
    differing_defaults: tuple[DefaultDifference, ...] = ()
    is_fallback: bool = False
    options: tuple[tuple[str, Any], ...] = ()
    missing_members: tuple[str, ...] = ()
    is_stopped: bool = False

    def __repr__(self) -> str:
        return str(decision_page(self))

    def _repr_html_(self) -> str:
        return decision_page(self)._repr_html_()


def decision_page(decision: Decision) -> Page:
    """Say where a call runs, and why."""
    # Imported here: only a decision that is shown pays for it.
    from .rendering import Page

    renamed = ", ".join(f"{ours} as {theirs}" for ours, theirs in decision.renamed)
    lacks = ", ".join(decision.missing_members)
    facts = [("because", decision.reason), *remarks(decision)]
    facts += [fact for fact in (("renamed", renamed), ("lacks", lacks)) if fact[1]]
    where = "cpu, the host itself" if decision.backend == "cpu" else ran_on(decision)
    return Page(f"{decision.function} runs on {where}", tuple(facts))


def as_objects(value: Any) -> Any:
    """Turn records into dictionaries, which JSON writes as objects that say what is what."""
    if isinstance(value, dict):
        return {name: as_objects(held) for name, held in value.items()}
    if isinstance(value, (list, tuple)):
        record = getattr(value, "_asdict", None)
        return as_objects(record()) if record else [as_objects(held) for held in value]
    return value


def release(distribution: str | None, version: str | None) -> str:
    """Name a distribution and its version."""
    return " ".join(filter(None, (distribution, version))) or "an unnamed distribution"


def origin(backend: BackendInfo) -> str:
    """Name what is installed of a backend, unless it is of this process only."""
    if backend.state == "registered":
        return "this process"
    return release(backend.distribution, backend.version)


def asked_of(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """Give the refusals of backends that a call came to, without those that were left out."""
    return tuple(refusal for refusal in refusals if not isinstance(refusal, Omission))


def reasons(refusals: Iterable[Refusal]) -> str:
    """List the backends that could not take a call, each with its reason."""
    return "; ".join(f"{refusal.backend!r} {refusal.reason}" for refusal in refusals)


def ran_on(decision: Any) -> str:
    """Name the backend of a decision or trace record, and what is installed of it."""
    if decision.distribution is None:
        return str(decision.backend)
    return f"{decision.backend} ({release(decision.distribution, decision.version)})"


def as_given(options: Iterable[tuple[str, Any]]) -> list[str]:
    """Write options as a call gives them."""
    from .safe_repr import short_repr

    return [f"{name}={short_repr(value)}" for name, value in options]


def remarks(decision: Any) -> Iterator[tuple[str, str]]:
    """Say what may make a result differ from the expected one."""
    from .safe_repr import short_repr

    for refusal in decision.refusals:
        word = "left out" if isinstance(refusal, Omission) else "skipped"
        yield word, f"{refusal.backend}: {refusal.reason}"
    if decision.options:
        yield "options", f"{', '.join(as_given(decision.options))} (given by the block)"
    if decision.ignored:
        yield "ignored", ", ".join(decision.ignored)
    for one in decision.differing_defaults:
        yield "default", f"{one.parameter}={short_repr(one.backend)} (host: {short_repr(one.host)})"
