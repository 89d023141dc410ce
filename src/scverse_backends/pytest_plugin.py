"""A plugin for pytest: run a host's tests under a backend, and write tests of backends.

Ask for it with ``-p scverse_backends.pytest_plugin``. It has three parts: a run
under a backend (`BackendRun`), tests that run once for each installed backend
(the marker ``backends`` and the fixture `backend_name`), and the fixture
`register_backend`.
"""

from __future__ import annotations

import json
import os
import warnings
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from ._backends.configuration import FALLBACK_POLICIES
from ._checks.host_tests import LOOPBACK, Ledger, Tally, expectations, first_matching, loopback
from ._cli.arguments import MisuseError, dispatcher_at
from ._ground.labels import CPU, fault, fold, quoted
from ._ground.records import reasons
from ._selection.blocks import checked_policy
from ._selection.request import OPTIONAL
from .dispatcher import parts
from .exceptions import BackendError, UntrustedBackendWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from ._backends.configuration import FallbackPolicy
    from ._backends.registry import Registration
    from ._selection.selection import Selection
    from .dispatcher import BackendDispatcher

PREFIX = "SCVERSE_BACKENDS_PYTEST_PREFIX"
"""Environment variable with what to put before our options, for a host that has a ``--backend``."""

_BLOCK = pytest.StashKey[ExitStack]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and settings."""
    group = parser.getgroup("backends", "running the tests under a backend")

    def option(name: str, **details: Any) -> None:
        dest = f"scverse_{name.replace('-', '_')}"
        group.addoption(f"--{os.environ.get(PREFIX, '')}{name}", dest=dest, **details)

    option("backend", metavar="NAME", help="run all tests under this backend (or several: a,b)")
    option("backend-dispatcher", metavar="MODULE:ATTRIBUTE", help="the host's dispatcher")
    option(
        "backend-fallback",
        choices=FALLBACK_POLICIES,
        default="silent",
        help="what happens when the backend cannot take a call (silent)",
    )
    option(
        "backend-xfail-missing",
        action="store_true",
        help="report tests of functions that the backend does not implement as xfail",
    )
    option("backend-report", metavar="FILE", help="write what ran where to this file, as JSON")
    parser.addini("backend_dispatcher", "the host's dispatcher, as module:attribute")
    known = "one a line: the end of its node id, ' - ', and why"
    parser.addini("backend_wrong", f"tests in which the backend is wrong; {known}", type="linelist")
    parser.addini("backend_inapplicable", f"tests that do not apply; {known}", type="linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Begin a run under a backend, if one is asked for."""
    config.addinivalue_line(
        "markers",
        "backends(*labels, fallback='error'): run the test once under each installed backend, "
        "or under these.",
    )
    if config.option.scverse_backend:
        try:
            run = BackendRun(config)
        except (BackendError, pytest.fail.Exception) as error:
            raise pytest.UsageError(str(error)) from error
        config.pluginmanager.register(run, "scverse_backend_run")


def find_dispatcher(config: pytest.Config) -> BackendDispatcher:
    """Import the dispatcher that the options or the configuration name."""
    reference = config.option.scverse_backend_dispatcher or config.getini("backend_dispatcher")
    if not reference:
        msg = (
            "which host? Give --backend-dispatcher module:attribute, or set backend_dispatcher "
            "in pytest's configuration."
        )
        pytest.fail(msg, pytrace=False)
    try:
        return dispatcher_at(reference)
    except MisuseError as error:
        pytest.fail(str(error), pytrace=False)


