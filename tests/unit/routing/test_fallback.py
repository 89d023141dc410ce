"""Ending at the host although a backend was selected: told, only recorded, or refused."""

import warnings

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
    def test_it_is_the_policy_of_a_host_that_says_nothing(self, dispatcher):
        assert dispatcher.settings.fallback == "warn"

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


def test_with_policy_silent_the_host_runs_and_the_decision_records_it(dispatcher, offer, ran):
    dispatcher.settings.fallback = "silent"
    func = dispatcher.backend_dispatch(name="func")(lambda: ran.append("host"))
    offer()
    func(backend="mine")
    (refusal,) = dispatcher.settings.explain(func, backend="mine").refusals
    assert (ran, refusal) == (["host"], ("mine", "does not implement it"))


class TestPolicyError:
    @pytest.fixture(autouse=True)
    def policy(self, dispatcher):
        dispatcher.settings.fallback = "error"

    def test_nothing_runs(self, umap, ran):
        with pytest.raises(BackendFallbackError):
            umap(1, copy=True, backend="mine")
        assert ran == []

    def test_the_error_says_what_could_not_and_what_to_do(self, umap):
        with pytest.raises(BackendFallbackError) as caught:
            umap(1, copy=True, backend="mine")
        error = caught.value
        assert isinstance(error, NotImplementedError)
        assert (error.function, error.host) == ("umap", "example_host")
        assert [refusal.reason for refusal in error.refusals] == ["does not take 'copy'"]
        assert "backend='cpu'" in str(error)

    def test_a_call_that_a_backend_takes_runs(self, dispatcher, umap, ran):
        with dispatcher.settings.use_backend("mine"):
            umap(1)
        assert ran == ["mine"]

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

    def test_nothing_selected(self, dispatcher, umap, ran, policy):
        dispatcher.settings.fallback = policy
        umap(1, copy=True)
        assert ran == ["host"]

    def test_the_host_selected(self, dispatcher, umap, ran, policy):
        dispatcher.settings.fallback = policy
        umap(1, copy=True, backend="cpu")
        with dispatcher.settings.use_backend("mine"), dispatcher.settings.use_backend("cpu"):
            umap(1, copy=True)
        assert ran == ["host", "host"]

    def test_the_host_named_behind_the_backends(self, dispatcher, umap, ran, policy):
        dispatcher.settings.fallback = policy
        umap(1, copy=True, backend=["mine", "cpu"])
        assert ran == ["host"]

    def test_the_implementation_calling_the_function_it_replaces(
        self, dispatcher, offer, ran, policy
    ):
        dispatcher.settings.fallback = policy
        func = dispatcher.backend_dispatch(name="func")(lambda: ran.append("host"))
        offer(func=lambda: [func()])
        func(backend="mine")
        assert ran == ["host"]
