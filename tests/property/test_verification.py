"""What `verify` says without a call is what happens to calls.

The pairs are those of 24 functions of scanpy and of rapids-singlecell, and pairs that are drawn.
"""

import json
from inspect import Parameter
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given

from scverse_backends import BackendDispatcher
from scverse_backends.testing import verify

DATA = Path(__file__).parents[1] / "data" / "scanpy_rapids_signatures.json"
PAIRS = json.loads(DATA.read_text(encoding="utf-8"))["functions"]
BLOCKING = (
    "missing-parameter",
    "required-parameter",
    "required-option",
)


class Pair:
    """One scenario's host and backend, and what `verify` says of them."""

    def __init__(self, scenario):
        self.host = scenario.host
        dispatcher = BackendDispatcher(
            entrypoint_group="tests.nobody",
            host_name="example_host",
            ignorable=scenario.ignorable,
            fallback="silent",
        )
        decorate = dispatcher.backend_dispatch(name="func", host_defaults=scenario.host_defaults)
        func = decorate(scenario.host.build(lambda received: None))
        mine = scenario.mine.build(lambda received: None)
        adapter = SimpleNamespace(name="mine", func=mine, renames={"func": scenario.renames})
        dispatcher.register(adapter)
        self.found = verify(dispatcher, "mine").findings
        self.explain = lambda *args, **given: dispatcher.settings.explain(
            func, *args, backend="mine", **given
        )

    def parameters(self, *kinds):
        return {found.parameter for found in self.found if found.kind in kinds}

    def runs(self, names):
        """Whether a call that gives these parameters, and all that every call gives, runs there."""
        wanted = self.host.required.union(names)
        nameless = [
            found for found in self.host.named.values() if found.kind is Parameter.POSITIONAL_ONLY
        ]
        while nameless and nameless[-1].name not in wanted:
            nameless.pop()
        args = [object() if found.name in wanted else found.default for found in nameless]
        given = {name: object() for name in wanted - {found.name for found in nameless}}
        return self.explain(*args, **given).backend == "mine"


def check(scenario):
    pair = Pair(scenario)
    optional = pair.host.named.keys() - pair.host.required
    missing = pair.parameters("missing-parameter")
    for name in missing & optional:
        assert not pair.runs({name})
    if pair.parameters(*BLOCKING) <= {*optional, "**kwargs"} and not pair.parameters(*BLOCKING[1:]):
        assert pair.runs(set())
        assert pair.runs(optional - missing)
    elif missing - optional - {"**kwargs"} or pair.parameters("required-option"):
        assert not pair.runs(set())
        assert not pair.runs(optional)


@pytest.mark.parametrize("name", PAIRS)
def test_of_a_real_pair(recorded_pair, name):
    @given(recorded_pair(PAIRS[name]["host"], PAIRS[name]["backend"]))
    def is_true(scenario):
        check(scenario)

    is_true()


def test_of_a_drawn_pair(drawn_pair):
    @given(drawn_pair)
    def is_true(scenario):
        check(scenario)

    is_true()
