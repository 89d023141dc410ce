"""Ending at the host although a backend was selected: told, only recorded, or refused."""

import asyncio
import inspect
import warnings
from functools import partial, wraps

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


def here():
    """Name the line that calls this, as a warning would."""
    frame = inspect.currentframe().f_back
    return frame.f_code.co_filename, frame.f_lineno


def where(caught):
    return [(warning.filename, warning.lineno) for warning in caught]


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

    def test_a_function_that_the_backend_lacks_falls_back_too(self, dispatcher, offer):
        func = dispatcher.backend_dispatch(name="func")(lambda: "host")
        offer()
        with pytest.warns(BackendFallbackWarning, match="func: 'mine' does not implement it"):
            assert func(backend="mine") == "host"

    def test_every_call_tells(self, dispatcher, umap):
        with dispatcher.settings.use_backend("mine"), pytest.warns(BackendFallbackWarning) as seen:
            umap(1, copy=True)
            umap(1)
            umap(1, copy=True)
        assert len(seen) == 2

    def test_it_points_at_the_line_of_a_call_with_its_own_backend(self, umap):
        with pytest.warns(BackendFallbackWarning) as caught:
            umap(1, copy=True, backend="mine"), (line := here())
        assert where(caught) == [line]

    def test_it_points_at_the_line_of_a_call_inside_a_block(self, dispatcher, umap):
        with dispatcher.settings.use_backend("mine"), pytest.warns(BackendFallbackWarning) as seen:
            umap(1, copy=True), (first := here())
            umap(1, copy=True), (second := here())
        assert where(seen) == [first, second]

    def test_it_points_at_the_line_of_a_call_under_the_process_wide_default(self, dispatcher, umap):
        dispatcher.settings.backend = "mine"
        with pytest.warns(BackendFallbackWarning) as caught:
            umap(1, copy=True), (line := here())
        assert where(caught) == [line]

    def test_it_points_inside_a_function_that_use_backend_decorates(self, dispatcher, umap):
        lines = []

        @dispatcher.settings.use_backend("mine")
        def analyse():
            umap(1, copy=True), lines.append(here())

        with pytest.warns(BackendFallbackWarning) as caught:
            analyse()
        assert where(caught) == lines

    def test_it_points_at_the_line_of_a_call_through_a_partial(self, umap):
        copied = partial(umap, copy=True, backend="mine")
        with pytest.warns(BackendFallbackWarning) as caught:
            copied(1), (line := here())
        assert where(caught) == [line]

    def test_it_points_at_the_line_that_calls_a_coroutine_function(self, dispatcher, offer):
        @dispatcher.backend_dispatch
        async def fetch():
            return "host"

        offer()

        async def analyse():
            called = fetch(backend="mine"), here()
            assert await called[0] == "host"
            return called[1]

        with pytest.warns(BackendFallbackWarning) as caught:
            line = asyncio.run(analyse())
        assert where(caught) == [line]

    def test_made_an_error_by_a_filter_it_stops_the_call(self, umap, ran):
        with warnings.catch_warnings():
            warnings.simplefilter("error", BackendFallbackWarning)
            with pytest.raises(BackendFallbackWarning):
                umap(1, copy=True, backend="mine")
        assert ran == []


class TestPolicySilent:
    def test_the_host_runs_without_a_word_and_the_decision_records_it(
        self, make_dispatcher, offer, ran
    ):
        dispatcher = make_dispatcher(fallback="silent")
        func = dispatcher.backend_dispatch(name="func")(lambda: ran.append("host"))

        class Mine:
            name = "mine"

        with dispatcher.register(Mine):
            func(backend="mine")
            (refusal,) = dispatcher.settings.explain(func, backend="mine").refusals
        assert ran == ["host"]
        assert (refusal.backend, refusal.reason) == ("mine", "does not implement it")


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


def test_an_outer_decorator_of_the_host_does_not_hide_what_happened(dispatcher, umap, ran):
    @wraps(umap)
    def logged(*args, **kwargs):
        return umap(*args, **kwargs)

    with pytest.warns(BackendFallbackWarning, match="'copy'"):
        logged(1, copy=True, backend="mine")
    assert ran == ["host"]
