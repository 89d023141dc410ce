"""Every argument that is given reaches the implementation, in whichever way both sides take it."""

from __future__ import annotations

from functools import partial

import pytest


@pytest.mark.parametrize(
    ("host", "mine", "made", "received"),
    [
        pytest.param(
            lambda data, factor=1: None,
            lambda data, factor=1: locals(),
            lambda call: call(3, 4),
            {"data": 3, "factor": 4},
            id="by position",
        ),
        pytest.param(
            lambda data, factor=1: None,
            lambda data, factor=1: locals(),
            lambda call: call(factor=4, data=3),
            {"data": 3, "factor": 4},
            id="by name",
        ),
        pytest.param(
            lambda data, factor=1, offset=0: None,
            lambda data, offset=0, factor=1: locals(),
            lambda call: call(3, 4, 5),
            {"data": 3, "factor": 4, "offset": 5},
            id="by position, in another order on the backend",
        ),
        pytest.param(
            lambda data, factor: None,
            lambda factor, data: {"data": data, "factor": factor},
            lambda call: call(3, 4),
            {"data": 3, "factor": 4},
            id="by position, in the opposite order on the backend",
        ),
        pytest.param(
            lambda first=1, second=2, third=3: None,
            lambda second=2, first=1, third=3: locals(),
            lambda call: call(7),
            {"first": 7, "second": 2, "third": 3},
            id="by position, in another order but for the last",
        ),
        pytest.param(
            lambda data, factor=1: None,
            lambda data, tiles=8, factor=1: locals(),
            lambda call: call(3, 4),
            {"data": 3, "tiles": 8, "factor": 4},
            id="by position, past a parameter of the backend's own",
        ),
        pytest.param(
            lambda data, factor=1: None,
            lambda data, *, factor=1: locals(),
            lambda call: call(3, 4),
            {"data": 3, "factor": 4},
            id="by position, to a keyword-only one",
        ),
        pytest.param(
            lambda data, *, factor=1: None,
            lambda data, factor=1: locals(),
            lambda call: call(3, factor=4),
            {"data": 3, "factor": 4},
            id="by name, from a keyword-only one",
        ),
        pytest.param(
            lambda data, factor=1, /: None,
            lambda data, factor=1: locals(),
            lambda call: call(3, 4),
            {"data": 3, "factor": 4},
            id="from a positional-only one",
        ),
        pytest.param(
            lambda data, factor=1, /: None,
            lambda *, data, factor=1: {**locals()},
            lambda call: call(3, 4),
            {"data": 3, "factor": 4},
            id="from a positional-only one to a keyword-only one",
        ),
        pytest.param(
            lambda data, factor=1: None,
            lambda data, factor=1, /: {**locals()},
            lambda call: call(factor=4, data=3),
            {"data": 3, "factor": 4},
            id="to a positional-only one",
        ),
        pytest.param(
            lambda data, factor=1, offset=0: None,
            lambda data, factor=7, offset=0, /: {**locals()},
            lambda call: call(3, offset=5),
            {"data": 3, "factor": 7, "offset": 5},
            id="to a positional-only one behind one that is left out",
        ),
        pytest.param(
            lambda data, factor=1, offset=0: None,
            lambda data, factor=7, offset=0, /: {**locals()},
            lambda call: call(data=3),
            {"data": 3, "factor": 7, "offset": 0},
            id="to a positional-only one before others that are left out",
        ),
        pytest.param(
            lambda first=1, second=2: None,
            lambda first=3, second=4, /: {"first": first, "second": second},
            lambda call: call(second=5),
            {"first": 3, "second": 5},
            id="to a positional-only one after another that is left out",
        ),
        pytest.param(
            lambda data, factor=1: None,
            lambda **options: options,
            lambda call: call(3, 4),
            {"data": 3, "factor": 4},
            id="to the backend's keywords",
        ),
        pytest.param(
            lambda data, factor=1: None,
            lambda data, *rest, **options: {"data": data, "rest": rest, **options},
            lambda call: call(3, 4),
            {"data": 3, "rest": (), "factor": 4},
            id="to the backend's keywords, never to its positional rest",
        ),
        pytest.param(
            lambda data, **options: None,
            lambda data, seed=0: locals(),
            lambda call: call(3, seed=4),
            {"data": 3, "seed": 4},
            id="from the host's keywords",
        ),
        pytest.param(
            lambda data, **options: None,
            lambda data, **settings: {"data": data, **settings},
            lambda call: call(3, seed=4),
            {"data": 3, "seed": 4},
            id="from keywords to keywords",
        ),
        pytest.param(
            lambda data: None,
            lambda data, *, batch_size=16: locals(),
            lambda call: call(3, batch_size=4),
            {"data": 3, "batch_size": 4},
            id="an option of the backend's own",
        ),
        pytest.param(
            lambda data: None,
            lambda data, batch_size: locals(),
            lambda call: call(3, batch_size=4),
            {"data": 3, "batch_size": 4},
            id="an option that the backend requires",
        ),
        pytest.param(
            lambda data, factor=1: None,
            lambda data, factor=7: locals(),
            lambda call: call(3),
            {"data": 3, "factor": 7},
            id="what is left out is left to the backend's own default",
        ),
        pytest.param(
            lambda data, factor=1: None,
            lambda data, factor=7: locals(),
            lambda call: call(3, factor=1),
            {"data": 3, "factor": 1},
            id="what is given is passed on even where it is the host's default",
        ),
        pytest.param(
            lambda data, factor=1: None,
            lambda data, **options: {"data": data, **options},
            lambda call: call(3, factor=1),
            {"data": 3, "factor": 1},
            id="what is given is passed on to keywords even where it is the host's default",
        ),
        pytest.param(
            lambda data, copy=False: None,
            lambda data: locals(),
            lambda call: call(3, False),
            {"data": 3},
            id="a host-only one at its default, by position, counts as not given",
        ),
        pytest.param(
            lambda data, copy=False, factor=1: None,
            lambda data, factor=1: locals(),
            lambda call: call(3, False, 4),
            {"data": 3, "factor": 4},
            id="a host-only one at its default, before one that the backend has",
        ),
        pytest.param(
            lambda data, *, copy=False: None,
            lambda data: locals(),
            lambda call: call(3, copy=False),
            {"data": 3},
            id="a host-only one at its default, by name, counts as not given",
        ),
        pytest.param(
            lambda: None,
            lambda: {**locals()},
            lambda call: call(),
            {},
            id="nothing at all",
        ),
    ],
)
def test_every_argument_given_reaches_the_implementation(pair, outcome, host, mine, made, received):
    func = pair(host, mine)
    assert made(partial(outcome, func)) == received
