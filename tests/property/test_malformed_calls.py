"""A call that Python rejects is rejected in Python's words: on the host, on a backend, cold and warm."""

from __future__ import annotations

import warnings
from contextlib import ExitStack, nullcontext
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scverse_backends import BackendDispatcher
from scverse_backends.exceptions import BackendFallbackWarning

KINDS = ("/", "", "*")


@st.composite
def functions(draw):
    """Draw what a function takes, as source text: each parameter's kind, name and whether it is needed."""
    names = draw(st.lists(st.sampled_from("abcdef"), unique=True, max_size=5))
    kinds = sorted((draw(st.sampled_from(KINDS)) for _ in names), key=KINDS.index)
    parts, optional = [], False
    for index, (kind, name) in enumerate(zip(kinds, names, strict=True)):
        if kind == "*" and "*" not in kinds[:index]:
            parts.append("*")
        optional = draw(st.booleans()) or (optional and kind != "*")
        parts.append(f"{name}=0" if optional else name)
        if kind == "/" and kinds[index + 1 : index + 2] != ["/"]:
            parts.append("/")
    return ", ".join([*parts, *draw(st.sampled_from([[], [], ["**rest"]]))])


CALLS = st.tuples(
    st.lists(st.integers(), max_size=6),
    st.dictionaries(st.sampled_from([*"abcdef", "typo"]), st.integers(), max_size=4),
)


def made(prefix, name, takes):
    scope = {}
    # No other way gives a function whose own code has these parameters.
    exec(f"{prefix} {name}({takes}): return 1", scope)  # noqa: S102
    return scope[name]


def objection(work):
    """Tell what is raised, and what is warned of beside it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            work()
        except Exception as error:  # noqa: BLE001 - what is raised is what is asked
            return type(error), str(error), [str(found.message) for found in caught]
    return None


def rejected(function, args, kwargs):
    """Tell how Python rejects a call, if it does; a coroutine is thrown away."""

    def call():
        getattr(function(*args, **kwargs), "close", bool)()

    return objection(call)


def warm(func, prepared):
    for args, kwargs in prepared:
        rejected(func, args, kwargs)


def outcomes(dispatcher, func, args, kwargs, prepared):
    """Make a call in every way there is of selecting a backend, cold and warm."""
    selecting = dispatcher.settings
    yield rejected(func, args, {**kwargs, "backend": "mine"})
    for policy in ("warn", "silent", "error"):
        for trace in (nullcontext, selecting.trace):
            with ExitStack() as stack:
                stack.enter_context(selecting.use_backend("mine", fallback=policy))
                stack.enter_context(trace())
                warm(func, prepared)
                for _ in range(2):
                    yield rejected(func, args, kwargs)
                    yield rejected(func, args, {**kwargs, "backend": "mine"})
    with selecting.use_backend("mine", "cpu"):
        for _ in range(2):
            yield rejected(func, args, kwargs)
    yield rejected(func, args, {**kwargs, "backend": "cpu"})
    yield rejected(func, args, {**kwargs, "backend": None})


@pytest.mark.parametrize("prefix", ["def", "async def"])
@settings(max_examples=4 * settings.default.max_examples)
@given(takes=functions(), call=CALLS, prepared=st.lists(CALLS, max_size=3))
def test_a_malformed_call_is_rejected_alike_on_the_host_and_on_a_backend_cold_and_warm(
    prefix, takes, call, prepared
):
    host, (args, kwargs) = made(prefix, "func", takes), call
    expected = rejected(host, args, kwargs)
    dispatcher = BackendDispatcher(entrypoint_group="tests.nobody", host_name="example_host")
    func = dispatcher.backend_dispatch(name="func")(host)
    dispatcher.register(SimpleNamespace(name="mine", func=made(prefix, "theirs", takes)))
    assert rejected(func, args, kwargs) == expected
    if expected is None:
        return
    for found in outcomes(dispatcher, func, args, kwargs, prepared):
        assert found == expected


class TestOnABackend:
    """One that Python rejects, of a host function and an implementation of other kinds."""

    @pytest.fixture
    def dispatcher(self):
        return BackendDispatcher(entrypoint_group="tests.nobody", host_name="example_host")

    @pytest.fixture
    def alike(self, dispatcher):
        def alike(func, *args, **kwargs):
            expected = objection(lambda: func(*args, **kwargs))
            assert expected[::2] == (TypeError, [])
            for found in outcomes(dispatcher, func, args, kwargs, [((1,), {})]):
                assert found == expected
            return expected[1]

        return alike

    @staticmethod
    def passing_on(func):
        def theirs(*args, **kwargs):
            return func(*args, **kwargs)

        theirs.__wrapped__ = func
        return theirs

    def test_whose_implementation_passes_everything_on(self, dispatcher, alike):
        inner = self.passing_on(lambda data, copy=False: "mine")
        dispatcher.register(SimpleNamespace(name="mine", func=inner))
        func = dispatcher.backend_dispatch(name="func")(lambda data, copy=False: "host")
        assert "missing 1 required positional argument: 'data'" in alike(func)
        assert "multiple values for argument 'data'" in alike(func, 1, data=2)

    def test_a_generator_function_says_so_when_it_is_called(self, dispatcher, alike):
        dispatcher.register(SimpleNamespace(name="mine", rows=lambda count: [count]))

        @dispatcher.backend_dispatch
        def rows(count):
            yield count

        assert "missing 1 required positional argument: 'count'" in alike(rows)
        assert "unexpected keyword argument 'cuont'" in alike(rows, cuont=2)

    def test_a_class(self, dispatcher, alike):
        class Model:
            def __init__(self, layers, width=2):
                self.layers = layers

        class Theirs:
            def __init__(self, layers, width=2):
                self.layers = layers

        dispatcher.register(SimpleNamespace(name="mine", Model=Theirs))
        public = dispatcher.backend_class(Model)
        assert "missing 1 required positional argument: 'layers'" in alike(public)
        assert "multiple values for argument 'layers'" in alike(public, 1, layers=2)
        assert "unexpected keyword argument 'widht'" in alike(public, 1, widht=2)
        assert "takes from 2 to 3 positional arguments but 4 were given" in alike(public, 1, 2, 3)

    def test_a_name_that_the_host_takes_by_position_alone_is_no_option_of_a_backend(
        self, dispatcher, alike
    ):
        dispatcher.register(SimpleNamespace(name="mine", func=lambda data, size=1: "mine"))
        scope = {}
        exec("def func(data, size=1, /): return 'host'", scope)  # noqa: S102 - as above
        func = dispatcher.backend_dispatch(name="func")(scope["func"])
        assert "positional-only arguments passed as keyword arguments: 'size'" in alike(
            func, 1, size=2
        )

    def test_what_a_host_collects_under_such_a_name_does_not_arrive_as_another(self, dispatcher):
        dispatcher.register(SimpleNamespace(name="mine", func=lambda data, size=1: ("mine", size)))

        @dispatcher.backend_dispatch
        def func(data, size=1, /, **options):
            return "host", size, options

        with dispatcher.settings.use_backend("mine"):
            assert func(1, 2) == ("mine", 2)
            with pytest.warns(BackendFallbackWarning, match="does not take 'size'"):
                assert func(1, size=2) == ("host", 1, {"size": 2})
