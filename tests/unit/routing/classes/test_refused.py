"""Classes that cannot be dispatched are refused, with the reason."""

import abc
import ctypes
import enum
import functools
import json.encoder
import json.scanner
import typing

import pytest


def sealed():
    class Sealed(type):
        def __init_subclass__(cls):
            raise RuntimeError("no metaclass below this one")

    return Sealed("Model", (), {})


def unreadable():
    class Secret:
        def __get__(self, built, cls):
            raise ZeroDivisionError("it is secret")

    class Model:
        __signature__ = Secret()

    return Model


@typing.runtime_checkable
class Sized(typing.Protocol):
    def size(self): ...


class Colour(enum.Enum):
    RED = 1


def inherited():
    class Model:
        pass

    class Special(Model):
        pass

    # The subclass lives as long as the class does.
    Model.special = Special
    return Model


@pytest.mark.parametrize(
    ("cls", "reason"),
    [
        (print, "is not a class"),
        (3, "3 is not a class"),
        (functools.partial(dict), "is not a class"),
        (Colour, "is an enumeration"),
        (int, "is built in"),
        (inherited(), "has subclasses already"),
        (sealed(), "no metaclass below this one; decorate a function that makes its objects"),
        (typing.TypedDict("Model", {"size": int}), "is a typed dictionary, and makes plain ones"),
        (
            unreadable(),
            "Model has a signature that cannot be read: ZeroDivisionError: it is secret",
        ),
        (type("Model", (), {"__init__": 3}), "Model has a signature that cannot be read"),
        (Sized, "Sized is a protocol, and cannot be constructed; decorate a class that"),
        (type("Meta", (type,), {}), "Meta is a metaclass, whose objects are classes"),
        (
            type("Model", (ctypes.Structure,), {"__init__": lambda self: None}),
            "cannot be dispatched",
        ),
        (type("Model", (), {"__init__": lambda self, backend: None}), "already has a parameter"),
    ],
)
def test_a_class_is_refused_with_the_reason(dispatch, cls, reason):
    with pytest.raises(TypeError, match=reason):
        dispatch(cls)


ONLY_CONSTRUCTED_IN_C = type(vars(abc.ABC).get("_abc_impl"))


@pytest.mark.parametrize(
    "cls", [json.encoder.c_make_encoder, json.scanner.c_make_scanner, ONLY_CONSTRUCTED_IN_C]
)
def test_a_class_written_in_c_is_refused_although_it_can_be_changed(dispatch, cls):
    if cls in (None, type(None)):
        pytest.skip("this Python has none")
    with pytest.raises(TypeError, match="is built in"):
        dispatch(cls)


class TestAfterARefusal:
    """A class is what it was, whatever it was refused for."""

    @pytest.fixture(
        params=[
            {"name": "two words"},
            {"name": "taken"},
            {"ignorable": ["n_jobs"]},
            {"ignorable": 3},
            {"selector": "class"},
            {},
        ],
        ids=str,
    )
    def refuse(self, request, dispatcher):
        dispatcher.backend_dispatch(name="taken")(lambda: None)

        def refuse(cls):
            with pytest.raises((TypeError, ValueError)):
                dispatcher.backend_class(**request.param)(cls)

        return refuse

    @pytest.fixture(params=[object, abc.ABC], ids=["plain", "abstract"])
    def model(self, request):
        class Model(request.param):
            def __init__(self, backend="threads"):
                super().__init__()
                self.given = (backend, __class__)

        return Model

    def test_a_refused_class_is_what_it_was_and_another_try_is_as_good_as_a_first(
        self, refuse, model, dispatch
    ):
        before = (type(model), dict(vars(model)))
        refuse(model)
        assert (type(model), dict(vars(model))) == before
        assert model().given == ("threads", model)
        made = dispatch(model, selector="engine")
        assert made(engine="cpu").given == ("threads", made)

    def test_a_descriptor_that_refuses_another_class_is_told_of_its_own_again(self, dispatch):
        class Field:
            told = 0

            def __set_name__(self, owner, name):
                self.owner, self.told = owner, self.told + 1
                if self.told == 2:
                    raise RuntimeError("it has one already")

        class Model:
            field = Field()

            def own(self):
                return __class__

        with pytest.raises(TypeError, match=r"Model cannot be dispatched: .*it has one already"):
            dispatch(Model)
        assert vars(Model)["field"].owner is Model().own() is Model


def test_a_class_is_dispatched_once(dispatcher):
    model = dispatcher.backend_class(type("Model", (), {}))
    with pytest.raises(TypeError, match="Model is dispatched already"):
        dispatcher.backend_class(model)


def test_two_classes_of_one_name_are_told_apart(dispatcher):
    dispatcher.backend_class(type("Model", (), {"__module__": "one"}))
    with pytest.raises(ValueError, match=r"one.Model.*pass name="):
        dispatcher.backend_class(type("Model", (), {"__module__": "two"}))
