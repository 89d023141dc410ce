"""Running a host's own tests under a backend: a loopback to run them on, and what such a run found."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._backends.facts import ABOUT_ITSELF
from scverse_backends._backends.registry import Registration  # noqa: TC001 - typing.get_type_hints finds it here
from scverse_backends._ground.callables import signature_of
from scverse_backends._ground.records import origin
from scverse_backends._ground.rendering import aligned
from scverse_backends._routing.routes import MISSING
from scverse_backends._routing.suspended import mark_as_coroutine_function
from scverse_backends._selection.blocks import DISPATCH
from scverse_backends.dispatcher import BackendDispatcher  # noqa: TC001 - typing.get_type_hints finds it here

if TYPE_CHECKING:
    from scverse_backends._backends.configuration import FallbackPolicy
    from scverse_backends._display.trace import TraceRecord
    from scverse_backends._ground.records import BackendInfo

LOOPBACK = "loopback"
COLUMNS = {"ran": "ran", "raised": "raised", "fell_back": "fell back", "host": "host"}
"""The counts that are shown, and their headings."""

COUNTED = (*COLUMNS, "missing")


def loopback(dispatcher: BackendDispatcher) -> Registration:
    """Register a backend ``"loopback"`` that runs the host's own code.

    Its calls are dispatched as calls of any backend are. A host whose tests
    pass with it as without it knows that dispatch changes none of its results.

    Parameters
    ----------
    dispatcher
        The host's dispatcher. What it decorates later is offered too.

    Returns
    -------
    Registration
        A context manager that ends the registration. It selects nothing.

    Raises
    ------
    BackendConfigurationError
        If the host reserves the label, or it is registered already.

    Examples
    --------
    >>> from scverse_backends import BackendDispatcher
    >>> from scverse_backends.testing import loopback
    >>> dispatcher = BackendDispatcher(
    ...     entrypoint_group="example.backends", host_name="example"
    ... )
    >>> @dispatcher.backend_dispatch
    ... def double(values):
    ...     return [2 * value for value in values]
    >>> with loopback(dispatcher), dispatcher.settings.use_backend("loopback"):
    ...     print(dispatcher.settings.explain(double, [1, 2]).backend)
    ...     print(double([1, 2]))
    loopback
    [2, 4]
    """
    return dispatcher.register(_Adapter(dispatcher.dispatched))


class _Namespace:
    """Offers the functions below one prefix of the dispatch names; each is made once."""

    def __init__(self, dispatched: Mapping[str, Callable[..., Any]], prefix: str = "") -> None:
        self._dispatched = dispatched
        self._prefix = prefix

    def __getattr__(self, name: str) -> Any:
        path = f"{self._prefix}{name}"
        dispatched = {} if path in ABOUT_ITSELF else self._dispatched
        if path in dispatched:
            found = _stand_in(dispatched[path])
        elif any(known.startswith(f"{path}.") for known in dispatched):
            found = _Namespace(self._dispatched, f"{path}.")
        else:
            msg = f"no dispatched function is called {path!r}"
            raise AttributeError(msg, name=name, obj=self)
        setattr(self, name, found)
        return found


class _Adapter(_Namespace):
    """The adapter of the loopback."""

    name = LOOPBACK

    @property
    def __all__(self) -> list[str]:
        return [name for name in self._dispatched if name.partition(".")[0] not in ABOUT_ITSELF]


def _stand_in(public: Any) -> Any:
    """Make another function or class that runs the host's own code."""
    own = getattr(public, DISPATCH).function.func
    if inspect.isclass(public):
        return _constructor(public, own)

    @wraps(own)
    def run(*args: Any, **kwargs: Any) -> Any:
        return own(*args, **kwargs)

    if inspect.iscoroutinefunction(own):
        mark_as_coroutine_function(run)
    return run


