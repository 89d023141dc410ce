"""A backend may decline a call itself: ``can_run(function_name, arguments)``."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from scverse_backends.exceptions import BackendConfigurationError, BackendFallbackWarning


@pytest.fixture
def umap(dispatcher):
    return dispatcher.backend_dispatch(name="tl.umap")(
        lambda adata, min_dist=0.5, copy=False: "host"
    )


@pytest.fixture
def tl():
    class tl:  # noqa: N801 - a namespace, named as the host's module
        umap = staticmethod(lambda adata, min_dist=0.5, *, tiles=1: "mine")

    return tl


def raising(error):
    def can_run(function, arguments):
        raise error

    return can_run


class EqualToAll(type):
    def __eq__(cls, other):
        return True

    __hash__ = type.__hash__


class Yes(metaclass=EqualToAll):
    """Is true, and of a class that says to be any other."""


@pytest.mark.parametrize("answer", [True, np.True_, 1, Yes()])
def test_an_answer_that_is_true_takes_the_call(umap, tl, offer, outcome, answer):
    offer(tl=tl, can_run=lambda function, arguments: answer)
    assert outcome(umap, 1) == "mine"


@pytest.mark.parametrize(
    ("can_run", "reason"),
    [
        pytest.param(lambda function, arguments: False, "declines", id="False"),
        pytest.param(lambda function, arguments: np.False_, "declines", id="numpy's false"),
        pytest.param(lambda function, arguments: None, "it returned None", id="no return"),
        pytest.param(lambda function, arguments: 0, "declines", id="zero"),
        pytest.param(lambda function, arguments: "", r"declines$", id="a string without a word"),
        pytest.param(lambda function, arguments: "needs CUDA 12", "needs CUDA 12", id="a reason"),
        pytest.param(
            lambda function, arguments: np.str_("needs CUDA 12"), "needs CUDA 12", id="a numpy str"
        ),
        pytest.param(raising(LookupError("no GPU")), "LookupError: no GPU", id="an error"),
        pytest.param(
            raising(MemoryError("no room on the device")),
            "^has a can_run that failed: MemoryError: no room on the device$",
            id="the end of memory",
        ),
        pytest.param(lambda: True, "TypeError", id="a can_run that takes no arguments"),
        pytest.param(lambda *_: np.array([True, False]), "ValueError", id="no single answer"),
    ],
)
def test_any_other_answer_is_a_refusal_with_a_reason(
    dispatcher, umap, tl, offer, outcome, reasons, can_run, reason
):
    offer(tl=tl, can_run=can_run)
    (found,) = reasons(umap, 1)
    assert re.search(reason, found)
    with pytest.warns(BackendFallbackWarning, match=re.escape(found)):
        assert outcome(umap, 1) == "host"


def test_can_run_is_asked_with_the_dispatch_name_and_what_the_caller_gave(umap, tl, offer, outcome):
    asked = []

    def can_run(function, arguments):
        asked.append((function, arguments))
        return True

    offer(tl=tl, can_run=can_run)
    outcome(umap, 1, min_dist=0.1, tiles=4)
    outcome(umap, 1, 0.1)
    outcome(umap, adata=1)
    assert asked == [
        *[("tl.umap", {"adata": 1, "min_dist": 0.1, "tiles": 4})] * 3,
        *[("tl.umap", {"adata": 1, "min_dist": 0.1})] * 3,
        *[("tl.umap", {"adata": 1})] * 3,
    ]


def test_can_run_sees_a_renamed_argument_under_the_hosts_name(dispatcher, offer, outcome):
    asked = []
    func = dispatcher.backend_dispatch(name="func")(lambda rng=None: "host")
    offer(
        func=lambda random_state=0: "mine",
        renames={"func": {"rng": "random_state"}},
        can_run=lambda function, arguments: not asked.append(arguments),
    )
    assert outcome(func, rng=7) == "mine"
    assert asked == [{"rng": 7}] * 3


def test_can_run_cannot_change_the_call(dispatcher, offer, outcome):
    func = dispatcher.backend_dispatch(name="func")(lambda data, factor=1: "host")
    offer(
        func=lambda data, factor=1: (data, factor),
        can_run=lambda function, arguments: [arguments.update(factor=9), arguments.pop("data")],
    )
    assert outcome(func, 3, 4) == (3, 4)


def test_can_run_is_not_asked_about_a_call_of_the_host_or_one_that_would_lose_an_argument(
    umap, tl, offer, reasons
):
    offer(tl=tl, can_run=raising(KeyboardInterrupt))
    assert (umap(1), umap(1, backend="cpu")) == ("host", "host")
    assert reasons(umap, 1, copy=True) == ["does not take 'copy'"]
    with pytest.raises(KeyboardInterrupt):
        umap(1, backend="mine")


def test_a_coroutine_function_as_can_run_is_refused_with_the_adapter(tl, offer):
    async def can_run(function, arguments):
        return True

    with pytest.raises(BackendConfigurationError, match="`can_run` must be a plain function"):
        offer(tl=tl, can_run=can_run)


@pytest.mark.parametrize("question", ["can_run", "should_run"])
def test_a_question_that_was_replaced_is_the_one_that_is_asked(
    umap, dispatcher, tl, offer, monkeypatch, question
):
    def asked():
        return dispatcher.settings.explain(umap, 1).backend

    adapter = SimpleNamespace(name="mine", tl=tl, **{question: lambda function, arguments: True})
    dispatcher.register(adapter)
    with dispatcher.settings.use_backend("mine"):
        assert asked() == "mine"
        with monkeypatch.context() as patch:
            patch.setattr(adapter, question, lambda function, arguments: "not in this test")
            assert asked() == "cpu"
            patch.setattr(adapter, question, None)
            assert asked() == "mine"
            patch.delattr(adapter, question)
            assert asked() == "mine"
        assert asked() == "mine"


@pytest.mark.parametrize("question", ["can_run", "should_run"])
def test_a_question_that_was_replaced_by_a_coroutine_function_is_no_yes(
    umap, dispatcher, tl, question
):
    async def later(function, arguments): ...

    adapter = SimpleNamespace(name="mine", tl=tl, **{question: lambda function, arguments: True})
    dispatcher.register(adapter)
    setattr(adapter, question, later)
    with dispatcher.settings.use_backend("mine"):
        (refusal,) = dispatcher.settings.explain(umap, 1).refusals
    assert refusal.reason.endswith("it answered with a coroutine, which nothing awaits")


@pytest.mark.parametrize(
    ("answer", "said"),
    [((False, "too large"), "a tuple, where"), ((n for n in ()), "a generator, which nothing")],
)
@pytest.mark.parametrize("question", ["can_run", "should_run"])
def test_an_answer_that_is_always_true_is_no_yes(umap, dispatcher, tl, question, answer, said):
    adapter = SimpleNamespace(name="mine", tl=tl, **{question: lambda function, arguments: answer})
    dispatcher.register(adapter)
    with dispatcher.settings.use_backend("mine"):
        (refusal,) = dispatcher.settings.explain(umap, 1).refusals
    assert f"it answered with {said}" in refusal.reason
