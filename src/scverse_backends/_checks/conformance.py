"""Conformance: a host's checks of single functions, run against one backend."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from unittest import SkipTest

from scverse_backends._backends.loading import fetch
from scverse_backends._ground.labels import closest, quoted
from scverse_backends._ground.records import ABSENT
from scverse_backends.dispatcher import BackendDispatcher  # noqa: TC001 - typing.get_type_hints finds it here

from .comparison import ran

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    Watch = Callable[[str], AbstractContextManager[None]]

Check = Callable[[str], object]
Outcome = Literal["passed", "skipped", "failed"]


class CheckResult(NamedTuple):
    """How one check went.

    Parameters
    ----------
    function
        The function that was checked.
    outcome
        ``"passed"``, ``"skipped"`` or ``"failed"``.
    message
        Why it was skipped or failed; empty for a check that passed.
    duration
        Time it took, in seconds.
    error
        What it raised.
    """

    function: str
    outcome: Outcome
    message: str = ""
    duration: float = 0.0
    error: BaseException | None = None

    def __str__(self) -> str:
        if self.outcome == "skipped":
            return f"SKIPPED ({self.message})"
        return "PASSED" if self.outcome == "passed" else f"FAILED: {self.message}"


class ConformanceReport(dict[str, str]):
    """What `run_conformance` found: a dictionary of texts, and the results behind them.

    Parameters
    ----------
    backend
        The label under which the backend was checked.
    results
        One result for each check.

    Attributes
    ----------
    backend
        The label under which the backend was checked.
    results
        One `CheckResult` for each check, in the order in which they ran.
    """

    def __init__(self, backend: str, results: Iterable[CheckResult]) -> None:
        self.backend = backend
        self.results = tuple(results)
        super().__init__((result.function, str(result)) for result in self.results)

    @property
    def passed(self) -> tuple[str, ...]:
        """The functions whose checks passed."""
        return self._of("passed")

    @property
    def skipped(self) -> tuple[str, ...]:
        """The functions whose checks were skipped."""
        return self._of("skipped")

    @property
    def failed(self) -> tuple[str, ...]:
        """The functions whose checks failed."""
        return self._of("failed")

    def _of(self, outcome: Outcome) -> tuple[str, ...]:
        return tuple(result.function for result in self.results if result.outcome == outcome)

    def to_json(self) -> str:
        """Write the results as JSON."""
        results = [
            {**result._asdict(), "error": result.error and type(result.error).__name__}
            for result in self.results
        ]
        return json.dumps({"backend": self.backend, "results": results}, indent=2)

    def __str__(self) -> str:
        counts = f"{len(self.passed)} passed, {len(self.failed)} failed"
        lines = [f"{self.backend}: {counts}, {len(self.skipped)} skipped"]
        width = max(map(len, self), default=0)
        return "\n".join([*lines, *(f"  {name:{width}}  {text}" for name, text in self.items())])


def run_conformance(
    *,
    backend_name: str,
    tests: Mapping[str, Check],
    get_backend: Callable[[str], Any] | None = None,
    functions: Sequence[str] | None = None,
    raise_on_failure: bool = True,
    dispatcher: BackendDispatcher | None = None,
) -> ConformanceReport:
    """Run a host's checks of single functions against one backend.

    Parameters
    ----------
    backend_name
        Any label of the backend.
    tests
        For each function a check: it is called with `backend_name`, and raises
        if the backend's results are not what they should be.
    get_backend
        The host's `BackendDispatcher.get_backend`; not needed with `dispatcher`.
    functions
        Run the checks of these functions only.
    raise_on_failure
        Raise the error of the first check that fails, instead of going on.
    dispatcher
        The host's dispatcher. With it, a check in which the backend never ran its
        function fails, and a check of a function that the host does not
        dispatch is an error.

    Returns
    -------
    ConformanceReport
        A dictionary: ``"PASSED"``, ``"SKIPPED (...)"`` or ``"FAILED: ..."`` for
        each function. A function that the backend does not implement is skipped.

    Raises
    ------
    ValueError
        If there is no such backend, or no check of one of `functions`.
    TypeError
        If neither `get_backend` nor `dispatcher` is given.

    Examples
    --------
    >>> from scverse_backends import BackendDispatcher
    >>> from scverse_backends.testing import compare, run_conformance
    >>> dispatcher = BackendDispatcher(
    ...     entrypoint_group="example.backends", host_name="example"
    ... )
    >>> @dispatcher.backend_dispatch
    ... def double(values):
    ...     return [2 * value for value in values]
    >>> class Coarse:
    ...     name = "coarse"
    ...
    ...     def double(self, values):
    ...         return [2 * round(value) for value in values]
    >>> def check_double(backend):
    ...     compare(dispatcher, backend, double, [0.5, 1.5]).check(lambda a, b: a == b)
    >>> with dispatcher.register(Coarse):
    ...     report = run_conformance(
    ...         backend_name="coarse",
    ...         tests={"double": check_double},
    ...         dispatcher=dispatcher,
    ...         raise_on_failure=False,
    ...     )
    >>> report["double"]
    "FAILED: double: the result is not the same on backend 'coarse' and the host."
    """
    if get_backend is None:
        if dispatcher is None:
            msg = "run_conformance() needs get_backend=... or dispatcher=..."
            raise TypeError(msg)
        get_backend = dispatcher.get_backend
    adapter = _adapter(get_backend, backend_name)
    chosen = _chosen(tests, functions)
    watch = _watch(dispatcher, backend_name, chosen)
    results = []
    for function, check in chosen.items():
        result = _run(function, check, backend_name, adapter, watch)
        if raise_on_failure and result.outcome == "failed" and result.error is not None:
            raise result.error
        results.append(result)
    return ConformanceReport(backend_name, results)


def _adapter(get_backend: Callable[[str], Any], label: str) -> Any:
    """Fetch the adapter that is checked."""
    try:
        adapter = get_backend(label)
    except ImportError as error:
        raise ValueError(str(error)) from error
    if adapter is None:
        msg = f"There is no backend {label!r} to check."
        raise ValueError(msg)
    return adapter


def _chosen(tests: Mapping[str, Check], functions: Sequence[str] | None) -> dict[str, Check]:
    """Select the checks to run."""
    if functions is None:
        return dict(tests)
    if isinstance(functions, str):
        msg = f"functions must be several names, such as ({functions!r},), not one string."
        raise ValueError(msg)  # noqa: TRY004 - as release 0.0.3 does
    _refuse_unknown(functions, tests, "check of")
    return {function: check for function, check in tests.items() if function in functions}


def _refuse_unknown(names: Iterable[str], known: Iterable[str], kind: str) -> None:
    """Refuse names of functions that are not known; the text suggests the nearest one."""
    known = list(known)
    for name in names:
        if name not in known:
            near = closest(name, known)
            hint = f" Did you mean {near!r}?" if near else ""
            msg = f"There is no {kind} {name!r}.{hint} Known: {quoted(known)}."
            raise ValueError(msg)


def _watch(dispatcher: BackendDispatcher | None, label: str, functions: Iterable[str]) -> Watch:
    """Fail checks in which the backend does not run its function, where a dispatcher can tell."""
    if dispatcher is None:
        return lambda _: nullcontext()
    _refuse_unknown(functions, dispatcher.dispatched, "dispatched function")
    with dispatcher.settings.use_backend(label):
        return partial(ran, dispatcher, dispatcher.settings.backend)


def _run(function: str, check: Check, label: str, adapter: Any, watch: Watch) -> CheckResult:
    """Run one check."""
    started = perf_counter()
    try:
        found = fetch(adapter, function)
        if found is ABSENT or found is None:
            return CheckResult(function, "skipped", "not implemented")
        with watch(function):
            check(label)
    except _raised(SkipTest, "skip") as skip:
        return CheckResult(function, "skipped", str(skip), perf_counter() - started)
    except _raised(Exception, "fail") as error:
        message = str(error) or type(error).__name__
        return CheckResult(function, "failed", message, perf_counter() - started, error)
    return CheckResult(function, "passed", duration=perf_counter() - started)


def _raised(usual: type[Exception], outcome: str) -> tuple[type[BaseException], ...]:
    """Pair an exception with the one that pytest raises for an outcome, if pytest is in use."""
    theirs = getattr(getattr(sys.modules.get("pytest"), outcome, None), "Exception", usual)
    return (usual, theirs)
