"""A backend that could run a call and had better not says so: ``should_run(function, arguments)``."""

from __future__ import annotations

import inspect
import warnings
from types import SimpleNamespace

import pytest

from scverse_backends.exceptions import (
    BackendConfigurationError,
    BackendFallbackWarning,
)

REASON = "80 cells: the host is faster"


@pytest.fixture
def scale(dispatcher, offer):
    """A function whose backend is for tables of a hundred rows and more."""
    func = dispatcher.backend_dispatch(name="scale")(lambda data, copy=False: "host")
    offer(
        scale=lambda data: "mine",
        should_run=lambda name, arguments: arguments["data"] >= 100 or REASON,
    )
    return func


@pytest.mark.parametrize("policy", ["warn", "silent", "error"])
def test_the_host_runs_what_the_backend_had_better_not_and_that_is_no_fallback(
    dispatcher, scale, policy
):
    dispatcher.settings.fallback = policy
    with warnings.catch_warnings(), dispatcher.settings.use_backend("mine"):
        warnings.simplefilter("error")
        assert scale(80) == "host"
        assert scale(100) == "mine"


def test_the_next_choice_is_asked_before_the_host(dispatcher, scale, offer):
    offer("other", scale=lambda data: "other")
    with dispatcher.settings.use_backend("mine", "other"):
        assert scale(80) == "other"
        assert scale(80, backend="mine") == "mine"


def test_it_is_recorded_with_its_reason(dispatcher, scale):
    with dispatcher.settings.use_backend("mine"), dispatcher.settings.trace() as trace:
        scale(80)
        decision = dispatcher.settings.explain(scale, 80)
    (record,) = trace.records
    for said in (decision, record):
        assert (said.backend, said.is_fallback) == ("cpu", False)
        assert said.refusals[0].reason == f"leaves it to the next choice: {REASON}"
        assert said.reason == "'mine' leaves it to the host; selected by use_backend"


def test_where_another_cannot_at_all_it_is_no_fallback_either(dispatcher, scale, offer):
    offer("lacking")
    with dispatcher.settings.use_backend("lacking", "mine", fallback="error"):
        assert scale(80) == "host"
        assert dispatcher.settings.explain(scale, 80, copy=True).is_fallback


def test_whether_it_can_is_asked_first(dispatcher, offer, reasons):
    func = dispatcher.backend_dispatch(name="func")(lambda data: "host")
    offer(
        func=lambda data: "mine",
        can_run=lambda name, arguments: "no device",
        should_run=lambda name, arguments: pytest.fail("it was asked"),
    )
    assert reasons(func, 1) == ["declines: no device"]


@pytest.mark.parametrize("answer", [False, "", 0])
def test_a_no_without_a_reason_is_one_too(dispatcher, offer, answer):
    func = dispatcher.backend_dispatch(name="func")(lambda data: "host")
    offer(func=lambda data: "mine", should_run=lambda name, arguments: answer)
    with dispatcher.settings.use_backend("mine"):
        (refusal,) = dispatcher.settings.explain(func, 1).refusals
    assert refusal.reason == "leaves it to the next choice"


def test_one_that_fails_is_a_fallback_that_says_why(dispatcher, offer):
    func = dispatcher.backend_dispatch(name="func")(lambda data: "host")

    def should_run(name, arguments):
        raise ValueError("no sizes")

    offer(func=lambda data: "mine", should_run=should_run)
    with dispatcher.settings.use_backend("mine"):
        decision = dispatcher.settings.explain(func, 1)
        with pytest.warns(BackendFallbackWarning, match="ValueError: no sizes"):
            assert func(1) == "host"
    (refusal,) = decision.refusals
    assert refusal.reason == "has a should_run that failed: ValueError: no sizes"
    assert decision.is_fallback


def test_a_call_with_an_option_that_only_the_backend_has_is_not_left_to_the_host(dispatcher, offer):
    func = dispatcher.backend_dispatch(name="func")(lambda data: "host")
    offer(func=lambda data, digits=0: digits, should_run=lambda name, arguments: REASON)
    with dispatcher.settings.use_backend("mine"):
        assert [func(1), func(1, digits=3)] == ["host", 3]
        assert dispatcher.settings.explain(func, 1, digits=3).backend == "mine"
    with dispatcher.settings.use_backend("mine", options={"func": {"digits": 4}}):
        assert [func(1), func(1, digits=5)] == ["host", 5]


class TestOfTheHost:
    """``BackendDispatcher(should_run=...)`` is asked for every backend."""

    @pytest.fixture
    def make_scale(self, make_dispatcher):
        def make_scale(should_run, /, **facts):
            dispatcher = make_dispatcher(should_run=should_run)
            func = dispatcher.backend_dispatch(name="scale")(lambda data, copy=False: "host")
            for name in ("mine", "other"):
                scale = lambda data, name=name: name  # noqa: E731
                scale.__signature__ = inspect.signature(lambda data: None)
                dispatcher.register(SimpleNamespace(name=name, scale=scale, **facts))
            return dispatcher.settings, func

        return make_scale

    def test_says_with_its_reason_what_had_better_run_elsewhere(self, make_scale):
        settings, scale = make_scale(lambda name, given: given["data"] >= 100 or REASON)
        with settings.use_backend("mine", "other", fallback="error"):
            assert [scale(80), scale(100)] == ["host", "mine"]
            decision = settings.explain(scale, 80)
        reason = f"is passed over by example_host: {REASON}"
        assert [no.reason for no in decision.refusals] == [reason, reason]
        assert not decision.is_fallback

    def test_that_fails_is_told(self, make_scale):
        settings, scale = make_scale(lambda name, given: given["nothing"])
        with settings.use_backend("mine"):
            with pytest.warns(BackendFallbackWarning, match="KeyError: 'nothing'"):
                assert scale(1) == "host"
            decision = settings.explain(scale, 1)
        expected = (
            "is not asked, because the should_run of example_host failed: KeyError: 'nothing'"
        )
        assert ([no.reason for no in decision.refusals], decision.is_fallback) == ([expected], True)

    async def later(self, arguments):
        """No answer that could be used."""

    @pytest.mark.parametrize("wrong", [1, "always", later])
    def test_is_a_plain_function(self, make_scale, wrong):
        with pytest.raises(BackendConfigurationError, match="should_run must be a plain function"):
            make_scale(wrong)
