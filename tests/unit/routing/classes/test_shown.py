"""The signature and the docstring of a dispatched class, and of its subclasses."""

from __future__ import annotations

import abc
import inspect
import typing
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


def test_a_decorated_subclass_shows_its_own_with_the_selector(model, dispatcher):
    @dispatcher.backend_class(selector="engine")
    class Other(model):
        def __init__(self, depth):
            pass

    assert names(Other) == ["depth", "engine"]


def test_a_class_without_a_constructor_or_docstring_shows_the_selector(dispatch):
    model = dispatch(type("Model", (), {}))
    assert (names(model), model.__doc__) == (["backend"], None)


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


def test_a_class_that_implements_a_runtime_protocol_is_dispatched(dispatch):
    @typing.runtime_checkable
    class Sized(typing.Protocol):
        def size(self): ...

    class Model(Sized):
        def __init__(self, count=1):
            self.count = count

        def size(self):
            return self.count

    model = dispatch(Model)
    assert model(3).size() == 3
    assert isinstance(model(3), Sized)
    assert names(model) == ["count", "backend"]


def test_a_base_that_tells_nothing_does_not_hide_the_constructor(dispatch):
    silent = type("Silent", (), {"__new__": max})

    class Model(silent):
        def __new__(cls, depth):
            return object.__new__(cls)

    assert names(dispatch(Model)) == ["depth", "backend"]


def test_a_docstring_of_the_objects_stays_theirs(dispatch):
    class Model:
        @property
        def __doc__(self):
            return "What is registered."

    model = dispatch(Model)
    assert model().__doc__ == "What is registered."
    assert names(model) == ["backend"]


def test_a_signature_of_the_objects_stays_theirs(dispatch, offer):
    class Model:
        def __init__(self, size=1):
            self.size = size

        @property
        def __signature__(self):
            return Signature([Parameter("value", Parameter.POSITIONAL_ONLY)])

        def __call__(self, *args):
            return args

    model = dispatch(Model)
    assert names(model()) == ["value"]
    offer(Model=type("TheirModel", (), {"__init__": lambda self, size: None}))
    assert type(model(3, backend="mine")) is not model
    assert model(3).size == 3


def test_a_signature_that_the_class_declares_is_believed(dispatch):
    class Model:
        __signature__ = Signature([Parameter("depth", Parameter.KEYWORD_ONLY)])

        def __init__(self, **given):
            self.given = given

    model = dispatch(Model)
    assert names(model) == ["depth", "backend"]
    assert model(depth=3).given == {"depth": 3}
