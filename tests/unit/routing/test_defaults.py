"""Whether an argument is the default: identity first, then one true value of ``==``."""

from collections import OrderedDict
from copy import deepcopy
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

import numpy as np
import pytest

NAN = float("nan")
ARRAY = np.arange(3)


class Answers:
    """A value whose comparison with anything gives what a test wants."""

    def __init__(self, answer):
        self.answer = answer

    def __eq__(self, other):
        return self.answer()

    __hash__ = None


class Size(NamedTuple):
    rows: float
    columns: float


@dataclass
class Window:
    width: float
    seen: list[object] = field(default_factory=list, compare=False)


class Ambiguous:
    """What pandas gives for a comparison: something that refuses to be one truth value."""

    def __bool__(self):
        raise ValueError("The truth value of a Series is ambiguous.")


class bool_:  # noqa: N801 - its name in numpy before 2.0
    """A truth value of numpy's under its older name."""

    def __bool__(self):
        return True


class Expression:
    """What query builders give for a comparison: an object that is true as every object is."""


def raises():
    raise RuntimeError("cannot be compared")


EQUAL = {
    "None": (None, None),
    "equal numbers": (1.5, 3 / 2),
    "equal strings": ("umap", str(b"umap", "ascii")),
    "equal tuples": ((0, 1), tuple(range(2))),
    "equal mappings": ({}, {}),
    "the same NaN": (NAN, NAN),
    "the same array": (ARRAY, ARRAY),
    "two equal numpy scalars": (np.int64(3), np.int64(3)),
    "a type": (np.float64, np.float64),
    "what answers numpy's true": (Answers(lambda: np.True_), Answers(lambda: np.True_)),
    "what answers an older numpy's true": (Answers(bool_), Answers(bool_)),
}


@pytest.mark.parametrize(("default", "given"), EQUAL.values(), ids=EQUAL)
def test_a_host_only_argument_that_is_the_default_counts_as_not_given(
    pair, outcome, default, given
):
    func = pair(lambda data, extra=default: "host", lambda data: "mine", fallback="error")
    assert outcome(func, 1, extra=given) == "mine"
    assert outcome(func, 1, given) == "mine"


@pytest.mark.parametrize("same", [Answers(raises), Answers(Ambiguous), Answers(Expression), NAN])
def test_the_very_same_object_is_the_default_whatever_its_comparison_says(pair, outcome, same):
    func = pair(lambda data, extra=same: "host", lambda data: "mine", fallback="error")
    assert outcome(func, 1, extra=same) == "mine"


ANSWERS = {
    "raises": raises,
    "has no one truth value": Ambiguous,
    "gives an object": Expression,
    "gives a list": lambda: [True],
    "gives a string": lambda: "yes",
    "gives nothing": lambda: None,
    "is not implemented": lambda: NotImplemented,
    "gives an array": lambda: np.array([True]),
}
DIFFERENT = {
    "None and a false value": (None, 0),
    "a share and a count": (1.0, 1),
    "a count and a switch": (1, True),
    "a switch and a count": (False, 0),
    "a numpy scalar of an equal value": (3, np.int64(3)),
    "another type that says to be equal": (1, Answers(lambda: True)),
    "two NaN": (NAN, float("nan")),
    "two arrays of equal values": (ARRAY, ARRAY.copy()),
    "two arrays of other values": (ARRAY, ARRAY + 1),
    "an array of one equal value": (3, np.array([3])),
    "an empty array": (3, np.array([])),
    "arrays inside tuples": ((ARRAY,), (ARRAY.copy(),)),
    "nothing alike": ("umap", object()),
    **{f"a comparison that {k}": (Answers(v), Answers(v)) for k, v in ANSWERS.items()},
}


@pytest.mark.parametrize(("default", "given"), DIFFERENT.values(), ids=DIFFERENT)
def test_any_other_host_only_argument_counts_as_different_and_is_not_lost(
    pair, outcome, default, given
):
    func = pair(lambda data, extra=default: extra is given, lambda data: "mine", fallback="silent")
    assert outcome(func, 1, extra=given) is True
    assert outcome(func, 1, given) is True


class Missing:
    """A mark: nothing but an identity."""


def other_library():
    class Missing:
        pass

    return Missing


OTHER_MISSING = other_library()


class Absent:
    pass


class Empty(Enum):
    """A mark as type checkers know it: the only member of an enumeration."""

    token = 0


class Metric(Enum):
    euclidean = 0
    cosine = 1


class Kernel:
    def __init__(self, width):
        self.width = width


class Unlooked(type):
    def __getattribute__(cls, name):
        if name == "__eq__":
            raise LookupError
        return super().__getattribute__(name)


class Secretive(metaclass=Unlooked):
    pass


@pytest.mark.parametrize(
    ("host", "mine", "differs"),
    [
        pytest.param(1, 1.0, True, id="a count and a share"),
        pytest.param(-1, 100, True, id="other numbers"),
        pytest.param(None, 0, True, id="None and zero"),
        pytest.param(NAN, NAN, False, id="the same NaN"),
        pytest.param(NAN, float("nan"), True, id="two NaN"),
        pytest.param(ARRAY, ARRAY, False, id="the same array"),
        pytest.param(ARRAY, ARRAY.copy(), True, id="two arrays"),
        pytest.param(1, Answers(raises), True, id="a comparison that raises"),
        pytest.param(1, Answers(Expression), True, id="a comparison that gives an object"),
        pytest.param(object(), object(), False, id="two marks"),
        pytest.param(Missing(), OTHER_MISSING(), False, id="two marks of classes of one name"),
        pytest.param(Empty.token, ..., False, id="an only member and an ellipsis"),
        pytest.param(object(), Empty.token, False, id="an object and an only member"),
        pytest.param(Metric.cosine, ..., True, id="one of several members and an ellipsis"),
        pytest.param(Missing(), Absent(), True, id="marks of different names"),
        pytest.param(Missing(), object(), True, id="marks of different classes"),
        pytest.param(Missing(), None, True, id="a mark and no mark"),
        pytest.param(Kernel(2), Kernel(3), True, id="two objects that cannot be compared"),
        pytest.param(len, lambda values: 0, True, id="two functions"),
        pytest.param(Secretive(), Secretive(), True, id="what fails when it is looked at"),
    ],
)
def test_defaults_of_both_sides_are_compared_as_carefully(dispatcher, pair, host, mine, differs):
    func = pair(lambda data, extra=host: "host", lambda data, extra=mine: "mine")
    found = dispatcher.settings.explain(func, 1, backend="mine").differing_defaults
    assert len(found) == differs
    for difference in found:
        assert difference.parameter == "extra"
        assert difference.host is host
        assert difference.backend is mine


@pytest.mark.parametrize(
    ("default", "given"),
    [
        ((1, 2), (True, 2)),
        ([0], [False]),
        ({"a": 1}, {"a": 1.0}),
        ([(1,)], [(1.0,)]),
        ((1,), (1, 1)),
        (frozenset({1}), frozenset({True})),
        ({(1, 2), 3}, {(1.0, 2), 3}),
        (Size(1, 2), Size(True, 2)),
        (OrderedDict(a=1), OrderedDict(a=True)),
        (Window(1, ["seen"]), Window(1.0)),
        ([Window(1)], [Window(True)]),
    ],
    ids=repr,
)
def test_what_a_container_holds_is_compared_as_carefully(pair, outcome, default, given):
    func = pair(lambda data, extra=default: extra is given, lambda data: "mine", fallback="silent")
    assert outcome(func, 1, extra=given) is True
    assert outcome(func, 1, extra=deepcopy(default)) == "mine"
