"""Classes that cannot be dispatched are refused, with the reason."""

from __future__ import annotations

import ctypes
import enum
import functools

import pytest


def sealed():
    class Sealed(type):
        def __init_subclass__(cls):
            raise RuntimeError("no metaclass below this one")

    return Sealed("Model", (), {})


def demanding():
    class Base:
        def __init_subclass__(cls, *, key):
            cls.key = key

    class Model(Base, key="model"):
        pass

    return Model


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
        (print, "is no class"),
        (3, "3 is no class"),
        (functools.partial(dict), "is no class"),
        (Colour, "is an enumeration"),
        (int, "is built in"),
        (inherited(), "has subclasses already"),
        (sealed(), "no metaclass below this one"),
        (demanding(), "missing 1 required keyword-only argument: 'key'"),
        (type("Model", (ctypes.Structure,), {}), "cannot be dispatched"),
        (type("Model", (), {"__init__": lambda self, *args: None}), r"takes \*args"),
        (type("Model", (Exception,), {}), r"takes \*args"),
        (type("Model", (), {"__init__": lambda self, backend: None}), "already has a parameter"),
    ],
)
def test_it_is_refused_with_the_reason(dispatch, cls, reason):
    with pytest.raises(TypeError, match=reason):
        dispatch(cls)


def test_one_class_is_dispatched_once(dispatcher):
    model = dispatcher.backend_class(type("Model", (), {}))
    with pytest.raises(TypeError, match="Model is dispatched already"):
        dispatcher.backend_class(model)


def test_two_classes_of_one_name_are_told_apart(dispatcher):
    dispatcher.backend_class(type("Model", (), {"__module__": "one"}))
    with pytest.raises(ValueError, match=r"one.Model.*pass name="):
        dispatcher.backend_class(type("Model", (), {"__module__": "two"}))


def test_a_parameter_that_does_not_exist_cannot_be_ignorable(dispatcher):
    with pytest.raises(ValueError, match="no parameter 'n_jobs'"):
        dispatcher.backend_class(ignorable=["n_jobs"])(type("Model", (), {}))


def test_a_base_that_keeps_what_inherits_from_it_sees_the_class_twice(dispatch):
    seen = []

    class Base:
        def __init_subclass__(cls):
            seen.append(cls)

    model = dispatch(type("Model", (Base,), {}))
    assert [cls.__name__ for cls in seen] == ["Model", "Model"]
    assert seen[-1] is model
