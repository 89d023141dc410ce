"""What a decorated function is, what cannot be decorated, and what the error says to do."""

from __future__ import annotations

import functools
import gc
import inspect
import pickle
import types
import weakref

import pytest


class Hidden:
    __signature__ = 3

    def __call__(self, data):
        return data


class Nameless(Hidden):
    def __getattr__(self, name):
        raise ZeroDivisionError(name)

    def __repr__(self):
        raise ZeroDivisionError


def endless():
    """Give a function that says it wraps itself."""

    def func(data):
        return data

    func.__wrapped__ = func
    return func


async def rows_later():
    yield


@types.coroutine
def steps():
    yield


def double(values):
    return [2 * value for value in values]


def triple(values):
    return [3 * value for value in values]


@pytest.mark.parametrize(
    "func",
    [
        lambda data, backend="agg": None,
        lambda data, *, backend: None,
        lambda data, backend, /: None,
        lambda data, **backend: None,
        functools.partial(lambda data, backend: None),
    ],
    ids=["plain", "keyword-only", "positional-only", "keywords", "through a partial"],
)
def test_a_parameter_named_as_the_selector(dispatcher, func):
    with pytest.raises(TypeError, match=r"'backend'.* choose another with selector=\.\.\."):
        dispatcher.backend_dispatch(name="func")(func)
    assert dict(dispatcher.dispatched) == {}
    dispatcher.backend_dispatch(name="func", selector="engine")(func)
    dispatcher.backend_dispatch(name="other", selector=None)(func)
    with pytest.raises(TypeError, match="already has a parameter 'engine'"):
        dispatcher.backend_dispatch(name="third", selector="engine")(lambda engine: None)


@pytest.mark.parametrize("selector", ["1st", "two words", "class", 3])
def test_a_selector_that_cannot_name_a_parameter(dispatcher, selector):
    with pytest.raises((TypeError, ValueError), match="selector"):
        dispatcher.backend_dispatch(name="func", selector=selector)(lambda data: None)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: 3, r"3 cannot be called; decorate a function"),
        (lambda: functools.partialmethod(pow, 2), "cannot be called; decorate the function that"),
        (lambda: Hidden, "Hidden is a class; decorate it with backend_class"),
        (Hidden, r"Hidden.* cannot be read: .*; decorate a function of yours"),
        (Nameless, r"Nameless.* has a signature that cannot be read"),
        (endless, r"func has a signature that cannot be read"),
        (lambda: rows_later, "rows_later is an asynchronous generator function"),
        (lambda: steps, "steps is a generator function that is awaited"),
        (lambda: functools.partial(steps), "is a generator function that is awaited"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"ignorable": ["n_jobs"]}])
def test_what_cannot_be_dispatched(dispatcher, options, make, said):
    with pytest.raises(TypeError, match=said):
        dispatcher.backend_dispatch(name="func", **options)(make())


@pytest.mark.parametrize("name", ["", "two words", "tl.", ".tl", "tl..umap", "1st", "tl-umap"])
def test_a_dispatch_name_that_is_none(dispatcher, name):
    func = functools.partial(double)
    with pytest.raises(ValueError, match=r"a dispatch name is a Python name.* pass name="):
        dispatcher.backend_dispatch(name=name)(func)


def test_a_name_or_a_class_in_the_place_of_the_function_is_told_what_to_write(dispatcher):
    with pytest.raises(TypeError, match=r"not a function; write @backend_dispatch\(name="):
        dispatcher.backend_dispatch("tl.umap")
    with pytest.raises(TypeError, match="Hidden is a class; decorate it with backend_class"):
        dispatcher.backend_dispatch(Hidden)


@pytest.mark.parametrize("func", [lambda data: None, functools.partial(double)])
def test_a_callable_without_a_name_of_its_own(dispatcher, func):
    with pytest.raises(ValueError, match=r"pass name="):
        dispatcher.backend_dispatch(func)


def test_two_functions_under_one_dispatch_name(dispatcher, site):
    dispatcher.backend_dispatch(double)
    with pytest.raises(
        ValueError, match=r"triple and .*\.double would both .* as 'double'; pass name="
    ):
        dispatcher.backend_dispatch(name="double")(triple)
    site.write("plots.py", "def double(values): pass")
    import plots

    with pytest.raises(ValueError, match=r"plots\.double and .*test_decoration\.double"):
        dispatcher.backend_dispatch(plots.double)
    assert dispatcher.dispatched["double"]([1]) == [2]


@pytest.mark.parametrize(
    ("ignorable", "kind", "said"),
    [
        (["n_job"], ValueError, r"double has no parameter 'n_job'"),
        (("values", "n_job"), ValueError, r"double has no parameter 'n_job'"),
        *[(wrong, TypeError, "ignorable") for wrong in ("values", 3, [3])],
    ],
)
def test_what_cannot_be_ignorable(dispatcher, ignorable, kind, said):
    with pytest.raises(kind, match=said):
        dispatcher.backend_dispatch(ignorable=ignorable)(double)


def documented(adata: list, *, copy: bool = False) -> list:
    """Do what the docstring says."""
    return adata


def test_a_decorated_function_looks_as_before(dispatcher):
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


def test_a_generator_function_still_yields(dispatcher):
    @dispatcher.backend_dispatch
    def batches(data):
        yield from data

    assert inspect.isgeneratorfunction(batches)
    assert list(batches([1, 2], backend="cpu")) == [1, 2]
    assert not inspect.isgeneratorfunction(dispatcher.backend_dispatch(double))


def test_a_generator_function_that_two_hosts_dispatch(make_dispatcher):
    outer, inner = make_dispatcher(), make_dispatcher(host_name="other")

    @outer.backend_dispatch
    @inner.backend_dispatch(selector=None)
    def batches(data):
        yield from data

    with inner.settings.trace() as trace:
        assert list(batches([1], backend="cpu")) == [1]
    assert inspect.isgeneratorfunction(batches)
    assert len(trace.records) == 1


def test_the_mapping_lists_every_function_by_its_dispatch_name_and_is_read_only(dispatcher):
    held = dispatcher.dispatched
    plain = dispatcher.backend_dispatch(double)
    called = dispatcher.backend_dispatch()(triple)
    dotted = dispatcher.backend_dispatch(name="pl.double")(double)
    with pytest.raises(TypeError):
        held["double"] = double
    with pytest.raises(TypeError):
        del held["double"]
    assert dict(held) == {"double": plain, "triple": called, "pl.double": dotted}
    assert [func([1]) for func in held.values()] == [[2], [3], [2]]


def test_a_module_that_is_loaded_again_replaces_its_functions(dispatcher):
    first = dispatcher.backend_dispatch(double)
    second = dispatcher.backend_dispatch(double)
    assert dispatcher.dispatched["double"] is second is not first


def test_a_function_that_is_decorated_again_leaves_nothing_behind(dispatcher, offer):
    def decorate():
        def cell(data, factor=2):
            return data

        return dispatcher.backend_dispatch(cell)

    before, settings = decorate(), pickle.loads(pickle.dumps(dispatcher.settings))
    offer(cell=lambda data, speed=1: "backend")
    with settings.use_backend("mine"), settings.trace():
        assert before(1) == "backend"
    assert "speed" in inspect.signature(before).parameters
    gone = weakref.ref(before), weakref.ref(settings)
    after = decorate()
    del before, settings
    gc.collect()
    assert [reference() for reference in gone] == [None, None]
    offer("other")  # a change, of which only what is left is told
    assert after(1, backend="mine") == "backend"
