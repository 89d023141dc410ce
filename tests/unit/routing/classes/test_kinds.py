"""Classes of every kind stay what they are."""

from __future__ import annotations

import abc
import asyncio
import copy
import dataclasses
import functools
import pickle
import typing
import weakref

import pytest

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def pickling(protocol):
    return lambda built: pickle.loads(pickle.dumps(built, protocol))


class Shown:
    """A descriptor of the host's own."""

    def __init__(self, func):
        self.func = func

    def __get__(self, built, cls):
        return functools.partial(self.func, built)


class Slotted(Shown):
    __slots__ = ("func",)


def logged(func):
    @functools.wraps(func)
    def inner(*args):
        return func(*args)

    return inner


class TestAnyClass:
    def test_a_class_is_named_as_before(self, dispatch):
        class Model:
            """Fit."""

            rate: float = 0.1

        model = dispatch(Model)
        for name in ("__name__", "__qualname__", "__module__", "__doc__", "__annotations__"):
            assert getattr(model, name) == getattr(Model, name)
        assert (model.rate, model.__mro__) == (0.1, (model, object))
        assert typing.get_type_hints(model) == {"rate": float}

    def test_super_needs_no_arguments(self, dispatch):
        class Base:
            def fit(self):
                return "fitted"

        class Model(Base):
            def fit(self):
                return super().fit()

            @property
            def fitted(self):
                return super().fit()

            @classmethod
            def own(cls):
                return __class__

            @staticmethod
            def mine():
                return __class__

            def later(self):
                fit = super().fit
                return [fit() for _ in "x"]

        model = dispatch(Model)
        built = model()
        assert [built.fit(), built.fitted, *built.later()] == ["fitted"] * 3
        assert model.own() is model.mine() is model

    @pytest.mark.parametrize(
        "kind",
        [
            functools.cache,
            functools.cached_property,
            functools.partialmethod,
            functools.singledispatchmethod,
            lambda func: property(None, func),
            Shown,
            Slotted,
            lambda func: logged(logged(func)),
        ],
    )
    def test_a_method_behind_a_descriptor_or_a_decorator_finds_its_class(self, dispatch, kind):
        found = []

        class Base:
            def own(self, *given):
                found.append(Base)

        class Model(Base):
            @kind
            def own(self, *given):
                found.append(__class__)
                super().own()

        model = dispatch(Model)
        built = model()
        if isinstance(vars(model)["own"], property):
            built.own = 1
        elif not isinstance(vars(model)["own"], functools.cached_property):
            built.own(1)
        else:
            assert built.own is None
        assert found == [model, Base]

    @pytest.mark.parametrize("holder", [dict, list])
    def test_a_function_in_a_table_of_the_class_finds_its_class(self, dispatch, holder):
        class Model:
            table = holder({0: lambda: __class__}.items())

        model = dispatch(Model)
        (own,) = [found for _, found in dict(model.table).items()]
        assert own() is model

    def test_a_class_and_its_objects_have_nothing_of_ours(self, dispatch):
        model = dispatch(type("Model", (), {"rate": 1}))
        built = model()
        assert weakref.ref(built)() is built
        assert vars(built) == {}
        model.rate = 2
        assert built.rate == 2
        del model.rate
        assert not hasattr(built, "rate")


class TestCopies:
    @pytest.fixture
    def model(self, dispatch, importable):
        class Model:
            def __init__(self, size=1):
                self.size = size

        return importable(dispatch(Model))

    @pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, *map(pickling, PROTOCOLS)])
    def test_a_copy_is_of_the_same_class_whatever_is_selected(self, model, offer, mine, duplicate):
        offer(Model=type("TheirModel", (), {}))
        built = model(3)
        with mine():
            inside = duplicate(built)
        for copied in (inside, duplicate(built)):
            assert (type(copied), copied.size) == (model, 3)

    def test_the_class_and_objects_of_an_undecorated_subclass_are_pickled(self, model, importable):
        assert pickle.loads(pickle.dumps(model)) is model
        special = importable(type("Special", (model,), {}))
        copied = pickle.loads(pickle.dumps(special(4)))
        assert (type(copied), copied.size) == (special, 4)


class TestDataclasses:
    @pytest.mark.parametrize("options", [{}, {"weakref_slot": True}, {"frozen": True}])
    def test_a_dataclass_with_slots(self, dispatch, importable, options):
        @dataclasses.dataclass(slots=True, **options)
        class Model:
            size: int = 1

            def doubled(self):
                return self.size * 2

        model = importable(dispatch(Model))
        built = model(3)
        assert built.doubled() == 6
        assert not hasattr(built, "__dict__")
        assert pickle.loads(pickle.dumps(built)) == built
        assert model.__match_args__ == ("size",)

    def test_a_dataclass_decorator_outside_ours_does_no_harm(self, dispatcher):
        @dataclasses.dataclass(slots=True)
        @dispatcher.backend_class
        class Model:
            size: int = 1

        assert type(Model(3)) is Model
        assert Model(3).size == 3


