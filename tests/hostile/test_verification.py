"""What `verify` says without a call is what happens to calls."""

import random
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scverse_backends import BackendDispatcher
from scverse_backends.testing import verify

from .drawing import NAMES, PAIRS, build, draw_backend, draw_function, recorded, some
from .reference import ABSENT, ANY, POSITIONAL

BLOCKING = ("missing-parameter", "required-parameter", "required-option")


class Pair:
    """A host function and its implementation, and what `verify` says of them."""

    def __init__(self, random, host, implementation=None):
        self.host = host
        backend = draw_backend(random, "one", host, implementation)
        known = {p.name for p in (*host.parameters, *backend.function.parameters) if p.kind != ANY}
        dispatcher = BackendDispatcher(
            entrypoint_group="tests.nobody",
            host_name="example_host",
            ignorable=some(random, known | {"typo"}, 2),
            fallback="silent",
        )
        forwarded = random.random() < 0.5
        decorate = dispatcher.backend_dispatch(name="func", host_defaults=forwarded)
        func, mine = decorate(made(host)), made(backend.function)
        renames = {"func": backend.renames}
        dispatcher.register(SimpleNamespace(name="one", func=mine, renames=renames))
        self.found = verify(dispatcher, "one").findings
        self.explain = lambda *args, **given: dispatcher.settings.explain(
            func, *args, backend="one", **given
        )

    def parameters(self, *kinds):
        return {found.parameter for found in self.found if found.kind in kinds}

    def runs(self, names):
        """Whether a call that gives these parameters, and all that every call gives, runs there."""
        wanted = {p.name for p in self.host.parameters if is_required(p)}.union(names)
        nameless = [p for p in self.host.parameters if p.kind == POSITIONAL]
        while nameless and nameless[-1].name not in wanted:
            nameless.pop()
        args = [object() if p.name in wanted else p.default for p in nameless]
        given = {name: object() for name in wanted - {p.name for p in nameless}}
        return self.explain(*args, **given).backend == "one"


def made(function):
    return build(function, bool, {p.name: p.default for p in function.parameters})


def is_required(parameter):
    return parameter.default is ABSENT and parameter.kind != ANY


def check(pair):
    optional = {p.name for p in pair.host.parameters if p.kind != ANY and not is_required(p)}
    missing = pair.parameters("missing-parameter")
    for name in missing & optional:
        assert not pair.runs({name})
    if pair.parameters(*BLOCKING) <= {*optional, "**kwargs"} and not pair.parameters(*BLOCKING[1:]):
        assert pair.runs(set())
        assert pair.runs(optional - missing)
    elif missing - optional - {"**kwargs"} or pair.parameters("required-option"):
        assert not pair.runs(set())
        assert not pair.runs(optional)


@given(st.randoms(use_true_random=True))
def test_of_a_drawn_pair(random):
    names = random.sample(NAMES, random.randint(0, 4))
    check(Pair(random, draw_function(random, names)))


@pytest.mark.parametrize("name", PAIRS)
def test_of_a_real_pair(name):
    host, function = recorded(PAIRS[name]["host"]), recorded(PAIRS[name]["backend"])
    for seed in range(5):
        check(Pair(random.Random(seed), host, function))  # noqa: S311 - chance, not secrecy
