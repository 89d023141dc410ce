"""Worlds drawn at random: where a call runs, and what arrives, is what the slow reference says.

``pytest tests/hostile --hypothesis-profile=long`` draws 200,000 worlds.
"""

from __future__ import annotations

import sys
import warnings
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scverse_backends import BackendDispatcher
from scverse_backends.exceptions import BackendFallbackWarning, BackendRegistrationWarning

from .drawing import build, draw_world
from .reference import ABSENT, ANY, expect

TIMES = (
    50 if settings.default.max_examples > 100 else 20
)  # as many worlds as the profile has examples


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_installed():
    """Read metadata where there is none: each world's host looks for what is installed."""
    before = sys.path
    sys.path = [place for place in before if not [*Path(place).glob("*.dist-info")]]
    yield
    sys.path = before


class Stage:
    """A world made real."""

    def __init__(self, world):
        self.world = world
        self.ran = []
        self.dispatcher = BackendDispatcher(
            entrypoint_group="tests.nobody",
            host_name="example_host",
            ignorable=world.ignorable,
            parameter_aliases={old: new for new, *more in world.aliases for old in more},
            fallback=world.policy,
            trusted_backends={"absent": {"package": "absent-backend"}},
            should_run=None if world.rather is ABSENT else lambda *asked: world.rather,
        )
        self.dispatcher.backend_dispatch(name="other")(lambda: None)
        self.func = self.dispatcher.backend_dispatch(
            name="func", host_defaults=world.host_defaults
        )(self.make(world.host, "host"))
        for backend in world.backends:
            self.dispatcher.register(self.adapter(backend))

    def make(self, function, who, *, calls_back=False):
        rest = {p.name for p in function.parameters if p.kind == ANY}

        def receive(named):
            extra = {f"**{k}": v for name in rest for k, v in named.pop(name).items()}
            self.ran.append((who, named | extra))
            nested = self.world.host.receives(self.world.args, self.world.kwargs)
            if calls_back and nested is not None:
                self.func(*self.world.args, **self.world.kwargs)
            return who

        defaults = {p.name: p.default for p in function.parameters}
        return build(function, receive, defaults)

    def adapter(self, backend):
        found = SimpleNamespace(name=backend.name, aliases=backend.aliases)
        found.renames = {"func": backend.renames}
        found.fixed = {"func": backend.fixed}
        if backend.offers == "it":
            found.func = self.make(backend.function, backend.name, calls_back=backend.calls_back)
        if backend.offers == "in vain":
            found.__all__ = ["func"]
        elif backend.lists:
            found.__all__ = ["func"] if backend.offers == "it" else []
        if backend.answer is not ABSENT:
            found.can_run = lambda function, arguments: backend.answer
        if backend.rather is not ABSENT:
            found.should_run = lambda function, arguments: backend.rather
        return found

    def select(self, stack):
        """Put in force what the process and the block select."""
        world, selecting = self.world, self.dispatcher.settings
        if world.process is not None:
            selecting.backend = dict(world.process.keyed) or world.process.labels
            if world.process.policy:
                selecting.fallback = world.process.policy
        if world.block is not None:
            block = world.block
            given = [dict(block.keyed), *block.labels] if block.keyed else block.labels
            options = {"func": block.options} if block.options else None
            stack.enter_context(
                selecting.use_backend(*given, fallback=block.policy, options=options)
            )

    def calls(self):
        """Make the call twice: routes are compiled by the first."""
        selector = {} if self.world.call is None else {"backend": list(self.world.call.labels)}
        with ExitStack() as stack:
            self.select(stack)
            for _ in range(2):
                yield self.met(lambda: self.func(*self.world.args, **self.world.kwargs, **selector))

    def met(self, work):
        self.ran.clear()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                work()
                error = None
            except Exception as raised:  # noqa: BLE001 - what is raised is what is asked
                error = raised
        return [*self.ran], error, [found.category for found in caught]

    def objection(self):
        """Tell what Python itself says of the call."""
        with pytest.raises(TypeError) as caught:
            self.func.__wrapped__(*self.world.args, **self.world.kwargs)
        return str(caught.value)

    def decision(self):
        selector = {} if self.world.call is None else {"backend": list(self.world.call.labels)}
        with ExitStack() as stack:
            self.select(stack)
            explain = self.dispatcher.settings.explain
            return explain(self.func, *self.world.args, **self.world.kwargs, **selector)


def same(one, other):
    """Whether the very same objects arrived under the same names."""
    return one.keys() == other.keys() and all(one[name] is other[name] for name in one)


def check(world):
    expected, stage = expect(world), Stage(world)
    once = [BackendRegistrationWarning] * expected.mistaken
    for ran, error, warned in stage.calls():
        assert (type(error).__name__ if error else None) == expected.error
        if isinstance(error, TypeError) and not expected.names_owners:
            # What Python says of the call, whatever was selected, the first time too.
            assert str(error) == stage.objection()
        assert [who for who, _ in ran] == [who for who, _ in expected.ran]
        pairs = zip(ran, expected.ran, strict=True)
        assert all(same(seen[1], wanted[1]) for seen, wanted in pairs)
        assert warned == once + [BackendFallbackWarning] * expected.falls_back
        once = []
    if expected.is_settled:
        decision = stage.decision()
        assert decision.backend == expected.backend
        assert decision.is_stopped == (expected.error == "BackendFallbackError")
        said = [refusal.backend for refusal in decision.refusals]
        assert said == expected.left_out + expected.refused
        assert {name for name, _ in decision.options} == expected.options.keys()
        assert set(decision.ignored) == expected.ignored
        assert {d.parameter for d in decision.differing_defaults} == expected.differing


@pytest.mark.timeout(7200)
@settings(max_examples=settings.default.max_examples * TIMES)
@given(st.randoms(use_true_random=True))
def test_a_call_runs_where_the_design_says_and_receives_what_it_says(random):
    check(draw_world(random))
