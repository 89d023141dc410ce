"""Calls drawn at random against real pairs of signatures, and against pairs that are drawn too.

Whoever runs a call must receive every argument that was given, and nothing is raised but what is
documented. Run ``pytest tests/property --hypothesis-profile=long`` for 100,000 scenarios.
"""

import json
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given

from scverse_backends import BackendDispatcher
from scverse_backends.exceptions import BackendFallbackError, BackendFallbackWarning

DATA = Path(__file__).parents[1] / "data" / "scanpy_rapids_signatures.json"
PAIRS = json.loads(DATA.read_text(encoding="utf-8"))["functions"]


class Drive:
    """One scenario, driven through a dispatcher of its own."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.ran = []
        self.dispatcher = BackendDispatcher(
            entrypoint_group="tests.nobody",
            host_name="example_host",
            ignorable=scenario.ignorable,
            fallback=scenario.policy,
        )
        self.func = self.dispatcher.backend_dispatch(
            name="func", host_defaults=scenario.host_defaults
        )(scenario.host.build(lambda received: self.ran.append(("host", received))))
        self.dispatcher.register(
            SimpleNamespace(
                name="mine",
                func=scenario.mine.build(lambda received: self.ran.append(("mine", received))),
                renames={"func": scenario.renames},
            )
        )

    def call(self, **selector):
        """Make the call; give who received what, what was raised, and what was warned of."""
        self.ran.clear()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                self.func(*self.scenario.args, **self.scenario.kwargs, **selector)
                error = None
            except (TypeError, BackendFallbackError) as raised:
                error = type(raised)
        return [*self.ran], error, [warning.category for warning in caught]

    def decision(self):
        scenario = self.scenario
        explain = self.dispatcher.settings.explain
        return explain(self.func, *scenario.args, **scenario.kwargs, backend="mine")

    def calls(self):
        """Make the call with a backend of its own, and in a block: first, then known."""
        yield self.call(backend="mine")
        with self.dispatcher.settings.use_backend("mine"):
            yield self.call()
            yield self.call()


def check(scenario):
    expected, drive = scenario.expected(), Drive(scenario)
    for ran, error, warned in drive.calls():
        if expected is not None:
            check_backend_ran(scenario, ran, error, warned)
        elif scenario.policy == "error":
            assert (ran, warned) == ([], [])
            assert error is BackendFallbackError or (error and not scenario.fits_host())
        elif scenario.fits_host():
            check_host_ran(scenario, ran, error, warned)
        else:
            assert (ran, error) == ([], TypeError)
    check_decision(scenario, expected, drive.decision())


def check_backend_ran(scenario, ran, error, warned):
    assert (error, warned) == (None, [])
    [(who, received)] = ran
    assert who == "mine"
    assert scenario.same(received, scenario.expected())


def check_host_ran(scenario, ran, error, warned):
    assert error is None
    assert warned == ([BackendFallbackWarning] if scenario.policy == "warn" else [])
    [(who, received)] = ran
    assert who == "host"
    assert scenario.same(received, scenario.expected_on_host())


def check_decision(scenario, expected, decision):
    if expected is None:
        assert (decision.backend, len(decision.refusals)) == ("cpu", 1)
        return
    arriving = {name for name in scenario.given if scenario.target(name) is not None}
    assert (decision.backend, decision.refusals) == ("mine", ())
    assert set(decision.forwarded) == arriving
    assert set(decision.ignored) <= set(scenario.ignorable) - arriving
    assert dict(decision.renamed).items() <= scenario.renames.items()


@pytest.mark.parametrize("name", PAIRS)
def test_every_argument_of_a_real_pair_arrives(recorded_pair, name):
    @given(recorded_pair(PAIRS[name]["host"], PAIRS[name]["backend"]))
    def arrives(scenario):
        check(scenario)

    arrives()
