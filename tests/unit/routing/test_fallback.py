"""Ending at the host although a backend was selected: told, only recorded, or refused."""

import asyncio
import warnings
from types import SimpleNamespace

import pytest

from scverse_backends.exceptions import BackendFallbackError, BackendFallbackWarning


@pytest.fixture
def ran():
    return []


@pytest.fixture
def umap(dispatcher, offer, ran):
    """Dispatch a function that ``mine`` implements without ``copy``."""
    offer(umap=lambda adata: ran.append("mine"))
    return dispatcher.backend_dispatch(name="umap")(lambda adata, copy=False: ran.append("host"))


class TestPolicyWarn:
    def test_the_host_runs_and_the_warning_says_what_could_not(self, umap, ran):
        with pytest.warns(BackendFallbackWarning) as caught:
            umap(1, copy=True, backend="mine")
        warning = caught[0].message
        assert ran == ["host"]
        assert (warning.function, warning.host) == ("umap", "example_host")
        assert [(r.backend, r.reason) for r in warning.refusals] == [
            ("mine", "does not take 'copy'")
        ]
        assert str(warning) == (
            "umap: 'mine' does not take 'copy'. It runs on example_host (cpu) instead."
        )

    def test_every_call_tells(self, dispatcher, umap):
        with dispatcher.settings.use_backend("mine"), pytest.warns(BackendFallbackWarning) as seen:
            umap(1, copy=True)
            umap(1)
            umap(1, copy=True)
        assert len(seen) == 2

    def test_made_an_error_by_a_filter_it_stops_the_call(self, umap, ran):
        with warnings.catch_warnings():
            warnings.simplefilter("error", BackendFallbackWarning)
            with pytest.raises(BackendFallbackWarning):
                umap(1, copy=True, backend="mine")
        assert ran == []


class TestPolicyError:
    @pytest.fixture(autouse=True)
    def policy(self, dispatcher):
        dispatcher.settings.fallback = "error"

    def test_nothing_runs_and_the_error_says_what_could_not_and_what_to_do(self, umap, ran):
        with pytest.raises(BackendFallbackError) as caught:
            umap(1, copy=True, backend="mine")
        error = caught.value
        assert ran == []
        assert isinstance(error, NotImplementedError)
        assert (error.function, error.host) == ("umap", "example_host")
        assert [refusal.reason for refusal in error.refusals] == ["does not take 'copy'"]
        assert "backend='cpu'" in str(error)

    def test_a_coroutine_function_refuses_when_it_is_called(self, dispatcher, offer):
        @dispatcher.backend_dispatch
        async def fetch():
            return "host"

        offer()
        with pytest.raises(BackendFallbackError):
            fetch(backend="mine")


@pytest.mark.parametrize("policy", ["warn", "silent", "error"])
class TestNoFallback:
    """Warnings are errors in these tests, so that none of these calls may warn."""

    def test_the_host_selected_or_named_behind_the_backends(self, dispatcher, umap, ran, policy):
        dispatcher.settings.fallback = policy
        umap(1, copy=True)
        umap(1, copy=True, backend="cpu")
        umap(1, copy=True, backend=["mine", "cpu"])
        with dispatcher.settings.use_backend("mine"), dispatcher.settings.use_backend("cpu"):
            umap(1, copy=True)
        assert ran == ["host"] * 4


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


@pytest.mark.parametrize("label", ["fast", "lacking"])
def test_nested_calls_in_a_fallback_run_on_the_host_without_another_warning(host, label):
    with host.settings.use_backend(label), pytest.warns(BackendFallbackWarning) as caught:
        host.total([1, 2], chunked=True)
        asyncio.run(host.total_later([1, 2], chunked=True))
    assert host.ran == ["host"] * 6
    assert len(caught) == 2


def test_explaining_a_nested_call_in_a_fallback_tells_why(host):
    host.settings.fallback = "silent"
    with host.settings.use_backend("fast"):
        decision = host.total([1], then=lambda: host.settings.explain(host.total, [1]))
    assert (decision.backend, decision.is_fallback) == ("cpu", False)
    assert decision.reason == (
        "the host is calling this function while it runs it in the place of a backend"
    )


def test_the_backend_is_asked_again_after_a_fallback_that_raised_too(host):
    host.settings.fallback = "silent"
    with host.settings.use_backend("fast"):
        host.total([1], chunked=True)
        host.total([1])
        with pytest.raises(ZeroDivisionError):
            host.total([1], then=lambda: 1 / 0)
        host.total([1])
    assert host.ran == ["host", "host", "fast", "host", "fast"]


@pytest.mark.parametrize("policy", ["warn", "error"])
def test_a_call_that_the_host_refuses_too_is_told_as_that_and_not_as_a_fallback(
    dispatcher, umap, policy
):
    settings = dispatcher.settings
    with settings.use_backend("mine", fallback=policy), settings.trace() as trace:
        decision = settings.explain(umap, 1, copies=True)
        with pytest.raises(TypeError, match="unexpected keyword argument 'copies'"):
            umap(1, copies=True)
    assert decision.reason.endswith("the host does not take its arguments either")
    (record,) = trace.records
    assert (record.is_fallback, decision.is_fallback) == (False, False)
    assert record.reason == decision.reason
    assert "fallbacks" not in trace.provenance()


@pytest.mark.parametrize("policy", ["silent", "error"])
def test_what_is_explained_says_whether_the_policy_stops_the_call(dispatcher, umap, policy):
    with dispatcher.settings.use_backend("mine", fallback=policy):
        decision = dispatcher.settings.explain(umap, 1, copy=True)
    assert (decision.is_fallback, decision.is_stopped) == (True, policy == "error")
    assert decision.reason.endswith("it raises instead") == decision.is_stopped


def test_a_call_with_an_option_of_another_backend_is_explained_as_it_ends_stopped(dispatcher):
    scale = dispatcher.backend_dispatch(name="scale")(lambda values: values)

    class Fast:
        name = "fast"

        def scale(self, values, *, chunk=1):
            return values

    class Picky(Fast):
        name = "picky"

        def can_run(self, function, arguments):
            return False

    with (
        dispatcher.register(Fast),
        dispatcher.register(Picky),
        dispatcher.settings.trace() as trace,
    ):
        dispatcher.settings.get_backend("fast")
        with dispatcher.settings.use_backend("picky", fallback="error"):
            decision = dispatcher.settings.explain(scale, [1], chunk=3)
            with pytest.raises(BackendFallbackError):
                scale([1], chunk=3)
    assert decision.is_stopped
    assert trace.records[0].reason == decision.reason
