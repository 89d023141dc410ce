"""``use_backend`` as a decorator: every call of the function runs inside its block."""

import asyncio
import inspect
from functools import partial, update_wrapper

import pytest

pytestmark = pytest.mark.usefixtures("backends")


def test_a_plain_function_runs_inside_the_block(host):
    @host.settings.use_backend("mine")
    def analyse(count, *, scale=1):
        """Analyse."""
        return host.where(), count * scale

    assert analyse(2, scale=3) == ("mine", 6)
    assert host.where() == "cpu"
    assert (analyse.__name__, analyse.__doc__) == ("analyse", "Analyse.")
    assert str(inspect.signature(analyse)) == "(count, *, scale=1)"


def test_an_async_function_stays_one_and_runs_inside_the_block_while_it_is_awaited(host):
    @host.settings.use_backend("mine")
    async def analyse():
        before = host.where()
        await asyncio.sleep(0)
        return before, host.where(), await host.where_async()

    async def main():
        return await analyse(), host.where()

    assert inspect.iscoroutinefunction(analyse)
    assert asyncio.run(main()) == (("mine", "mine", "mine"), "cpu")


def test_a_dispatched_function_can_be_decorated_and_a_call_of_it_explained(host):
    decorated = host.settings.use_backend("mine")(host.where)
    assert host.settings.explain(decorated).backend == decorated() == "mine"
    assert host.settings.explain(host.where).backend == host.where() == "cpu"
    assert decorated(backend="other") == "other"
    assert asyncio.run(host.settings.use_backend("mine")(host.where_async)()) == "mine"


def test_a_method_can_be_decorated(host):
    own = {"run": host.settings.use_backend("mine")(lambda self: (self, host.where()))}
    analysis = type("Analysis", (), own)()
    assert analysis.run() == (analysis, "mine")


def test_a_decorated_function_that_raises_leaves_nothing_selected(host):
    @host.settings.use_backend("mine")
    def fail():
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        fail()
    assert host.where() == "cpu"


def generate():
    yield


async def generate_async():
    yield


class Generate:
    def __call__(self):
        yield


REFUSAL = r"use_backend cannot decorate the generator function .*[gG]enerate.* with block inside"


@pytest.mark.parametrize(
    "function",
    [generate, generate_async, partial(generate), partial(generate_async), Generate()],
)
def test_generator_functions_are_refused_with_what_to_write_instead(host, function):
    with pytest.raises(TypeError, match=REFUSAL):
        host.settings.use_backend("mine")(function)


class Ask:
    """An object that is called, and awaited."""

    __name__ = "ask"

    def __init__(self, host):
        self.host = host

    async def __call__(self):
        await asyncio.sleep(0)
        return self.host.where()


def test_an_object_whose_call_is_async_runs_inside_the_block_while_it_is_awaited(host):
    decorated = host.settings.use_backend("mine")(Ask(host))
    assert inspect.iscoroutinefunction(decorated)
    assert asyncio.run(decorated()) == "mine"


METHODS = "decorates functions, not .*decorate the methods, below @staticmethod, @classmethod or"


@pytest.mark.parametrize("wrong", [Ask, staticmethod(len), classmethod(len), property(len), "mine"])
def test_what_would_not_be_itself_any_more_is_refused(host, wrong):
    with pytest.raises(TypeError, match=METHODS):
        host.settings.use_backend("mine")(wrong)


class Collected:
    """Runs through a generator function, and says to equal whatever it is compared with."""

    def __init__(self, function):
        update_wrapper(self, function)

    def __call__(self):
        return [*self.__wrapped__()]

    def __eq__(self, other):
        return True

    __hash__ = object.__hash__


def test_what_wraps_a_generator_function_and_is_none_runs_inside_the_block(host):
    @host.dispatcher.backend_dispatch
    def rows():
        yield host.where()

    assert host.settings.use_backend("mine", fallback="silent")(Collected(rows))() == ["mine"]
