"""What a host's class makes of itself is its own, whatever is selected."""

from __future__ import annotations

import _thread
import copy
import dataclasses
import functools
import pickle
import sys
import threading
import typing

import pytest


class Meta(type):
    def made_by_the_metaclass(cls):
        return cls()


class Base(metaclass=Meta):
    def __neg__(self):
        return type(self)(-self.size)


@pytest.fixture
def model(dispatch, importable):  # noqa: C901 - a class with many methods
    class Model(Base):
        def __init__(self, size=1):
            self.size = size

        def __add__(self, other):
            return type(self)(self.size + other.size)

        def __reduce__(self):
            return type(self), (self.size,)

        @classmethod
        def unit(cls):
            return cls(1)

        @staticmethod
        def zero():
            return model(0)

        @property
        def half(self):
            return self.__class__(self.size // 2)

        @functools.cached_property
        def twice(self):
            return model(2 * self.size)

        def parts(self):
            return [model(1) for _ in range(self.size)]

        def later(self):
            yield model(self.size)

        def asked(self, **options):
            return model(self.size, **options)

    model = importable(dispatch(Model))
    return model


@pytest.fixture
def theirs(model, offer):
    class TheirModel:
        def __init__(self, size=1):
            self.size = size

    offer(Model=TheirModel)
    return TheirModel


WAYS = {
    "an operator": lambda built: built + built,
    "a method of its base": lambda built: -built,
    "a class method": lambda built: type(built).unit(),
    "a method of its metaclass": lambda built: type(built).made_by_the_metaclass(),
    "a static method": lambda built: built.zero(),
    "a property": lambda built: built.half,
    "a cached property": lambda built: built.twice,
    "a comprehension": lambda built: built.parts()[0],
    "a generator": lambda built: next(built.later()),
    "options of its own": lambda built: built.asked(),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("make", WAYS.values(), ids=WAYS)
def test_what_a_class_makes_of_itself_is_its_own(model, theirs, mine, make):
    built = model(3)
    with mine():
        assert type(make(built)) is model
        assert type(model(3)) is theirs


def test_a_class_may_ask_for_a_backend(model, theirs, mine):
    built = model(3)
    with mine():
        assert type(built.asked(backend="mine")) is theirs
        assert type(built.asked(backend="cpu")) is model


@pytest.mark.parametrize(("library", "way"), [("dataclasses", "replace"), ("attr", "evolve")])
def test_what_a_library_makes_of_an_object_is_its_own(dispatch, offer, mine, library, way):
    library = pytest.importorskip(library)

    class Model:
        size: int = 1

    model = dispatch(library.dataclass(Model))
    offer(Model=type("TheirModel", (), {"__init__": lambda self, size=1: None}))
    built = model(3)
    with mine():
        replaced = [getattr(library, way)(built, size=4)]
        if library is dataclasses and sys.version_info >= (3, 13):
            replaced.append(copy.replace(built, size=4))
    for one in replaced:
        assert (type(one), one.size) == (model, 4)


def test_a_generic_class_makes_its_own_through_its_parameters(dispatch, offer, mine):
    T = typing.TypeVar("T")

    class Model(typing.Generic[T]):
        def again(self):
            return model[int]()

    model = dispatch(Model)
    theirs = type("TheirModel", (), {})
    offer(Model=theirs)
    with mine():
        assert type(model(backend="cpu").again()) is model
        assert type(model[int]()) is theirs


def test_a_class_of_the_same_name_elsewhere_constructs_as_a_user_does(dispatch, offer, mine, site):
    for name in ("inner", "outer"):
        site.write(f"{name}.py", "class Model:\n    def make(self, cls): return cls()")
    import inner
    import outer

    inner.Model.__module__ = "shown_elsewhere"
    model = dispatch(inner.Model)
    theirs = type("TheirModel", (), {})
    offer(Model=theirs)
    built = model()
    with mine():
        assert type(outer.Model().make(model)) is theirs
        assert type(built.make(model)) is model


def test_a_thread_may_begin_with_the_construction(model, offer, dispatcher):
    done, built = threading.Event(), []

    class TheirModel:
        def __init__(self, size):
            built.append(size)
            done.set()

    offer(Model=TheirModel)
    dispatcher.settings.backend = "mine"
    _thread.start_new_thread(model, (3,))
    assert done.wait(60)
    assert built == [3]


def test_what_pickle_constructs_cannot_be_told_from_a_users_call(model, theirs, mine):
    blob = pickle.dumps(model(3))
    with mine():
        assert type(pickle.loads(blob)) is theirs
    assert type(pickle.loads(blob)) is model
