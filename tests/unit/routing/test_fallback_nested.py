"""What the host runs in the place of a backend stays on the host, and is told once."""

import asyncio
from types import SimpleNamespace

import pytest

from scverse_backends.exceptions import BackendFallbackWarning


@pytest.fixture
def host(dispatcher, offer):
    """A host that sums in chunks by calling itself; its backend cannot chunk."""
    ran = []

    @dispatcher.backend_dispatch
    def total(values, *, chunked=False, then=None):
        ran.append("host")
        if then is not None:
            return then()
        if chunked:
            return sum(total([value]) for value in values)
        return sum(values)

    @dispatcher.backend_dispatch
    async def total_later(values, *, chunked=False):
        ran.append("host")
        if chunked:
            return sum([await total_later([value]) for value in values])
        return sum(values)

    class Fast:
        name = "fast"

        def total(self, values):
            ran.append("fast")
            return sum(values)

        async def total_later(self, values):
            ran.append("fast")
            return sum(values)

    with dispatcher.register(Fast), offer("lacking"):
        yield SimpleNamespace(
            settings=dispatcher.settings, total=total, total_later=total_later, ran=ran
        )


def test_nested_calls_in_a_fallback_run_on_the_host_without_another_warning(host):
    with host.settings.use_backend("fast"), pytest.warns(BackendFallbackWarning) as caught:
        host.total([1, 2], chunked=True)
    assert host.ran == ["host", "host", "host"]
    assert len(caught) == 1


def test_nested_calls_of_a_function_that_the_backend_lacks_warn_once(host):
    with host.settings.use_backend("lacking"), pytest.warns(BackendFallbackWarning) as caught:
        host.total([1, 2], chunked=True)
    assert len(caught) == 1


def test_nested_calls_of_a_coroutine_function_warn_once(host):
    with host.settings.use_backend("fast"), pytest.warns(BackendFallbackWarning) as caught:
        asyncio.run(host.total_later([1, 2], chunked=True))
    assert host.ran == ["host", "host", "host"]
    assert len(caught) == 1


def test_explaining_a_nested_call_in_a_fallback_tells_why(host):
    host.settings.fallback = "silent"
    with host.settings.use_backend("fast"):
        decision = host.total([1], then=lambda: host.settings.explain(host.total, [1]))
    assert (decision.backend, decision.is_fallback) == ("cpu", False)
    assert decision.reason == (
        "the host is calling this function while it runs it in the place of a backend"
    )


def test_a_backend_that_is_asked_for_inside_by_name_is_asked(host):
    host.settings.fallback = "silent"
    with host.settings.use_backend("fast"):
        host.total([1], then=lambda: host.total([1], backend="fast"))
    assert host.ran == ["host", "fast"]


def test_the_backend_is_asked_again_after_a_fallback(host):
    host.settings.fallback = "silent"
    with host.settings.use_backend("fast"):
        host.total([1], chunked=True)
        host.total([1])
    assert host.ran == ["host", "host", "fast"]


def test_a_fallback_that_raises_leaves_nothing_behind(host):
    host.settings.fallback = "silent"
    with host.settings.use_backend("fast"):
        with pytest.raises(ZeroDivisionError):
            host.total([1], then=lambda: 1 / 0)
        host.total([1])
    assert host.ran == ["host", "fast"]
