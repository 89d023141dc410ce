"""A call that would lose an argument does not go to the backend."""

from __future__ import annotations

from functools import partial

import pytest


@pytest.mark.parametrize(
    ("host", "mine", "made", "received", "reason"),
    [
        pytest.param(
            lambda data, copy=False: locals(),
            lambda data: None,
            lambda call: call(3, copy=True),
            {"data": 3, "copy": True},
            "does not take 'copy'",
            id="a host-only one that differs from the default",
        ),
        pytest.param(
            lambda data, copy=False: locals(),
            lambda data: None,
            lambda call: call(3, True),
            {"data": 3, "copy": True},
            "does not take 'copy'",
            id="a host-only one that differs, by position",
        ),
        pytest.param(
            lambda data, key: locals(),
            lambda data: None,
            lambda call: call(3, None),
            {"data": 3, "key": None},
            "does not take 'key'",
            id="a host-only one without a default",
        ),
        pytest.param(
            lambda data, layer=None, obsm=None: locals(),
            lambda data: None,
            lambda call: call(3, obsm="protein", layer="counts"),
            {"data": 3, "layer": "counts", "obsm": "protein"},
            "does not take 'obsm', 'layer'",
            id="several at once",
        ),
        pytest.param(
            lambda data, **options: {"data": data, **options},
            lambda data: None,
            lambda call: call(3, seed=4),
            {"data": 3, "seed": 4},
            "does not take 'seed'",
            id="one of the host's keywords",
        ),
        pytest.param(
            lambda data: locals(),
            lambda values: None,
            lambda call: call(3),
            {"data": 3},
            "does not take 'data' and needs 'values', which the call does not give",
            id="one that bears another name on the backend",
        ),
        pytest.param(
            lambda data: locals(),
            lambda data, seed: None,
            lambda call: call(3),
            {"data": 3},
            "needs 'seed', which the call does not give",
            id="one that the backend requires and the host has not",
        ),
        pytest.param(
            lambda data, seed=0: locals(),
            lambda data, seed: None,
            lambda call: call(3),
            {"data": 3, "seed": 0},
            "needs 'seed', which the call does not give",
            id="one that the backend requires and the caller left out",
        ),
        pytest.param(
            lambda data: locals(),
            lambda *values: None,
            lambda call: call(3),
            {"data": 3},
            "does not take 'data'",
            id="one that the backend could only take without a name",
        ),
        pytest.param(
            lambda data, /, **options: {"data": data, "options": options},
            lambda data, **options: None,
            lambda call: call(3, data=4),
            {"data": 3, "options": {"data": 4}},
            "would receive 'data' twice",
            id="two of the same name",
        ),
    ],
)
def test_a_call_with_an_argument_that_would_be_lost_runs_on_the_host_with_all_of_them(
    pair, outcome, reasons, host, mine, made, received, reason
):
    func = pair(host, mine, fallback="silent")
    assert made(partial(outcome, func)) == received
    assert made(partial(reasons, func)) == [reason]


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(lambda call: call(1, 2, 3), id="too many"),
        pytest.param(lambda call: call(1, data=2), id="twice"),
        pytest.param(lambda call: call(), id="too few"),
        pytest.param(lambda call: call(1, unknown=2), id="unknown to both"),
    ],
)
@pytest.mark.parametrize("policy", ["warn", "silent"])
@pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.BackendFallbackWarning")
def test_a_call_that_fits_neither_side_is_a_type_error_and_nothing_runs(
    dispatcher, pair, made, policy
):
    ran = []
    func = pair(
        lambda data, factor=1: ran.append("host"),
        lambda data, factor=1: ran.append("mine"),
        fallback=policy,
    )
    for _ in range(2):
        with dispatcher.settings.use_backend("mine"), pytest.raises(TypeError):
            made(func)
    assert ran == []
