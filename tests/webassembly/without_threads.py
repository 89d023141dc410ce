"""A pytest plugin: what asks for threads, processes or compiled packages is skipped, and counted."""

from __future__ import annotations

import pytest

LACKS = (
    "can't start new thread",
    "does not support processes",
    "No module named '_multiprocessing'",
    "No module named 'numpy'",
    "lacks multiprocessing.synchronize",
)
ELSEWHERE = (
    # Its event loop runs on another stack, where the frames of the caller are out of sight.
    "test_a_loop_that_a_plain_implementation_runs_leads_to_the_host",
    # Its dynamic loader says otherwise why a library cannot be opened.
    "test_a_missing_library_is_reported_with_the_line_that_loads_it",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Accept the settings of pytest-timeout, which needs signals."""
    parser.addini("timeout", "not used here")


def pytest_configure(config: pytest.Config) -> None:
    """Accept its mark too."""
    config.addinivalue_line("markers", "timeout: not used here")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what cannot be the same here."""
    for item in items:
        if item.name in ELSEWHERE:
            item.add_marker(pytest.mark.skip(reason="is otherwise in WebAssembly"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Skip a test that ended for the want of something."""
    return _excused((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    """Skip a file that cannot be imported for the want of something."""
    return _excused((yield))


def _excused(report: pytest.TestReport | pytest.CollectReport):
    wanted = next((lack for lack in LACKS if report.failed and lack in report.longreprtext), None)
    if wanted:
        report.outcome = "skipped"
        report.longrepr = (str(getattr(report, "fspath", report.nodeid)), None, wanted)
    return report