def _constructor(public: type, own: Callable[..., Any]) -> type:
    """Make a class that constructs objects of the host's class."""

    def construct(cls: type, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG001 - what __new__ gets
        return own(*args, **kwargs)

    namespace = {"__new__": construct, "__signature__": signature_of(own)}
    return type(public.__name__, (), {**namespace, "__doc__": public.__doc__})


class Expectation(NamedTuple):
    """What a backend's author says of some of the host's tests.

    Parameters
    ----------
    pattern
        The end of their node ids, from the beginning of the name of a folder,
        file, class or function; ``*`` matches anything. A folder, file or class
        means all tests in it. A function means all of its parameters.
    reason
        Why they are expected to fail, or do not apply.
    """

    pattern: str
    reason: str

    def matches(self, node: str) -> bool:
        """Whether a test is one of them."""
        # The brackets of a parametrized test mean themselves.
        literal = self.pattern.replace("[", "[[]").rstrip("/")
        heads, tails = ("", "*/", "*::"), ("", "/*", "::*", "[[]*")
        return any(
            re.match(translate(f"{head}{literal}{tail}"), node) for head in heads for tail in tails
        )


def first_matching(expectations: Iterable[Expectation], node: str) -> Expectation | None:
    """Find what is known of a test."""
    return next((found for found in expectations if found.matches(node)), None)


def expectations(lines: Iterable[str]) -> list[Expectation]:
    """Read lines such as ``test_pca.py::test_signs - components may point the other way``."""
    parts = (line.partition(" - ") for line in lines)
    return [Expectation(pattern.strip(), reason.strip()) for pattern, _, reason in parts]


class Tally(dict[str, dict[str, Any]]):
    """Counts by function: how many of its calls ran on the backend, raised there, and so on.

    ``ran`` and ``raised`` count calls on the backend, ``fell_back`` calls that
    the host ran in its place, ``host`` those that were meant for the host.
    ``missing`` counts calls that no backend implements, without those that a
    backend's own code made. ``declined`` counts calls by the backend's reason.
    It holds plain values only, so that it travels between the processes of a
    test run.
    """

    @classmethod
    def of(
        cls, records: Sequence[TraceRecord], backends: Collection[str], *, since: int = 0
    ) -> Tally:
        """Count traced calls.

        Parameters
        ----------
        records
            The calls.
        backends
            Canonical names of the backends that are under test.
        since
            How many of the calls were counted before.
        """
        tally = cls()
        for record in records[since:]:
            on_backend = record.backend in backends
            reasons = [reason for name, reason in record.refusals if name in backends]
            counts = {
                "ran": on_backend,
                "raised": on_backend and record.outcome == "raised",
                "fell_back": record.is_fallback,
                "host": not (on_backend or record.is_fallback),
                "missing": MISSING in reasons and not _is_within(record, records, backends),
                "declined": Counter(reasons),
            }
            tally.add({record.function: counts})
        return tally

    def add(self, other: Mapping[str, Mapping[str, Any]]) -> None:
        """Add the counts of another tally."""
        for function, theirs in other.items():
            counts = self.setdefault(function, {**dict.fromkeys(COUNTED, 0), "declined": {}})
            for name in COUNTED:
                counts[name] += theirs[name]
            for reason, count in theirs["declined"].items():
                counts["declined"][reason] = counts["declined"].get(reason, 0) + count

    @property
    def ran(self) -> int:
        """How many calls ran on the backend."""
        return sum(counts["ran"] for counts in self.values())

    @property
    def missing(self) -> list[str]:
        """The functions that were called and that the backend does not implement."""
        return [name for name, counts in self.items() if counts["missing"]]

    def lines(self) -> Iterator[str]:
        """Show the counts as a table."""
        rows = [["function", *COLUMNS.values(), "declined"]]
        for function in sorted(self):
            counts = self[function]
            reasons = [f"{reason} ({count})" for reason, count in counts["declined"].items()]
            first, *others = reasons or [""]
            rows.append([function, *(str(counts[name]) for name in COLUMNS), first])
            rows += [["", "", "", "", "", reason] for reason in others]
        return aligned(rows)


def _is_within(
    record: TraceRecord, records: Sequence[TraceRecord], backends: Collection[str]
) -> bool:
    """Whether a call was made, at any depth, by a backend's own code."""
    while record.parent is not None:
        record = records[record.parent]
        if record.backend in backends:
            return True
    return False


@dataclass
class Ledger:
    """What a run of a host's tests under a backend found.

    Parameters
    ----------
    backends
        What the tests run under.
    policy
        What happens to calls that none of them can take.
    wrong, inapplicable
        Tests in which the backend is wrong, and tests that do not apply to it.
    tally
        Where the calls of each function ran.
    tests
        How each test ended, by node id.
    """

    backends: Sequence[BackendInfo]
    policy: FallbackPolicy
    wrong: Sequence[Expectation]
    inapplicable: Sequence[Expectation]
    tally: Tally = field(default_factory=Tally)
    tests: dict[str, str] = field(default_factory=dict)

    @property
    def unmatched(self) -> list[str]:
        """The patterns of which no test ran."""
        return [
            expectation.pattern
            for expectation in (*self.wrong, *self.inapplicable)
            if not any(map(expectation.matches, self.tests))
        ]

    def header(self) -> str:
        """Say what the tests run under."""
        untrusted = ", which the host does not trust"
        found = (
            f"{info.name} ({origin(info)}{'' if info.trusted else untrusted})"
            for info in self.backends
        )
        return f"backend: {', '.join(found)}; fallback: {self.policy}"

    def lines(self) -> Iterator[str]:
        """Show what was found."""
        yield from self.tally.lines()
        for pattern in self.unmatched:
            yield f"no test that ran matches {pattern!r}"

    def to_json(self) -> Mapping[str, Any]:
        """Give what was found as plain values."""
        return {
            "backends": [
                {"name": info.name, "distribution": info.distribution, "version": info.version}
                for info in self.backends
            ],
            "fallback": self.policy,
            "ran": self.tally.ran,
            "functions": self.tally,
            "tests": self.tests,
            "unmatched": self.unmatched,
        }
