"""What a decorated function is, to those who call it and to those who look at it."""

from __future__ import annotations

import asyncio
import functools
import inspect
import math
import operator
import pickle

import pytest


class Halver:
    def __call__(self, data):
        return data / 2


def documented(adata: list, *, copy: bool = False) -> list:
    """Do what the docstring says."""
    return adata


def double(values):
    return [2 * value for value in values]


def test_it_remains_what_it_was_to_those_who_look(dispatcher):
    public = dispatcher.backend_dispatch(documented)
    assert public is not documented
    assert inspect.isfunction(public)
    assert public.__name__ == "documented"
    assert public.__qualname__ == "documented"
    assert public.__module__ == __name__
    assert public.__doc__.startswith("Do what the docstring says.")
    assert public.__wrapped__ is documented


def test_the_original_is_left_alone(dispatcher):
    def fresh(adata):
        """Say nothing of backends."""

    before = (dict(vars(fresh)), fresh.__doc__, inspect.signature(fresh))
    dispatcher.backend_dispatch(fresh)
    assert (dict(vars(fresh)), fresh.__doc__, inspect.signature(fresh)) == before


def test_options_and_no_options_both_decorate(dispatcher):
    bare = dispatcher.backend_dispatch(double)
    called = dispatcher.backend_dispatch()(documented)
    assert (bare([1]), called([1])) == ([2], [1])


def test_a_function_that_is_wrapped_already(dispatcher):
    cached = functools.lru_cache(lambda data, factor=1: data * factor)
    func = dispatcher.backend_dispatch(name="func")(cached)
    assert (func(3), func(3, factor=2)) == (3, 6)


@pytest.mark.parametrize(
    ("func", "arguments", "result"),
    [
        pytest.param(math.sqrt, (9.0,), 3.0, id="a builtin"),
        pytest.param(functools.partial(operator.mul, 2), (3,), 6, id="a partial"),
        pytest.param(Halver(), (3,), 1.5, id="a callable object"),
    ],
)
def test_a_callable_that_is_no_plain_function(dispatcher, func, arguments, result):
    public = dispatcher.backend_dispatch(name="func")(func)
    assert public(*arguments) == result
    assert public(*arguments, backend="cpu") == result


def test_a_coroutine_function_stays_one(dispatcher):
    @dispatcher.backend_dispatch
    async def fetch():
        return 3

    assert inspect.iscoroutinefunction(fetch)
    assert asyncio.run(fetch()) == 3


def test_a_generator_function_still_yields(dispatcher):
    @dispatcher.backend_dispatch
    def batches(data):
        yield from data

    assert list(batches([1, 2], backend="cpu")) == [1, 2]


def test_a_module_level_function_pickles_by_its_name(make_dispatcher, site):
    site.write(
        "host_with_pickles.py",
        """
        from scverse_backends import BackendDispatcher
        dispatcher = BackendDispatcher(entrypoint_group="none", host_name="host")
        @dispatcher.backend_dispatch
        def double(values): return [2 * value for value in values]
        """,
    )
    from host_with_pickles import double

    assert pickle.loads(pickle.dumps(double)) is double


def test_it_lists_every_function_by_its_dispatch_name(dispatcher):
    plain = dispatcher.backend_dispatch(double)
    dotted = dispatcher.backend_dispatch(name="pl.double")(double)
    assert dict(dispatcher.dispatched) == {"double": plain, "pl.double": dotted}


def test_it_is_read_only(dispatcher):
    dispatcher.backend_dispatch(double)
    with pytest.raises(TypeError):
        dispatcher.dispatched["double"] = double
    with pytest.raises(TypeError):
        del dispatcher.dispatched["double"]
    assert list(dispatcher.dispatched) == ["double"]


def test_one_who_holds_it_sees_what_is_decorated_later(dispatcher):
    held = dispatcher.dispatched
    dispatcher.backend_dispatch(double)
    assert list(held) == ["double"]


def test_a_module_that_is_loaded_again_replaces_its_functions(dispatcher):
    first = dispatcher.backend_dispatch(double)
    second = dispatcher.backend_dispatch(double)
    assert dispatcher.dispatched["double"] is second is not first