class BackendRun:
    """A run of a host's tests under a backend.

    The backend is the process-wide choice while a test and its fixtures run, as
    if the user had set the environment variable. The report of each test
    carries its counts, and so they reach the main process of pytest-xdist.
    """

    def __init__(self, config: pytest.Config) -> None:
        options = config.option
        self.dispatcher = find_dispatcher(config)
        self.settings = self.dispatcher.settings
        self.policy: FallbackPolicy = checked_policy(options.scverse_backend_fallback)
        self.xfails_missing = options.scverse_backend_xfail_missing
        self.is_worker = hasattr(config, "workerinput")
        self.before = parts(self.dispatcher).selector.current(), self.settings.fallback
        self.backends = self._load(options.scverse_backend.split(","))
        described = {info.name: info for info in self.dispatcher.backends()}
        self.ledger = Ledger(
            [described[name] for name in self.backends if name in described],
            self.policy,
            wrong=expectations(config.getini("backend_wrong")),
            inapplicable=expectations(config.getini("backend_inapplicable")),
        )

    def _load(self, labels: list[str]) -> tuple[str, ...]:
        """Load what is asked for, and give its canonical names."""
        if fold(LOOPBACK) in map(fold, labels):
            loopback(self.dispatcher)
        with warnings.catch_warnings():
            # The user named it, and the header says that it is not trusted.
            warnings.simplefilter("ignore", UntrustedBackendWarning)
            with self.settings.use_backend(*labels):
                self.left_out = parts(self.dispatcher).selector.current().omitted
                return self.settings.backends

    @property
    def never_ran(self) -> bool:
        """Whether the backend ran no call, and was not left out in favour of the host."""
        by_leave = self.left_out and self.backends == (CPU,)
        return not (self.ledger.tally.ran or by_leave)

    def pytest_report_header(self) -> str:
        """Say what the tests run under."""
        left_out = [f"; left out {reasons([one])}" for one in self.left_out]
        return self.ledger.header() + "".join(left_out)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Mark the tests that the configuration names."""
        for item in items:
            if wrong := first_matching(self.ledger.wrong, item.nodeid):
                reason = f"the backend is wrong: {wrong.reason}"
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
            if inapplicable := first_matching(self.ledger.inapplicable, item.nodeid):
                reason = f"does not apply to the backend: {inapplicable.reason}"
                item.add_marker(pytest.mark.skip(reason=reason))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Generator[None, Any, Any]:
        """Run one test under the backend, and see what it calls."""
        self.settings.backends = self.backends
        self.settings.fallback = self.policy
        self._trace, self._seen = self.settings.trace(), 0
        try:
            with self._trace:
                return (yield)
        finally:
            restore(self.dispatcher, *self.before)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, Any, Any]:
        """Add what was called to the report of each phase of a test."""
        report: Any = yield
        records = self._trace.records
        tally = Tally.of(records, self.backends, since=self._seen)
        self._seen = len(records)
        report.backend_calls = dict(tally)  # pytest-xdist sends plain values only
        if self.xfails_missing and tally.missing and report.when == "call":
            self._excuse(report, tally)
        return report

    def _excuse(self, report: Any, tally: Tally) -> None:
        """Report a test as xfail, unless it failed and the backend had a part in it."""
        if report.passed or (report.failed and not tally.ran):
            report.outcome = "skipped"
            report.wasxfail = f"the backend does not implement {quoted(tally.missing)}"

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take in a report, in whatever process the test ran."""
        self.ledger.tally.add(getattr(report, "backend_calls", {}))
        if report.when == "call" or not report.passed:
            xfail = "x" if hasattr(report, "wasxfail") else ""
            self.ledger.tests[report.nodeid] = f"{xfail}{report.outcome}"

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the report, and let a run fail in which the backend never ran."""
        config = session.config
        if self.is_worker or config.option.collectonly:
            return
        if config.option.scverse_backend_report:
            path = config.invocation_params.dir / config.option.scverse_backend_report
            path.parent.mkdir(parents=True, exist_ok=True)  # as pytest for its own reports
            path.write_text(json.dumps(self.ledger.to_json(), indent=2), encoding="utf-8")
        if exitstatus == pytest.ExitCode.OK and self.never_ran:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show what became of the calls of each function."""
        if terminalreporter.config.option.collectonly:
            return
        terminalreporter.section(f"calls under {quoted(self.backends)}")
        for line in self.ledger.lines():
            terminalreporter.write_line(line)
        if self.never_ran:
            terminalreporter.write_line("FAILED: the backend never ran", red=True)


