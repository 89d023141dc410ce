"""Scenarios: a pair of signatures, and how both sides want it dispatched."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from inspect import Parameter, Signature

import pytest
from hypothesis import strategies as st

BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


class Opaque:
    """A value that equals nothing but itself."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text


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


@dataclass(frozen=True)
class Scenario:
    """A pair of functions, and how both sides want it dispatched."""

    host: Side
    mine: Side
    renames: dict[str, str]
    ignorable: list[str]
    host_defaults: bool


@st.composite
def scenarios(draw, hosts, mines):
    host, mine = draw(hosts), draw(mines)
    ours, theirs = host.named.keys() - mine.named.keys(), mine.named.keys() - host.named.keys()
    renames = dict(zip(draw(some(ours, 2)), draw(some(theirs, 2)), strict=False))
    ignorable = draw(some(host.named.keys() | theirs | {"typo"}, 2))
    return Scenario(host, mine, renames, ignorable, draw(st.booleans()))


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
