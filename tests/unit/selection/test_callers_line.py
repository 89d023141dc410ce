"""Warnings point at the line of the person who can act, through whatever of ours lies between."""

import _thread
import linecache
import warnings
from threading import Event

import pytest

from scverse_backends.exceptions import BackendFallbackWarning, UntrustedBackendWarning

pytestmark = pytest.mark.usefixtures("backends")


def lines(caught):
    """Read the lines at which recorded warnings point."""
    assert {warning.filename for warning in caught} == {__file__}
    return [linecache.getline(warning.filename, warning.lineno).strip() for warning in caught]


def test_the_environments_backend_is_told_at_the_line_of_first_use(make_host, monkeypatch):
    monkeypatch.setenv("EXAMPLE_HOST_BACKEND", "mine")
    host = make_host(untrusted="warn")
    with pytest.warns(UntrustedBackendWarning) as caught:
        host.where()  # the first use
    assert lines(caught) == ["host.where()  # the first use"]


def test_a_block_is_told_at_the_line_that_enters_it(make_host):
    block = make_host(untrusted="warn").settings.use_backend("mine")
    with pytest.warns(UntrustedBackendWarning) as caught:
        with block:  # the first entry
            pass
        with block:
            pass
    assert lines(caught) == ["with block:  # the first entry"]


def test_a_dispatched_function_that_a_block_decorates_is_told_at_the_line_of_the_call(host):
    decorated = host.settings.use_backend("mine")(host.only_here)
    with pytest.warns(BackendFallbackWarning) as caught:
        decorated(int)  # the call
    assert lines(caught) == ["decorated(int)  # the call"]


def test_a_nested_call_is_told_at_its_own_line(host):
    def nested():
        return host.only_here(int)  # the nested call

    with pytest.warns(BackendFallbackWarning) as caught:
        host.through(nested, backend="mine")
    assert lines(caught) == ["return host.only_here(int)  # the nested call"]


def test_a_call_without_any_python_caller_is_told_all_the_same(host):
    host.settings.backend = "mine"
    done = Event()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _thread.start_new_thread(host.only_here, (done.set,))
        assert done.wait(timeout=60)
    assert [warning.category for warning in caught] == [BackendFallbackWarning]