def restore(dispatcher: BackendDispatcher, selection: Selection, fallback: FallbackPolicy) -> None:
    """Select again what was selected."""
    parts(dispatcher).selector.state.swap(selection)
    dispatcher.settings.fallback = fallback


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each backend, if it asks for that."""
    marker = metafunc.definition.get_closest_marker("backends")
    if marker is not None and "backend_name" not in metafunc.fixturenames:
        metafunc.fixturenames.append("backend_name")
    elif not _asks_by_name(metafunc):
        return
    dispatcher = find_dispatcher(metafunc.config)
    labels = () if marker is None else _labels(marker)
    metafunc.parametrize("backend_name", [*_parameters(dispatcher, labels)], indirect=True)


def _labels(marker: pytest.Mark) -> tuple[str, ...]:
    """Give the names that a marker holds; a malformed one fails the run."""
    problems = [f"it has no keyword {name!r}" for name in marker.kwargs if name != "fallback"]
    plain = (a.removesuffix(OPTIONAL) if isinstance(a, str) else a for a in marker.args)
    problems += filter(None, map(fault, plain))
    if problems:
        msg = (
            "The marker 'backends' takes names of backends, each as an argument of its own, and "
            f"fallback=...: {'; '.join(problems)}"
        )
        pytest.fail(msg, pytrace=False)
    return marker.args


def _asks_by_name(metafunc: pytest.Metafunc) -> bool:
    """Whether a test asks for our fixture, and not for one of its own of the same name."""
    fixtures: Any = getattr(metafunc, "_arg2fixturedefs", {}).get("backend_name")
    return bool(fixtures) and fixtures[-1].func.__module__ == __name__


def _parameters(dispatcher: BackendDispatcher, labels: tuple[str, ...]) -> Iterator[Any]:
    """Give the installed backends; or these labels, with a mark on those to be skipped."""
    for info in () if labels else dispatcher.backends():
        if info.state not in ("broken", "refused"):
            yield info.name
    for label in labels:
        marks = []
        try:
            parts(dispatcher).registry.locate(label.removesuffix(OPTIONAL))
        except BackendError as error:
            # A label that is nearly another is a mistake: the setup of its test raises the error.
            if not getattr(error, "suggestion", None):
                marks = [pytest.mark.skip(reason=str(error))]
        yield pytest.param(label, marks=marks)


def pytest_runtest_setup(item: Any) -> None:
    """Put in force the backend that a marked test runs under."""
    marker = item.get_closest_marker("backends")
    if marker is not None:
        if not hasattr(item, "callspec"):
            msg = f"the marker 'backends' is for test functions, which {item.name!r} is not"
            pytest.fail(msg, pytrace=False)
        name = item.callspec.params["backend_name"]
        settings = find_dispatcher(item.config).settings
        block = item.stash[_BLOCK] = ExitStack()
        fallback = marker.kwargs.get("fallback", "error")
        try:
            block.enter_context(settings.use_backend(name, fallback=fallback))
        except BackendError as error:
            if name.endswith(OPTIONAL):
                pytest.skip(str(error))
            raise


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """End what was put in force."""
    if _BLOCK in item.stash:
        item.stash[_BLOCK].close()


@pytest.fixture
def backend_name(request: pytest.FixtureRequest) -> str:
    """Name of an installed backend; the test runs once for each."""
    name: str = request.param
    return name


@pytest.fixture
def backend_dispatcher(request: pytest.FixtureRequest) -> BackendDispatcher:
    """Give the dispatcher that the options or the configuration name; override it at will."""
    return find_dispatcher(request.config)


@pytest.fixture
def register_backend(
    backend_dispatcher: BackendDispatcher,
) -> Iterator[Callable[[Any], Registration]]:
    """Register adapters for the time of a test; what it selects ends with it too."""
    before = parts(backend_dispatcher).selector.current(), backend_dispatcher.settings.fallback
    with ExitStack() as registrations:
        yield lambda adapter: registrations.enter_context(backend_dispatcher.register(adapter))
        restore(backend_dispatcher, *before)
