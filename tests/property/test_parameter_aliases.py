"""However a host, an adapter and a call name their parameters, nothing that is given is lost or doubled."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scverse_backends import BackendDispatcher

ALIASES = st.sampled_from(
    [{"a": "b"}, {"b": "a"}, {"a": "b", "c": "d"}, {"a": "b", "c": "b"}, {"a": "b", "b": "c"}]
)


class World:
    """A host function and an implementation of it, some of whose names mean the same to the host."""

    def __init__(self, scenario, aliases):
        self.host = scenario.host
        self.groups = groups(aliases)
        self.dispatcher = BackendDispatcher(
            entrypoint_group="tests.nobody",
            host_name="example_host",
            parameter_aliases=aliases,
            ignorable=scenario.ignorable,
            fallback="silent",
        )
        decorate = self.dispatcher.backend_dispatch(
            name="func", host_defaults=scenario.host_defaults
        )
        self.func = decorate(self.host.build(lambda received: ("cpu", received)))
        mine = scenario.mine.build(lambda received: ("mine", received))
        renames = {"func": scenario.renames}
        self.dispatcher.register(SimpleNamespace(name="mine", func=mine, renames=renames))
        self.renames = scenario.renames

    def names_of(self, name):
        return next((group for group in self.groups if name in group), {name})

    def outcome(self, args, kwargs):
        """Tell who ran a call and what arrived there, or that the host refused it."""
        try:
            return self.func(*args, **kwargs)
        except TypeError:
            return "refused", {}

    def received_as(self, name):
        """Name all parameters of an implementation that may stand for one of the host."""
        names = self.names_of(name)
        return {*names, *(self.renames[one] for one in names if one in self.renames)}


def groups(aliases):
    found = []
    for old, new in aliases.items():
        joined = [group for group in found if group & {old, new}]
        found = [group for group in found if group not in joined]
        found.append({old, new}.union(*joined))
    return found


@st.composite
def calls(draw, host):
    """Draw a call: some values are the host's defaults, all others are objects of their own."""
    places = [p for p in host.named.values() if p.kind is not p.KEYWORD_ONLY]
    count = draw(st.integers(0, len(places)))
    names = draw(st.lists(st.sampled_from("abcdefg"), unique=True, max_size=3))

    def value(parameter):
        plain = parameter is None or parameter.default is parameter.empty or draw(st.booleans())
        return object() if plain else parameter.default

    args = [value(parameter) for parameter in places[:count]]
    taken = {parameter.name for parameter in places[:count]}
    return args, {name: value(host.named.get(name)) for name in names if name not in taken}


@pytest.mark.filterwarnings("ignore:.*no call can give:UserWarning")
def test_each_argument_arrives_once_or_the_host_runs(drawn_pair):
    @given(drawn_pair, ALIASES, st.data())
    def is_true(scenario, aliases, data):
        check(World(scenario, aliases), *data.draw(calls(scenario.host)))

    is_true()


def check(world, args, kwargs):
    with world.dispatcher.settings.use_backend("mine"):
        decision = world.dispatcher.settings.explain(world.func, *args, **kwargs)
        found = [world.outcome(args, kwargs), world.outcome(args, kwargs)]
        with world.dispatcher.settings.trace():
            found += [world.outcome(args, kwargs), world.outcome(args, kwargs)]
    found.append(world.outcome(args, {**kwargs, "backend": "mine"}))
    assert found == [found[0]] * 5
    who, received = found[0]
    assert (who == "mine") == (decision.backend == "mine")
    named = dict(zip((p.name for p in world.host.named.values()), args, strict=False)) | kwargs
    if who == "mine":
        arrived(world, named, received, decision)
    else:
        assert world.outcome(args, kwargs) == (who, received)


def arrived(world, named, received, decision):
    """Check what reached the implementation against what was given."""
    for name, value in named.items():
        default = world.host.named[name].default if name in world.host.named else None
        where = [target for target, one in received.items() if one is value]
        if name in decision.ignored or value is default or type(value) is not object:
            continue
        assert len(where) == 1, (name, received)
        assert where[0] in world.received_as(name)
    for group in world.groups:
        meant = [
            name
            for name in group & named.keys()
            if name not in world.host.named or named[name] is not world.host.named[name].default
        ]
        assert len(meant) <= 1
