"""Scenarios: a pair of signatures, how both sides want it dispatched, and one call.

What a scenario expects follows from the signatures alone, by the rules that users are promised.
"""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from functools import cache
from inspect import Parameter, Signature
from itertools import takewhile
from typing import Any

import pytest
from hypothesis import strategies as st

BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


class Opaque:
    """A value that equals nothing but itself."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text


class Equal(Opaque):
    """An object of another type than a default, which says that it equals it."""

    def __init__(self, default):
        super().__init__(f"Equal({default!r})")
        self.default = default

    def __eq__(self, other):
        return other is self.default

    __hash__ = None


class Unclear(Opaque):
    """A value whose comparisons give no single truth value, as those of arrays do."""

    def __eq__(self, other):
        return [True]

    __hash__ = None


@dataclass(frozen=True)
class Side:
    """What a host function, or an implementation, takes."""

    parameters: tuple[Parameter, ...]

    @property
    def named(self):
        return {p.name: p for p in self.parameters if p.kind is not Parameter.VAR_KEYWORD}

    @property
    def takes_any(self):
        return len(self.named) < len(self.parameters)

    @property
    def required(self):
        return {p.name for p in self.named.values() if p.default is Parameter.empty}

    @property
    def positional(self):
        return [p.name for p in self.parameters if p.kind in BY_POSITION]

    def build(self, receive):
        """Make a real function of these parameters, which tells what it received."""
        shown = [
            p if p.default is p.empty else p.replace(default=Opaque(f"defaults[{p.name!r}]"))
            for p in self.parameters
        ]
        rest = [p.name for p in self.parameters if p.kind is Parameter.VAR_KEYWORD]
        scope = {
            "__name__": __name__,
            "defaults": {p.name: p.default for p in self.parameters},
            "receive": lambda named: receive(named | named.pop("".join(rest), {})),
        }
        # No other way gives a function whose own code has these parameters.
        exec(f"def func{Signature(shown)}: return receive(locals())", scope)  # noqa: S102
        return scope["func"]


def is_same(one, other):
    opaque = isinstance(one, Opaque) or isinstance(other, Opaque)
    return one is other or (not opaque and type(one) is type(other) and one == other)


@cache
def default_of(text):
    """Read a recorded default; what is no literal is an object of its own, shared by both sides."""
    try:
        return ast.literal_eval(text)
    except ValueError:
        return Opaque(text)


def recorded(parameters):
    return Side(
        tuple(
            Parameter(
                found["name"],
                getattr(Parameter, found["kind"]),
                default=default_of(found["default"]) if "default" in found else Parameter.empty,
            )
            for found in parameters
        )
    )


@st.composite
def drawn_sides(draw):
    """Draw parameters of every kind, from so few names that two sides often share some."""
    kinds = st.sampled_from([*BY_POSITION, Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY])
    names = draw(st.lists(st.sampled_from("abcdef"), unique=True, max_size=5))
    found = sorted((draw(kinds), position, name) for position, name in enumerate(names))
    parameters, optional = [], False
    for kind, _, name in found:
        default = draw(st.sampled_from([Parameter.empty, 0, 1, None]))
        if default is Parameter.empty and optional and kind in BY_POSITION:
            default = 0
        optional = optional or default is not Parameter.empty
        parameters.append(Parameter(name, kind, default=default))
    if draw(st.booleans()):
        parameters.append(Parameter("rest", Parameter.VAR_KEYWORD))
    return Side(tuple(parameters))


def some(names, most):
    """Draw a few of these names."""
    names = sorted(names)
    return st.lists(st.sampled_from(names), unique=True, max_size=most) if names else st.just([])


def values(parameter):
    """Draw the default, something equal to it, or something that is not."""
    given = [Opaque("given"), Unclear("unclear")]
    if parameter is not None and parameter.default is not Parameter.empty:
        given += [parameter.default, Equal(parameter.default)]
    return st.sampled_from(given)


@dataclass(frozen=True)
class Scenario:
    """A pair of functions, how both sides want it dispatched, and one call."""

    host: Side
    mine: Side
    renames: dict[str, str]
    ignorable: list[str]
    host_defaults: bool
    policy: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def given(self):
        return dict(zip(self.host.positional, self.args, strict=False)) | self.kwargs

    def target(self, name):
        """Name the parameter of the backend that an argument reaches, if there is one."""
        others = {to for ours, to in self.renames.items() if ours in self.host.named}
        if name in self.host.named and name in others and name not in self.renames:
            return None
        target = self.renames.get(name, name)
        return target if target in self.mine.named or self.mine.takes_any else None

    def may_be_left_out(self, name, value):
        """Whether an argument that the backend lacks is at its default, or ignorable."""
        own = self.host.named.get(name)
        if own is None:
            return self.host.takes_any and name in self.ignorable
        return value is own.default or name in self.ignorable

    def defaults(self):
        """Tell what the backend must see of what nobody gives."""
        found = {n: p.default for n, p in self.mine.named.items() if n not in self.mine.required}
        if self.host_defaults:
            optional = self.host.named.keys() - self.host.required
            mapped = {self.target(n): self.host.named[n].default for n in optional}
            found |= {target: mapped[target] for target in mapped if target in self.mine.named}
        return found

    def expected(self):
        """Tell what the backend must receive; ``None`` if it cannot take the call."""
        placed = {}
        for name, value in self.given.items():
            target = self.target(name)
            if target is None and not self.may_be_left_out(name, value):
                return None
            if target in placed:
                return None
            if target is not None:
                placed[target] = value
        received = self.defaults() | placed
        return received if self.mine.required <= received.keys() else None

    def expected_on_host(self):
        """Tell what the host's own code must receive."""
        named = self.host.named
        return {n: named[n].default for n in named.keys() - self.host.required} | self.given

    @staticmethod
    def same(received, expected):
        """Whether every argument is the very object that was expected, or an equal default."""
        return received.keys() == expected.keys() and all(
            is_same(received[name], expected[name]) for name in expected
        )

    def fits_host(self):
        """Whether the host's own code can take the call."""
        try:
            inspect.signature(self.host.build(dict)).bind(*self.args, **self.kwargs)
        except TypeError:
            return False
        return True


