"""What bases and descriptors did when a class was defined holds once, and for the decorated class."""

from __future__ import annotations

import collections
import dataclasses
import gc
import inspect
import types
import weakref
from typing import NamedTuple

import pytest

REGISTRY: list[type] = []
PLUGINS = types.ModuleType("plugins")
PLUGINS.found = []


def enter(cls):
    REGISTRY.append(cls)


def helped(cls):
    enter(cls)


def in_a_module(cls):
    PLUGINS.found.append(cls)


@pytest.fixture(autouse=True)
def _empty():
    for registry in (REGISTRY, PLUGINS.found):
        registry.clear()


def base_with(registry, take_in):
    """Make a class that enters what inherits from it, or from what does so, in a registry of its own."""

    class Base:
        known = registry

        def __init_subclass__(cls):
            take_in(cls.known, cls)

    return Base


class Guarded(dict):
    """Knows each name once, and says so in a method."""

    def __setitem__(self, name, cls):
        if name in self:
            raise KeyError(name)
        super().__setitem__(name, cls)


def by_name(known, cls):
    known[cls.__name__] = cls


def by_class(known, cls):
    known[cls] = cls.__name__


class Entry(NamedTuple):
    name: str
    cls: type


def enter_named(known, cls):
    known.append(Entry(cls.__name__, cls))


def enter_pair(known, cls):
    known.add(((cls.__name__, 1), (1, cls)))


def by_pair(known, cls):
    known[cls, 1] = cls.__name__, cls


class TestARegistry:
    @pytest.mark.parametrize(
        ("make", "take_in", "look"),
        [
            (list, list.append, list),
            (set, set.add, list),
            (weakref.WeakSet, weakref.WeakSet.add, list),
            (dict, by_name, lambda known: [*known.values()]),
            (Guarded, by_name, lambda known: [*known.values()]),
            (collections.OrderedDict, by_name, lambda known: [*known.values()]),
            (weakref.WeakValueDictionary, by_name, lambda known: [*known.values()]),
            (dict, by_class, list),
            (collections.OrderedDict, by_class, list),
            (weakref.WeakKeyDictionary, by_class, list),
            (collections.UserDict, by_name, lambda known: [*known.values()]),
            (collections.UserList, collections.UserList.append, list),
            (list, enter_named, lambda known: [entry.cls for entry in known]),
            (set, enter_pair, lambda known: [cls for _, (_, cls) in known]),
            (dict, by_pair, lambda known: [cls for cls, _ in known]),
            (dict, by_pair, lambda known: [cls for _, cls in known.values()]),
        ],
    )
    def test_the_class_is_held_once_as_it_is_decorated(self, dispatch, make, take_in, look):
        base = base_with(make(), take_in)
        first = type("First", (base,), {})
        model = dispatch(type("Model", (base,), {}))
        last = type("Last", (base,), {})
        assert sorted(look(base.known), key=lambda cls: cls.__name__) == [first, last, model]

    def test_the_order_by_name_stays(self, dispatch):
        base = base_with({}, by_name)
        before = type("Model", (base,), {})
        type("Other", (base,), {})
        model = dispatch(before)
        assert [*base.known] == ["Model", "Other"]
        assert base.known["Model"] is model

    @pytest.mark.parametrize("take_in", [enter, helped, in_a_module])
    def test_one_in_a_module_is_found(self, dispatch, take_in):
        base = type("Base", (), {"__init_subclass__": classmethod(take_in)})
        model = dispatch(type("Model", (base,), {}))
        assert [*REGISTRY, *PLUGINS.found] == [model]

    def test_one_around_the_hook_is_found(self, dispatch):
        known, later = [], []

        class Base:
            def __init_subclass__(cls):
                known.append(cls)
                later.append(cls)
                Base.latest = cls

        model = dispatch(type("Model", (Base,), {}))
        assert known == later == [Base.latest] == [model]


class TestAHook:
    def test_it_runs_once_with_the_keywords_of_the_class_statement(self, dispatch):
        seen = []

        class Base:
            def __init_subclass__(cls, *, key):
                cls.key = key
                seen.append(key)

        class Model(Base, key="model"):
            pass

        assert (dispatch(Model).key, seen) == ("model", ["model"])

    def test_it_is_told_of_later_subclasses_as_before(self, dispatch):
        base = base_with([], list.append)
        model = dispatch(type("Model", (base,), {}))
        special = type("Special", (model,), {})
        assert base.known == [model, special]
        assert special.__mro__ == (special, model, base, object)


