"""Several backends in order of preference: the first that can take a call runs it."""

import pytest

from scverse_backends.exceptions import BackendFallbackError, BackendFallbackWarning


@pytest.fixture
def normalize(dispatcher, offer):
    """Dispatch a function whose ``layer`` only ``jax`` takes, and whose ``obsm`` nobody does."""
    offer("cuda", normalize=lambda data, copy=False: "cuda")
    offer("jax", normalize=lambda data, copy=False, layer=None: "jax")
    offer("empty")
    return dispatcher.backend_dispatch(name="normalize")(
        lambda data, copy=False, layer=None, obsm=None: "host"
    )


@pytest.mark.parametrize(
    ("preference", "arguments", "ran"),
    [
        (["cuda", "jax"], {}, "cuda"),
        (["jax", "cuda"], {}, "jax"),
        (["cuda", "jax"], {"layer": "counts"}, "jax"),
        (["jax", "cuda"], {"layer": "counts"}, "jax"),
        (["empty", "cuda"], {"copy": True}, "cuda"),
        (["empty", "cuda", "jax"], {"layer": "counts"}, "jax"),
        (["cuda", "jax", "cpu"], {}, "cuda"),
        (["cuda", "jax", "cpu"], {"layer": "counts"}, "jax"),
        (["cuda", "jax", "cpu"], {"obsm": "protein"}, "host"),
        (["cuda", "cpu", "jax"], {"layer": "counts"}, "host"),
        (["cpu", "cuda"], {}, "host"),
        (["cuda", "cuda", "jax"], {"layer": "counts"}, "jax"),
    ],
)
def test_the_first_that_can_take_the_call_runs_it(
    dispatcher, normalize, outcome, preference, arguments, ran
):
    dispatcher.settings.fallback = "error"
    assert outcome(normalize, 1, on=preference, **arguments) == ran
    assert outcome(normalize, 1, on=tuple(preference), **arguments) == ran


def test_each_call_in_a_trace_says_why_the_first_choice_did_not_take_it(dispatcher, offer):
    offer("cuda", double=lambda data: "cuda", can_run=lambda function, given: f"not {given}")
    offer("jax", double=lambda data: "jax")
    double = dispatcher.backend_dispatch(name="double")(lambda data: "host")
    with dispatcher.settings.trace() as trace, dispatcher.settings.use_backend("cuda", "jax"):
        assert [double(1), double(2)] == ["jax", "jax"]
    assert [record.refusals[0].reason for record in trace.records] == [
        "declines: not {'data': 1}",
        "declines: not {'data': 2}",
    ]


def test_asking_stops_at_the_first_that_can(dispatcher, offer):
    func = dispatcher.backend_dispatch(name="func")(lambda: "host")
    offer("first", func=lambda: "first")
    offer("second", func=lambda: "second", can_run=lambda *_: pytest.fail("it was asked"))
    assert func(backend=["first", "second"]) == "first"


def test_every_backend_that_was_asked_says_why_not(dispatcher, normalize):
    with pytest.warns(BackendFallbackWarning) as caught:
        assert normalize(1, obsm="protein", backend=["cuda", "empty", "jax"]) == "host"
    message = caught[0].message
    assert message.refusals == (
        ("cuda", "does not take 'obsm'"),
        ("empty", "does not implement it"),
        ("jax", "does not take 'obsm'"),
    )
    for backend, reason in message.refusals:
        assert f"{backend!r} {reason}" in str(message)
    dispatcher.settings.fallback = "error"
    with pytest.raises(BackendFallbackError, match=r"'cuda' .*'jax' "):
        normalize(1, obsm="protein", backend=["cuda", "jax"])
