"""An adapter that always does one thing says so: it takes exactly the calls that mean that."""

from __future__ import annotations

import pytest

from scverse_backends.exceptions import BackendConfigurationError, BackendFallbackError
from scverse_backends.testing import verify


@pytest.fixture
def count(dispatcher, offer):
    """A host function that works in place only if it is told to; the backend always does."""

    @dispatcher.backend_dispatch
    def count(table, inplace=False, **options):
        return "host"

    offer(count=lambda table: "mine", fixed={"count": {"inplace": True}})
    dispatcher.settings.fallback = "error"
    return count


def test_a_call_that_gives_the_fixed_value_runs_there(count, outcome):
    assert outcome(count, {}, inplace=True) == "mine"
    assert outcome(count, {}, True) == "mine"


@pytest.mark.parametrize("call", [{}, {"inplace": False}, {"inplace": 1}], ids=repr)
def test_a_call_that_means_another_value_does_not(count, reasons, call):
    (reason,) = reasons(count, {}, **call)
    meant = call.get("inplace", False)
    assert reason == f"always works with inplace=True, and the call means inplace={meant!r}"


def test_the_hosts_default_may_be_what_the_backend_always_does(dispatcher, offer, outcome):
    func = dispatcher.backend_dispatch(name="func")(lambda data, copy=True: "host")
    offer(func=lambda data: "mine", fixed={"func": {"copy": True}})
    assert outcome(func, 1) == "mine"
    dispatcher.settings.fallback = "error"
    with pytest.raises(BackendFallbackError, match="always works with copy=True"):
        func(1, copy=False, backend="mine")


def test_a_fixed_value_among_the_hosts_keywords_is_compared(dispatcher, offer, outcome, reasons):
    func = dispatcher.backend_dispatch(name="func")(lambda data, **options: "host")
    offer(func=lambda data, **options: options, fixed={"func": {"seed": 0}})
    assert outcome(func, 1, seed=0) == {"seed": 0}
    assert outcome(func, 1) == {}
    assert reasons(func, 1, seed=1) == ["always works with seed=0, and the call means seed=1"]


@pytest.mark.parametrize("fixed", [1, {"count": 1}, {"count": {1: 2}}, {1: {}}], ids=repr)
def test_one_of_another_form_is_refused(offer, fixed):
    with pytest.raises(BackendConfigurationError, match="its `fixed` must be"):
        offer(count=len, fixed=fixed)


def test_verify_tells_what_is_fixed_and_what_cannot_be(dispatcher, count, offer):
    offer(
        "other",
        count=lambda table: "mine",
        fixed={"count": {"inplce": True}, "cuont": {"inplace": True}},
    )
    (found,) = (f for f in verify(dispatcher, "mine").findings if f.kind == "fixed-parameter")
    assert found.message.startswith("always works with inplace=True, so calls that mean another")
    assert found.message.endswith("and those that leave it at False")
    assert found[-3:] == ("inplace", "False", "True")
    assert "missing-parameter" not in {
        f.kind for f in verify(dispatcher, "mine").findings if f.parameter == "inplace"
    }
    told = [f.message for f in verify(dispatcher, "other").findings if f.kind == "unknown-fixed"]
    assert any("did you mean 'inplace'" in message for message in told)
    assert any("'cuont', which the host does not dispatch" in message for message in told)


def test_what_is_fixed_is_told_of_a_parameter_that_the_backend_has_and_no_default_of_it(
    dispatcher, offer, reasons
):
    func = dispatcher.backend_dispatch(name="func")(lambda data, copy=False: "host")
    offer(func=lambda data, copy=True: "mine", fixed={"func": {"copy": True}})
    assert reasons(func, 1) == ["always works with copy=True, and the call means copy=False"]
    assert dispatcher.settings.explain(func, 1, True, backend="mine").differing_defaults == ()
    (fit,) = verify(dispatcher, "mine").functions
    assert ([found.kind for found in fit.findings], fit.state) == (["fixed-parameter"], "partly")


def test_what_is_fixed_among_the_hosts_keywords_is_no_mistake(dispatcher, offer):
    dispatcher.backend_dispatch(name="func")(lambda data, **options: "host")
    offer(func=lambda data, **options: "mine", fixed={"func": {"seed": 0}})
    (found,) = verify(dispatcher, "mine").findings
    assert (found.kind, found.parameter, found.host) == ("fixed-parameter", "seed", None)


def test_verify_tells_of_positional_arguments_that_go_elsewhere(dispatcher, offer):
    dispatcher.backend_dispatch(name="total")(lambda *samples: "host")
    offer(total=lambda: "mine")
    offer("other", total=lambda *samples: "other")
    (found,) = (f for f in verify(dispatcher, "mine").findings if f.kind == "missing-parameter")
    assert found.message.startswith("has no *args where the host has *samples")
    kinds = {f.kind for f in verify(dispatcher, "other").findings}
    assert kinds.isdisjoint({"missing-parameter", "variadic"})
