"""What may be an implementation: anything that can be called with what the host function takes."""

import asyncio
import contextlib
import functools
import inspect
import math

import pytest

from scverse_backends.exceptions import BackendFallbackWarning, BackendRegistrationWarning
from scverse_backends.testing import verify


def scaled(data, factor=2):
    return ("mine", data, factor)


class Scaled(tuple):
    """Made from the arguments that a function would take."""

    __slots__ = ()

    def __new__(cls, data, factor=2):
        return tuple.__new__(cls, ("mine", data, factor))

    def __repr__(self):
        return tuple.__repr__(self)


class Scaler:
    by_class = classmethod(lambda cls, data, factor=2: ("mine", data, factor))
    without_self = staticmethod(scaled)

    def __call__(self, data, factor=2):
        return ("mine", data, factor)

    def scaled(self, data, factor=2):
        return ("mine", data, factor)


class Pretender(Scaler):
    """Says to be equal to everything."""

    __signature__ = inspect.signature(scaled)

    def __eq__(self, other):
        return True

    __hash__ = object.__hash__


def with_more(prefix, data, factor=2):
    return (prefix, data, factor)


@functools.wraps(scaled)
def wrapping(*args, **kwargs):
    return scaled(*args, **kwargs)


@pytest.fixture
def scale(dispatcher):
    return dispatcher.backend_dispatch(name="scale")(
        lambda data, factor=1, copy=False: ("host", data, factor)
    )


@pytest.mark.parametrize(
    "implementation",
    [
        pytest.param(scaled, id="a function"),
        pytest.param(lambda data, factor=2: ("mine", data, factor), id="a lambda"),
        pytest.param(functools.partial(with_more, "mine"), id="a partial"),
        pytest.param(functools.partial(scaled, factor=2), id="a partial of a keyword"),
        pytest.param(functools.cache(scaled), id="a cached function"),
        pytest.param(wrapping, id="a wrapped function"),
        pytest.param(Scaled, id="a class"),
        pytest.param(Scaler(), id="a callable object"),
        pytest.param(Pretender(), id="an object that says to equal anything"),
        pytest.param(Scaler().scaled, id="a bound method"),
        pytest.param(Scaler.by_class, id="a class method"),
        pytest.param(Scaler.without_self, id="a static method"),
    ],
)
@pytest.mark.parametrize("listed", [True, False])
def test_a_callable_of_every_kind_is_run(dispatcher, scale, offer, outcome, implementation, listed):
    offer(scale=implementation, **({"__all__": ["scale"]} if listed else {}))
    assert outcome(scale, 3) == ("mine", 3, 2)
    assert outcome(scale, 3, factor=4) == ("mine", 3, 4)
    with pytest.warns(BackendFallbackWarning, match="does not take 'copy'"):
        assert outcome(scale, 3, 4, True) == ("host", 3, 4)


def test_a_signature_of_its_own_is_believed_where_it_says_what_the_hosts_says(
    scale, offer, reasons
):
    def mine(*args, **kwargs):
        return "mine"

    mine.__signature__ = inspect.signature(scale).replace()
    assert mine.__signature__ == inspect.signature(scale)
    offer(scale=mine)
    assert reasons(scale, 3, tiles=4) == ["does not take 'tiles'"]


def test_a_builtin_with_a_signature_is_run(dispatcher, offer, outcome):
    root = dispatcher.backend_dispatch(name="root")(lambda x: "host")
    offer(root=math.sqrt, __all__=["root"], renames={})
    assert outcome(root, 9.0) == 3.0


def test_a_signature_that_raises_is_a_refusal_that_says_so(scale, offer, outcome, reasons):
    class Broken:
        def __call__(self, data):
            return "mine"

        @property
        def __signature__(self):
            raise RuntimeError("compiled without signatures")

    offer(scale=Broken())
    with pytest.warns(
        BackendRegistrationWarning, match="no call of 'scale' can run there.*maintainer"
    ):
        (reason,) = reasons(scale, 3)
    assert "signature cannot be read" in reason
    assert "compiled without signatures" in reason
    with pytest.warns(BackendFallbackWarning, match="signature cannot be read"):
        assert outcome(scale, 3) == ("host", 3, 1)


def test_a_partial_of_itself_is_refused(scale, offer, reasons):
    endless = functools.partial(scaled)
    endless.__setstate__((endless, (), {}, {"__signature__": inspect.signature(scaled)}))
    offer(scale=endless)
    with pytest.warns(BackendRegistrationWarning, match="no call of 'scale' can run there"):
        (reason,) = reasons(scale, 3)
    assert "signature cannot be read (TypeError: it is wrapped in itself)" in reason


async def scaled_later(data, factor=2):
    return ("mine", data, factor)


class ScaledLater:
    async def __call__(self, data, factor=2):
        return ("mine", data, factor)


