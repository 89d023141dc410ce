"""A warning points at the line of the person who can act: the one that called the host."""

import _thread
import asyncio
import warnings
from contextlib import suppress
from functools import partial
from threading import Event

import pytest

from scverse_backends.exceptions import (
    BackendFallbackWarning,
    BackendRegistrationWarning,
    UnknownBackendError,
    UntrustedBackendWarning,
)


@pytest.fixture
def dispatcher(make_dispatcher):
    return make_dispatcher(trusted_backends={"fast": {"package": "fast-backend"}})


@pytest.fixture
def host(dispatcher):
    """Functions of a host: a plain one, and a coroutine function."""
    double = dispatcher.backend_dispatch(name="double")(lambda values: "host")

    @dispatcher.backend_dispatch
    async def wait(values):
        return "host"

    return double, wait


# Each on one line: the line of the lambda is the line that the warning must name.
WAYS = {
    "a call": lambda d, double, wait: double([1], backend="mine"),
    "a coroutine": lambda d, double, wait: asyncio.run(wait([1], backend="mine")),
    "get_backend": lambda d, double, wait: d.get_backend("mine"),
    "settings.get_backend": lambda d, double, wait: d.settings.get_backend("mine"),
    "settings.backend": lambda d, double, wait: setattr(d.settings, "backend", "mine"),
    "use_backend": lambda d, double, wait: d.settings.use_backend("mine").__enter__(),
    "a decorated call": lambda d, double, wait: d.settings.use_backend("mine")(lambda: None)(),
    "explain": lambda d, double, wait: d.settings.explain(double, [1], backend="mine"),
}
LOOKS = {
    "discover": lambda d, double, wait: d.discover(),
    "backends": lambda d, double, wait: d.backends(),
    "refresh": lambda d, double, wait: d.refresh(),
    "available_backends": lambda d, double, wait: d.settings.available_backends(),
    "available_backend_names": lambda d, double, wait: d.available_backend_names(),
}


def line_of(way):
    return __file__, way.__code__.co_firstlineno


def lines(caught, kind):
    return [(warning.filename, warning.lineno) for warning in caught if warning.category is kind]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.BackendFallbackWarning")
def test_an_untrusted_backend_is_told_at_the_callers_line(site, dispatcher, host, way):
    source = "name = 'mine'\ndef double(values): ..."
    site.install("my-backend", entry_points={"mine": "mine_m"}, modules={"mine_m": source})
    with pytest.warns(UntrustedBackendWarning) as caught:
        way(dispatcher, *host)
    assert lines(caught, UntrustedBackendWarning) == [line_of(way)]


def test_the_environments_backend_is_told_at_the_line_of_first_use(
    site, make_dispatcher, monkeypatch
):
    site.backend("mine", "name = 'mine'\ndef double(values): ...")
    monkeypatch.setenv("EXAMPLE_HOST_BACKEND", "mine")
    double = make_dispatcher().backend_dispatch(name="double")(lambda values: "host")
    way = lambda: double([1])  # noqa: E731 - one line, as above
    with pytest.warns(UntrustedBackendWarning) as caught:
        way()
    assert lines(caught, UntrustedBackendWarning) == [line_of(way)]


@pytest.mark.parametrize("way", [*WAYS.values(), *LOOKS.values()], ids=[*WAYS, *LOOKS])
@pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.BackendFallbackWarning")
def test_an_impostor_is_told_at_the_callers_line(site, dispatcher, host, way):
    site.install("evil", entry_points={"fast": "evil"})
    with (
        pytest.warns(UntrustedBackendWarning, match="refuses") as caught,
        suppress(UnknownBackendError),  # nobody is "mine"
    ):
        way(dispatcher, *host)
    assert lines(caught, UntrustedBackendWarning) == [line_of(way)]


@pytest.mark.parametrize("way", [*WAYS.values(), LOOKS["discover"]], ids=[*WAYS, "discover"])
@pytest.mark.filterwarnings(
    "ignore::scverse_backends.exceptions.BackendFallbackWarning",
    "ignore::scverse_backends.exceptions.UntrustedBackendWarning",
)
def test_a_false_claim_is_told_at_the_callers_line(site, dispatcher, host, way):
    source = "name = 'mine'\naliases = ['fast']\ndef double(values): ..."
    site.install("my-backend", entry_points={"mine": "mine_m"}, modules={"mine_m": source})
    with pytest.warns(BackendRegistrationWarning, match="'fast'") as caught:
        way(dispatcher, *host)
    assert lines(caught, BackendRegistrationWarning) == [line_of(way)]


MORE = {
    "a default": lambda d, double, wait: (setattr(d.settings, "backend", "mine"), double([1])),
    "a block": lambda d, double, wait: d.settings.use_backend("mine")(lambda: double([1]))(),
    "a decorated function": lambda d, double, wait: d.settings.use_backend("mine")(double)([1]),
    "a partial": lambda d, double, wait: partial(double, [1], backend="mine")(),
    "a call": WAYS["a call"],
    "a coroutine": WAYS["a coroutine"],
}


@pytest.mark.parametrize("way", MORE.values(), ids=MORE)
def test_a_fallback_is_told_at_the_callers_line(dispatcher, offer, host, way):
    offer()
    with pytest.warns(BackendFallbackWarning) as caught:
        way(dispatcher, *host)
    assert lines(caught, BackendFallbackWarning) == [line_of(way)]


def test_a_fallback_is_told_through_the_hosts_own_decorators(decorated_host):
    host = decorated_host
    way = lambda: host.double([1], backend="mine")  # noqa: E731 - one line, as above
    with (
        host.dispatcher.register(type("Mine", (), {"name": "mine"})),
        pytest.warns(BackendFallbackWarning) as caught,
    ):
        way()
        host.twice([1])
    inner = (host.__file__, host.twice.__code__.co_firstlineno)
    assert lines(caught, BackendFallbackWarning) == [line_of(way), inner]


def test_a_call_without_any_python_caller_is_told_all_the_same(dispatcher, offer):
    offer()
    dispatcher.settings.backend = "mine"
    done = Event()
    call = dispatcher.backend_dispatch(name="call")(lambda work: work())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _thread.start_new_thread(call, (done.set,))
        assert done.wait(timeout=60)
    assert [warning.category for warning in caught] == [BackendFallbackWarning]