@st.composite
def arguments(draw, host):
    """Draw what a caller gives of the host's own parameters, by position and by name."""
    chosen = host.required | set(draw(some(host.named.keys() - host.required, 4)))
    if host.required and draw(st.integers(0, 9)) == 9:
        chosen.remove(draw(st.sampled_from(sorted(host.required))))
    leading = [*takewhile(chosen.__contains__, host.positional)]
    nameless = [n for n in leading if host.named[n].kind is Parameter.POSITIONAL_ONLY]
    by_position = leading[: draw(st.integers(len(nameless), len(leading)))]
    by_name = {
        name
        for name in chosen.difference(by_position)
        if host.named[name].kind is not Parameter.POSITIONAL_ONLY
    }
    args = tuple(draw(values(host.named[name])) for name in by_position)
    return args, {name: draw(values(host.named[name])) for name in sorted(by_name)}


@st.composite
def scenarios(draw, hosts, mines):
    """Draw a call that both sides could be asked to run."""
    host, mine = draw(hosts), draw(mines)
    ours, theirs = host.named.keys() - mine.named.keys(), mine.named.keys() - host.named.keys()
    args, kwargs = draw(arguments(host))
    options = set(draw(st.just([]) | some(theirs, 2)))
    if draw(st.booleans()):
        options |= mine.required & theirs
    if draw(st.integers(0, 9)) == 9:
        options.add("typo")
    kwargs |= {name: draw(values(mine.named.get(name))) for name in sorted(options)}
    return Scenario(
        host=host,
        mine=mine,
        renames=dict(zip(draw(some(ours, 2)), draw(some(theirs, 2)), strict=False)),
        ignorable=draw(some(host.named.keys() | theirs | {"typo"}, 2)),
        host_defaults=draw(st.booleans()),
        policy=draw(st.sampled_from(["warn", "silent", "error"])),
        args=args,
        kwargs=kwargs,
    )


@pytest.fixture
def recorded_pair():
    """Give the strategy of scenarios for one pair of recorded signatures."""

    def recorded_pair(host, backend):
        return scenarios(st.just(recorded(host)), st.just(recorded(backend)))

    return recorded_pair


@pytest.fixture
def drawn_pair():
    """Give the strategy of scenarios whose signatures are drawn as well."""
    return scenarios(drawn_sides(), drawn_sides())