@pytest.mark.parametrize(
    "implementation",
    [
        pytest.param(scaled_later, id="a coroutine function"),
        pytest.param(functools.partial(scaled_later, factor=2), id="a partial of one"),
        pytest.param(ScaledLater(), id="an object with a coroutine function as its call"),
        pytest.param(ScaledLater().__call__, id="a bound coroutine method"),
    ],
)
def test_a_coroutine_function_for_a_plain_host_function_is_refused(
    scale, offer, reasons, implementation
):
    offer(scale=implementation)
    with pytest.warns(BackendRegistrationWarning, match="no call of 'scale' can run there"):
        (reason,) = reasons(scale, 3)
    assert "coroutine function" in reason


@pytest.mark.parametrize("implementation", [scaled_later, ScaledLater(), scaled, Scaled])
def test_a_coroutine_function_is_run_by_plain_and_by_coroutine_functions(
    dispatcher, offer, implementation
):
    @dispatcher.backend_dispatch
    async def scale(data, factor=1):
        return "host"

    offer(scale=implementation)
    called = scale(3, backend="mine")
    assert inspect.iscoroutine(called)
    assert asyncio.run(called) == ("mine", 3, 2)
    with dispatcher.settings.use_backend("mine"):
        again = [scale(3, factor=4), scale(3, factor=4)]
    assert [asyncio.run(called) for called in again] == [("mine", 3, 4)] * 2


def by_position_alone(function):
    """Decorate as many decorators do: the signature is kept, and not what it promises."""

    @functools.wraps(function)
    def inside(data, *rest):
        return function(data, *rest)

    return inside


@pytest.mark.parametrize("name", ["data", "DATA".lower()], ids=["its own", "made at import"])
def test_what_is_given_by_position_arrives_by_position_in_every_call(scale, offer, outcome, name):
    offer(scale=by_position_alone(scaled), renames={"scale": {"data": name}})
    assert outcome(scale, 3, 4) == ("mine", 3, 4)


@pytest.fixture
def tiles(dispatcher, offer):
    """A host's plain function that gives an iterator, for which a backend has a generator."""
    where = dispatcher.backend_dispatch(name="where")(lambda: "host")
    tiles = dispatcher.backend_dispatch(name="tiles")(lambda count: iter([where()] * count))

    def own(count):
        for tile in tiles(count):
            yield tile, where()

    offer(tiles=own, where=lambda: "mine")
    return tiles


def test_a_generator_in_the_place_of_a_plain_function_may_call_what_it_replaces(dispatcher, tiles):
    with dispatcher.settings.use_backend("mine"):
        assert [*tiles(2)] == [("mine", "mine")] * 2
    assert [*tiles(2)] == ["host"] * 2


async def later(data): ...


# What is offered for `scale`, its renames, and what is said of it.
UNUSABLE = {
    "what cannot be called": (3, {}, "offers 'scale', which cannot be called"),
    "None": (None, {}, "offers 'scale', which cannot be called"),
    "no readable signature": (max, {}, "whose signature cannot be read"),
    "a coroutine function": (later, {}, "as a coroutine function, which the host's is not"),
    "an argument named as the selector": (
        lambda data, *, backend: "mine",
        {},
        "needs 'backend', which no call can give",
    ),
    "an argument renamed away": (
        lambda rows, data: "mine",
        {"data": "rows"},
        "needs 'data', which no call can give",
    ),
}


@pytest.mark.parametrize("policy", ["warn", "silent", "error"])
@pytest.mark.parametrize(("own", "renames", "said"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_adapters_mistake_is_heard_once_under_every_policy(
    dispatcher, scale, offer, recwarn, policy, own, renames, said
):
    offer(scale=own, renames={"scale": renames}, __all__=["scale"])
    for _ in range(2):
        with (
            dispatcher.settings.use_backend("mine", fallback=policy),
            contextlib.suppress(NotImplementedError),
        ):
            scale(3)
    heard = [w.message for w in recwarn if w.category is BackendRegistrationWarning]
    assert [(one.backend, said in one.problem) for one in heard] == [("mine", True)]
    assert recwarn.list[0].filename == __file__


@pytest.mark.parametrize(("own", "renames", "said"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_adapters_mistake_is_the_same_in_a_decision_and_for_verify(
    dispatcher, scale, offer, own, renames, said
):
    offer(scale=own, renames={"scale": renames}, __all__=["scale"])
    result = verify(dispatcher, "mine")
    assert result.implemented == ()
    assert said in " ".join(found.message for found in result.failures())
    with pytest.warns(BackendRegistrationWarning):
        decision = dispatcher.settings.explain(scale, 3, backend="mine")
    assert said in decision.refusals[0].reason


def test_where_an_adapters_mistake_is_an_error_every_call_is_one(scale, offer):
    offer(scale=3)  # the tests make errors of warnings
    for _ in range(2):
        with pytest.raises(BackendRegistrationWarning):
            scale(3, backend="mine")


def test_an_adapter_that_comes_again_is_heard_again_and_one_that_stays_is_not(scale, offer):
    offer("stays", scale=3)
    for _ in range(2):
        with offer(scale=3), pytest.warns(BackendRegistrationWarning) as caught:
            scale(3, backend=["stays", "mine", "cpu"])
        assert [told.message.backend for told in caught][-1:] == ["mine"]
    assert len(caught) == 1
