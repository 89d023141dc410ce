"""A backend made of the host's own functions, which calls reach as they reach any backend."""

import asyncio
import inspect
import math

import pytest

from scverse_backends.exceptions import BackendConfigurationError, UnknownBackendError
from scverse_backends.testing import loopback


def traced(dispatcher, call):
    with dispatcher.settings.trace() as trace, dispatcher.settings.use_backend("loopback"):
        result = call()
    return result, [(record.function, record.backend) for record in trace.records]


def test_a_call_runs_there_and_gives_the_hosts_result(dispatcher, host):
    with loopback(dispatcher):
        result, ran = traced(dispatcher, lambda: host.scale([1, 2], factor=3))
    assert (result, ran) == ([3, 6], [("scale", "loopback")])


def test_the_loopback_is_registered_for_a_block_and_selects_nothing(dispatcher, host):
    with loopback(dispatcher) as registration:
        assert (registration.name, dispatcher.settings.backend) == ("loopback", "cpu")
    with pytest.raises(UnknownBackendError):
        host.scale([1], backend="loopback")


def test_a_function_decorated_later_is_offered_too(dispatcher, host):
    with loopback(dispatcher):
        late = dispatcher.backend_dispatch(name="late")(lambda: "late")
        assert traced(dispatcher, late) == ("late", [("late", "loopback")])


def test_dotted_names_are_namespaces_even_below_a_function(dispatcher):
    tool = dispatcher.backend_dispatch(name="tl.pca")(lambda: "tool")
    plot = dispatcher.backend_dispatch(name="pl.pca")(lambda: "plot")
    with loopback(dispatcher):
        assert traced(dispatcher, tool) == ("tool", [("tl.pca", "loopback")])
        assert traced(dispatcher, plot) == ("plot", [("pl.pca", "loopback")])


@pytest.mark.parametrize("name", ["aliases", "fixed", "renames.of", "can_run"])
def test_a_function_named_as_a_fact_of_an_adapter_stays_on_the_host(dispatcher, host, name):
    odd = dispatcher.backend_dispatch(name=name)(lambda: "odd")
    dispatcher.settings.fallback = "silent"
    with loopback(dispatcher):
        result, ran = traced(dispatcher, lambda: (odd(), host.scale([1], factor=3)))
    assert result == ("odd", [3])
    assert ran == [(name, "cpu"), ("scale", "loopback")]


def test_what_it_does_not_offer_is_said_by_name(dispatcher, host):
    with loopback(dispatcher):
        adapter = dispatcher.get_backend("loopback")
        with pytest.raises(AttributeError, match="'umap'"):
            adapter.umap  # noqa: B018 - looking it up is the point
        assert set(adapter.__all__) == {"scale", "rank", "sample", "clear"}


def test_a_borrowed_function_is_the_hosts_as_well(dispatcher):
    root = dispatcher.backend_dispatch(name="root", selector=None)(math.sqrt)
    with loopback(dispatcher):
        assert traced(dispatcher, lambda: root(4.0)) == (2.0, [("root", "loopback")])


def test_calls_within_the_hosts_code_run_there_too(dispatcher, host):
    outer = dispatcher.backend_dispatch(name="outer")(lambda values: host.scale(host.rank(values)))
    with loopback(dispatcher):
        result, ran = traced(dispatcher, lambda: outer([3, 1]))
    assert result == [2.0, 0.0]
    assert ran == [("outer", "loopback"), ("rank", "loopback"), ("scale", "loopback")]


def test_coroutine_functions_stay_coroutine_functions(dispatcher):
    @dispatcher.backend_dispatch
    async def fetch(key):
        await asyncio.sleep(0)
        return key

    with loopback(dispatcher):
        adapter = dispatcher.get_backend("loopback")
        assert inspect.iscoroutinefunction(adapter.fetch)
        result, ran = traced(dispatcher, lambda: asyncio.run(fetch("a")))
    assert (result, ran) == ("a", [("fetch", "loopback")])


def test_generators_are_iterated_there(dispatcher):
    @dispatcher.backend_dispatch
    def count(stop):
        yield from range(stop)

    with loopback(dispatcher):
        assert traced(dispatcher, lambda: list(count(3))) == ([0, 1, 2], [("count", "loopback")])


def test_a_class_is_built_there_and_is_the_hosts_own(dispatcher):
    @dispatcher.backend_class
    class Model:
        """Keeps its layers."""

        def __init__(self, layers=2):
            self.layers = layers

    with loopback(dispatcher):
        model, ran = traced(dispatcher, lambda: Model(layers=5))
        assert inspect.signature(dispatcher.get_backend("loopback").Model).parameters.keys() == {
            "layers"
        }
    assert (type(model), model.layers, ran) == (Model, 5, [("Model", "loopback")])


def test_a_host_that_reserves_the_label_is_told(make_dispatcher):
    dispatcher = make_dispatcher(reserved_backends={"loopback": "Taken."})
    with pytest.raises(BackendConfigurationError, match="Taken"):
        loopback(dispatcher)


def test_the_loopback_shows_no_options_of_its_own(dispatcher, host):
    before = str(inspect.signature(host.scale))
    with loopback(dispatcher):
        dispatcher.discover()
        assert str(inspect.signature(host.scale)) == before