class TestTheClassBefore:
    """A decorator below ours, or a module that imported the class earlier, may keep it."""

    @pytest.fixture
    def before(self):
        class Base:
            def __init__(self, size=1):
                self.size = size

            @classmethod
            def made(cls):
                return cls(3)

        class Model(Base):
            def __init__(self, size=1):
                super().__init__(size)

            def doubled(self):
                return super().__getattribute__("size") * 2

            @classmethod
            def made(cls):
                return super().made()

        return Model

    def test_it_makes_objects_of_the_decorated_class(self, dispatch, before):
        model = dispatch(before)
        built = before(size=2)
        assert (type(built), built.size, built.doubled()) == (model, 2, 4)

    def test_its_class_methods_are_those_of_the_decorated_class(self, dispatch, before):
        model = dispatch(before)
        assert (type(before.made()), before.made().size) == (model, 3)

    def test_one_whose_own_constructor_uses_super_makes_objects_of_the_decorated_class(
        self, dispatch
    ):
        class Model:
            def __new__(cls, size):
                return super().__new__(cls)

            def __init__(self, size):
                self.size = size

        before = Model
        model = dispatch(before)
        assert (type(before(2)), before(2).size) == (model, 2)

    def test_one_with_guarded_attributes_makes_objects_of_the_decorated_class(self, dispatch):
        @dataclasses.dataclass(frozen=True)
        class Model:
            size: int

        model = dispatch(Model)
        assert Model(2) == model(2)

    def test_an_object_that_it_has_as_an_attribute_is_of_the_decorated_class(
        self, dispatch, before
    ):
        before.usual = before(size=4)
        model = dispatch(before)
        assert (type(model.usual), model.usual.doubled()) == (model, 8)

    def test_an_object_that_cannot_change_its_class_stays_what_it_is(self, dispatch):
        class Base(NamedTuple):
            size: int

        before = type("Model", (Base,), {})  # larger by a table of attributes
        before.usual = before(1)
        model = dispatch(before)
        assert (before(2).size, model.usual.size, model(3).size) == (2, 1, 3)

    def test_it_shows_the_signature_that_it_had(self, dispatch, before):
        own = inspect.signature(before)
        dispatch(before)
        assert inspect.signature(before) == own

    def test_what_inherits_from_it_makes_objects_of_its_own(self, dispatch):
        before = type("Model", (), {})
        dispatch(before)
        special = type("Special", (before,), {"__new__": lambda cls, size: object.__new__(cls)})
        assert type(special(3)) is special
        with pytest.raises(TypeError, match="argument"):
            type("Other", (before,), {})(3)

    def test_what_inherits_from_it_keeps_its_class_methods(self, dispatch):
        class Model:
            def __new__(cls):
                return object.__new__(cls)

            def __init_subclass__(cls):
                cls.label = cls.__name__.lower()

            @classmethod
            def made(cls):
                return cls()

        before = Model
        dispatch(before)
        special = type("Special", (before,), {})
        assert (type(special.made()), special.label) == (special, "special")


class TestADescriptor:
    def test_one_that_does_not_keep_its_class_is_told_once(self, dispatch):
        told = []

        class Field:
            def __set_name__(self, owner, name):
                told.append(name)
                self.name = name

        model = dispatch(type("Model", (), {"field": Field(), "other": 1}))
        assert told == ["field"]
        assert vars(model)["field"].name == "field"
        assert [name for name in vars(model) if name in ("field", "other")] == ["field", "other"]

    @pytest.mark.parametrize("keep", [lambda cls: cls, weakref.ref])
    @pytest.mark.parametrize("slots", [(), ("owner",)])
    def test_one_that_keeps_its_class_is_told_of_the_decorated_one(self, dispatch, keep, slots):
        class Field:
            if slots:
                __slots__ = slots

            def __set_name__(self, owner, name):
                self.owner = keep(owner)

        model = dispatch(type("Model", (), {"field": Field()}))
        assert vars(model)["field"].owner in (model, weakref.ref(model))


def test_nothing_holds_the_class_before(dispatch):
    unused = weakref.ref(type("Unused", (), {}))
    gc.collect()
    if unused() is not None:
        pytest.skip("free-threaded 3.13 keeps every class once a second thread has run")
    base = base_with([], list.append)
    before = type("Model", (base,), {})
    gone = weakref.ref(before)
    model = dispatch(before)
    del before
    gc.collect()
    assert base.__subclasses__() == [model]
    assert gone() is None
