"""The signature and the docstring of a dispatched class, and of its subclasses."""

from __future__ import annotations

import abc
import inspect
from inspect import Parameter, Signature

import pytest


def names(cls):
    return [*inspect.signature(cls).parameters]


class Model:
    """Fit a model.

    Parameters
    ----------
    size
        How large.
    """

    def __init__(self, size: int, *, seed: int = 0):
        """Begin."""


@pytest.fixture
def model(dispatch):
    return dispatch(type("Model", (), dict(vars(Model))))


def test_the_selector_is_shown(model):
    assert names(model) == ["size", "seed", "backend"]
    assert "\nbackend\n" in inspect.getdoc(model)
    assert inspect.signature(model).bind(3, backend="mine").arguments["size"] == 3
    assert names(model.__init__) == ["self", "size", "seed"]
    assert names(type(model)) == names(abc.ABCMeta)


def test_a_subclass_shows_its_own(model):
    class Same(model):
        pass

    class Other(model):
        """Fit otherwise."""

        def __init__(self, depth):
            pass

    class Made(model):
        def __new__(cls, width):
            return super().__new__(cls)

    class Histogram(model):
        def __init__(self, histogram, *args, density=None, **kwargs):
            super().__init__(*args, **kwargs)

    class Rest(model):
        def __init__(self, *sizes):
            super().__init__(sum(sizes))

    assert names(Same) == ["size", "seed"]
    assert names(Other) == ["depth"]
    assert names(Made) == ["width"]
    assert names(Histogram) == ["histogram", "args", "density", "kwargs"]
    assert names(Rest) == ["sizes"]
    assert Other.__doc__ == "Fit otherwise."


@pytest.mark.parametrize(("bases", "members"), [((Exception,), {}), ((), {"__new__": max})])
def test_a_subclass_of_which_nothing_is_known_shows_that_it_takes_anything(
    dispatch, bases, members
):
    model = dispatch(type("Model", (), {}))
    assert names(type("Odd", (model, *bases), members)) == ["args", "kwargs"]


class PassesOn(type):
    def __call__(cls, *args, **kwargs):
        return super().__call__(*args, **kwargs)


class Names(type):
    def __call__(cls, width):
        return super().__call__(width)


@pytest.mark.parametrize(("metaclass", "shown"), [(PassesOn, "depth"), (Names, "width")])
def test_a_metaclass_that_only_passes_on_is_looked_through(dispatch, metaclass, shown):
    class Model(metaclass=metaclass):
        def __new__(cls, *args, **kwargs):
            return super().__new__(cls)

        def __init__(self, depth):
            pass

    model = dispatch(Model)
    assert names(model) == [shown, "backend"]
    assert names(type("Special", (model,), {})) == [shown]


def test_a_base_that_is_built_in_says_what_it_takes(dispatch):
    model = dispatch(type("Model", (list,), {}))
    assert names(model) == ["iterable", "backend"]
    assert model("ab") == ["a", "b"]


def test_a_signature_that_the_class_declares_is_believed(dispatch):
    class Model:
        __signature__ = Signature([Parameter("depth", Parameter.KEYWORD_ONLY)])

        def __init__(self, **given):
            self.given = given

    model = dispatch(Model)
    assert names(model) == ["depth", "backend"]
    assert model(depth=3).given == {"depth": 3}
