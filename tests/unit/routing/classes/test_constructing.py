"""Who constructs: the host's class, or the backend's, by the rules of every call."""

from unittest import mock

import pytest

from scverse_backends.exceptions import (
    BackendFallbackError,
    BackendFallbackWarning,
    BackendLoadError,
)


@pytest.fixture
def model(dispatch):
    class Model:
        def __init__(self, n_layers, *, seed=0, copy=False):
            self.given = (n_layers, seed, copy)

    return dispatch(Model)


@pytest.fixture
def theirs(offer):
    class TheirModel:
        def __init__(self, n_layers, *, seed=0, tiles=1):
            self.given = (n_layers, seed, tiles)

    offer(Model=TheirModel)
    return TheirModel


def test_a_call_or_a_block_chooses_who_constructs(model, theirs, mine, dispatcher):
    built = [model(3, seed=1), model(3, seed=1, backend="mine"), model(3, tiles=7, backend="mine")]
    assert [type(one) for one in built] == [model, theirs, theirs]
    assert [one.given for one in built] == [(3, 1, False), (3, 1, 1), (3, 0, 7)]
    with mine():
        built = [model(3), model(3), model(3, backend="cpu")]
        assert dispatcher.settings.explain(model, 3).backend == "mine"
    assert [type(one) for one in built] == [theirs, theirs, model]
    assert type(model(3)) is model
    assert dispatcher.settings.explain(model, 3).backend == "cpu"


def test_a_class_that_a_test_replaces_with_a_mock_is_constructed(model, theirs, dispatcher, mine):
    adapter = dispatcher.get_backend("mine")
    with mine():
        assert type(model(3)) is theirs
        with mock.patch.object(adapter, "Model") as replaced:
            assert model(n_layers=3) is replaced.return_value
        assert replaced.call_args == mock.call(n_layers=3)
        with mock.patch.object(adapter, "Model", autospec=True) as replaced:
            assert model(3, seed=1) is replaced.return_value
        replaced.assert_called_once_with(3, seed=1)
        assert type(model(3)) is theirs


def test_arguments_of_a_constructor_follow_the_rules_of_every_call(dispatch, offer):
    class Model:
        def __init__(self, n_layers, *, n_jobs=1, seed=2):
            pass

    class TheirModel:
        def __init__(self, depth, seed=9):
            self.given = depth, seed

    model = dispatch(Model, ignorable=["n_jobs"], host_defaults=True)
    offer(Model=TheirModel, renames={"Model": {"n_layers": "depth"}})
    assert model(n_layers=5, n_jobs=4, backend="mine").given == (5, 2)


def test_an_argument_the_backend_lacks_is_a_fallback(model, theirs, dispatcher):
    with pytest.warns(BackendFallbackWarning, match="does not take 'copy'"):
        assert type(model(3, copy=True, backend="mine")) is model
    dispatcher.settings.fallback = "error"
    with pytest.raises(BackendFallbackError, match="does not take 'copy'"):
        model(3, copy=True, backend="mine")


def test_a_backends_class_that_inherits_is_initialised_once_and_sees_no_selector(model, offer):
    seen = []

    class TheirModel(model):
        def __init__(self, *args, **kwargs):
            seen.append((args, kwargs))
            super().__init__(*args, **kwargs)

    offer(Model=TheirModel)
    built = model(3, seed=2, backend="mine")
    assert seen == [((3,), {"seed": 2})]
    assert isinstance(built, model)
    assert built.given == (3, 2, False)


def test_the_hosts_class_handed_back_is_no_implementation(model, offer, dispatcher):
    offer(Model=model)
    [refusal] = dispatcher.settings.explain(model, 3, backend="mine").refusals
    assert refusal.reason == "does not implement it"


@pytest.mark.parametrize("offered", [lambda n_layers: "built", 3])
def test_a_name_that_is_no_class_is_an_error_that_names_the_backend(model, offer, offered):
    offer(Model=offered)
    with pytest.raises(BackendLoadError, match=r"'mine'.*'Model'.*no class"):
        model(3, backend="mine")


def test_arguments_without_a_name_reach_a_constructor_that_takes_any(dispatch, offer):
    class Wide:
        def __init__(self, first, *rest, **options):
            self.given = (first, rest, options)

    class Narrow:
        def __init__(self, first):
            pass

    model = dispatch(type("Model", (Wide,), {}))
    offer(Model=Wide)
    offer("narrow", Model=Narrow)
    built = model(1, 2, 3, depth=4, backend="mine")
    assert (type(built), built.given) == (Wide, (1, (2, 3), {"depth": 4}))
    with pytest.warns(BackendFallbackWarning, match="does not take 'rest'"):
        assert type(model(1, 2, backend="narrow")) is model