class TestSlots:
    def test_documented_slots(self, dispatch):
        model = dispatch(type("Model", (), {"__slots__": {"size": "How large."}}))
        assert model.__slots__ == {"size": "How large."}
        with pytest.raises(AttributeError):
            model().other = 1


class TestAbstractClasses:
    def test_an_abstract_class_is_changed_in_place(self, dispatch):
        class Model(abc.ABC):  # noqa: B024
            pass

        Model.register(int)
        assert dispatch(Model) is Model
        assert type(Model()) is Model
        assert isinstance(3, Model)

    def test_an_abstract_class_cannot_be_constructed_but_a_backends_can(self, dispatch, offer):
        class Model(abc.ABC):
            @abc.abstractmethod
            def fit(self): ...

        model = dispatch(Model)
        with pytest.raises(TypeError, match="abstract"):
            model()

        class TheirModel(model):
            def fit(self):
                return 1

        offer(Model=TheirModel)
        assert type(model(backend="mine")) is TheirModel

    def test_a_mark_that_meant_nothing_still_means_nothing(self, dispatch):
        class Model:
            @abc.abstractmethod
            def fit(self): ...

        model = dispatch(Model)
        assert type(model()) is model
        assert type(type("Special", (model,), {})()) is not model


class TestMetaclasses:
    def test_a_metaclass_whose_call_keeps_one_object_still_answers_for_the_host(
        self, dispatch, offer
    ):
        class OneOnly(type):
            def __call__(cls, *args, **kwargs):
                if "only" not in vars(cls):
                    cls.only = super().__call__(*args, **kwargs)
                return cls.only

        class Model(metaclass=OneOnly):
            def __init__(self, size):
                self.size = size

        model = dispatch(Model)
        assert model is Model
        assert isinstance(type(model), type)
        theirs = type("TheirModel", (), {"__init__": lambda self, size: None})
        offer(Model=theirs)
        assert type(model(1, backend="mine")) is theirs
        assert model(2) is model(3, backend="cpu")
        assert model(2).size == 2

    def test_a_metaclass_whose_call_is_awaited_goes_to_a_class_that_is_awaited(
        self, dispatch, offer, dispatcher
    ):
        class Awaited(type):
            async def __call__(cls, size):
                built = cls.__new__(cls)
                built.size = size
                return built

        model = dispatch(Awaited("Model", (), {}))
        theirs = Awaited("TheirModel", (), {})
        offer(Model=theirs)
        assert type(asyncio.run(model(1))) is model
        with dispatcher.settings.use_backend("mine"):
            later = model(2)
        built = asyncio.run(later)
        assert (type(built), built.size) == (theirs, 2)

    def test_a_metaclass_that_guards_attributes(self, dispatch):
        class Guarding(type):
            def __setattr__(cls, name, value):
                raise AttributeError(name)

        documented = "Fit.\n\nParameters\n----------\nsize\n    How large.\n"
        own = {"__doc__": documented, "__init__": lambda self, size=1: None}
        model = dispatch(Guarding("Model", (), own))
        assert type(model(3)) is model
        assert "backend\n" in model.__doc__

    def test_a_metaclass_is_pickled_by_way_of_its_first_class(self, dispatch, importable):
        meta = type("Meta", (type,), {})
        model = dispatch(importable(meta("Model", (), {})))
        assert pickle.loads(pickle.dumps(type(model))) is type(model)

    def test_classes_that_shared_one_share_one(self, dispatcher):
        meta = type("Meta", (type,), {})
        one, two = (
            dispatcher.backend_class(name=name)(meta("Model", (), {})) for name in ("a", "b")
        )
        assert type(one) is type(two)
        assert isinstance(type("Both", (one, two), {})(), two)


class TestSubclasses:
    @pytest.fixture
    def model(self, dispatch, offer):
        class Model:
            def __init__(self, size=1):
                self.size = size

        offer(Model=type("TheirModel", (), {"__init__": lambda self, size=1: None}))
        return dispatch(Model)

    def test_an_undecorated_subclass_constructs_as_before(self, model, mine):
        class Special(model):
            def __init__(self, size, depth):
                super().__init__(size)
                self.depth = depth

        with mine():
            built = Special(2, depth=3)
        assert (type(built), built.size, built.depth) == (Special, 2, 3)
        with pytest.raises(TypeError, match="unexpected keyword argument 'backend'"):
            Special(2, depth=3, backend="mine")

    def test_a_subclass_may_be_decorated_too(self, model, dispatcher, offer):
        @dispatcher.backend_class
        class Special(model):
            def __init__(self, size, depth=0):
                super().__init__(size)

        theirs = type("TheirSpecial", (), {"__init__": lambda self, size: None})
        offer("other", Special=theirs)
        assert type(Special(2, backend="other")) is theirs
        assert Special(2).size == 2
        assert type(Special(2, backend="cpu")) is Special

    def test_a_subclass_is_no_dispatched_class(self, model, dispatcher):
        for other in (type("Special", (model,), {}), type(model)):
            with pytest.raises(TypeError, match="not a dispatched function"):
                dispatcher.settings.explain(other)
