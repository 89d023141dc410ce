"""What a call raises: its own errors, whose option does not fit, and interrupts."""

import asyncio
import inspect
from functools import wraps

import pytest

from scverse_backends.exceptions import (
    BackendFallbackError,
    BackendFallbackWarning,
    UntrustedBackendWarning,
)


class Interrupted(BaseException):
    """Not even an ``Exception``."""


@wraps(lambda data: None)
def lenient(*args, **kwargs):
    """Complete what is missing, as a decorator of a host may."""
    return "host", *(args or ["made up"])


@wraps(lambda data: None)
def strict(*args):
    """Look at the arguments, as a decorator of an implementation may."""
    if not args:
        raise TypeError("there is no data")
    return "mine"


class TestARunningImplementation:
    @pytest.mark.parametrize(
        "error",
        [
            NotImplementedError("sparse input"),
            TypeError("missing 1 required positional argument: 'adata'"),
            ImportError("libcuda.so.1: cannot open shared object file"),
            AttributeError("no such layer"),
            BackendFallbackError("inner", host="example_host", refusals=()),
            KeyError("X_pca"),
            Interrupted(),
            SystemExit(3),
        ],
        ids=lambda error: type(error).__name__,
    )
    @pytest.mark.parametrize("policy", ["warn", "silent", "error"])
    def test_its_error_reaches_the_caller_unchanged_and_nothing_is_tried_again(
        self, dispatcher, offer, error, policy
    ):
        ran = []
        func = dispatcher.backend_dispatch(name="func")(lambda data: ran.append("host"))

        def broken(data):
            ran.append("mine")
            raise error

        offer(func=broken)
        offer("second", func=lambda data: ran.append("second"))
        dispatcher.settings.fallback = policy
        with pytest.raises(type(error)) as alone:
            func(1, backend=["mine", "second"])
        with dispatcher.settings.use_backend("mine"), pytest.raises(type(error)) as inside:
            func(1)
        assert alone.value is inside.value is error
        assert (error.__cause__, error.__context__) == (None, None)
        assert ran == ["mine", "mine"]


class TestAnOptionOfABackend:
    @pytest.fixture
    def func(self, dispatcher, offer):
        offer(func=lambda data, batch_size=16: "mine")
        offer("other", func=lambda data, batch_size=16, tiles=1: "other")
        return dispatcher.backend_dispatch(name="func")(lambda data, copy=False: "host")

    @pytest.mark.parametrize("arguments", [{}, {"backend": "cpu"}, {"backend": None}])
    def test_on_the_host_it_is_a_type_error_that_names_its_owners(self, func, arguments):
        owner = "'tiles' is an option of backend 'other'.*Leave it out, or select the backend"
        with pytest.raises(TypeError, match=owner):
            func(1, tiles=2, **arguments)
        with pytest.raises(TypeError, match="'batch_size' is an option of backend 'mine', 'other'"):
            func(1, batch_size=2, **arguments)

    def test_the_second_choice_takes_its_own_option_and_the_first_refuses_it(self, func):
        assert func(1, tiles=2, backend=["mine", "other"]) == "other"
        with pytest.raises(TypeError, match="'tiles' is an option of backend 'other'"):
            func(1, tiles=2, backend="mine")

    @pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.BackendFallbackWarning")
    def test_where_its_owner_refuses_the_call_for_another_reason_that_reason_is_said(
        self, dispatcher, func
    ):
        told = r"(?s)'tiles' is an option of backend 'other'.*does not take 'copy'"
        with pytest.raises(TypeError, match=told):
            func(1, tiles=2, copy=True, backend="other")
        dispatcher.settings.fallback = "error"
        with pytest.raises(BackendFallbackError, match="does not take 'copy'"):
            func(1, tiles=2, copy=True, backend="other")

    def test_a_host_with_keywords_of_its_own_takes_it(self, dispatcher, offer):
        offer("third", plot=lambda data, dpi=80: "third")
        plot = dispatcher.backend_dispatch(name="plot")(lambda data, **options: options)
        assert plot(1, dpi=300) == {"dpi": 300}

    @pytest.mark.parametrize("arguments", [{}, {"backend": "mine"}])
    def test_a_host_inside_another_decorator_names_its_owner_too_and_is_no_fallback(
        self, dispatcher, offer, arguments
    ):
        host = wraps(lambda data: "host")(lambda data: "decorated")
        offer(plot=lambda data: "mine")
        offer("third", plot=lambda data, dpi=80: "third")
        plot = dispatcher.backend_dispatch(name="plot")(host)
        with pytest.raises(TypeError, match="'dpi' is an option of backend 'third'"):
            plot(1, dpi=300, **arguments)

    def test_a_host_that_takes_more_than_its_signature_shows_runs_the_call(self, dispatcher, offer):
        def accepts_random_state(func):
            @wraps(func)
            def inside(*args, random_state=None, **kwargs):
                return func(*args, **({"rng": random_state} | kwargs))

            return inside

        @dispatcher.backend_dispatch
        @accepts_random_state
        def leiden(adata, *, rng=None, directed=None):
            return "host", rng, directed

        offer("third", leiden=lambda adata, *, random_state=0: ("third", random_state))
        assert leiden(1, random_state=7) == ("host", 7, None)
        assert leiden(1, random_state=7, backend="third") == ("third", 7)
        with pytest.warns(BackendFallbackWarning, match="does not take 'directed'"):
            found = leiden(1, random_state=7, directed=True, backend="third")
        assert found == ("host", 7, True)

    def test_a_backend_that_cannot_hand_out_the_function_does_not_hide_the_error(
        self, dispatcher, offer, func
    ):
        offer("broken", __all__=["func"])
        with pytest.raises(TypeError, match="'tiles' is an option of backend 'other'"):
            func(1, tiles=2)
        with pytest.raises(TypeError, match="unexpected keyword argument 'typo'"):
            func(1, typo=2)

    def test_asking_whose_option_it_is_uses_no_backend(self, make_dispatcher, site):
        site.backend("mine", "name = 'mine'\ndef func(data, tiles=1): pass")
        dispatcher = make_dispatcher(untrusted="warn")
        func = dispatcher.backend_dispatch(name="func")(lambda data: "host")
        with pytest.warns(UntrustedBackendWarning):
            assert dispatcher.settings.available_backends() == ["mine"]
        with pytest.raises(TypeError, match="'tiles' is an option of backend 'mine'"):
            func(1, tiles=2)


class TestACallThatIsIncomplete:
    @pytest.fixture
    def run(self, dispatcher, offer):
        """Run a call without arguments on a backend, where one of this shape ran before."""

        def run(host, implementation):
            func = dispatcher.backend_dispatch(name="func")(host)
            offer(func=implementation)
            with dispatcher.settings.use_backend("mine"):
                assert func(1) == "mine"
                return func()

        return run

    def test_runs_on_a_host_that_completes_it(self, run):
        with pytest.warns(BackendFallbackWarning, match="needs 'data'"):
            assert run(lenient, lambda data: "mine") == ("host", "made up")

    @pytest.mark.parametrize(
        ("host", "said"),
        [
            (lenient, "there is no data"),  # It stays where an implementation has begun.
            (lambda data: "host", "missing 1 required positional argument: 'data'"),
        ],
        ids=["a host that completes it", "a host that does not"],
    )
    def test_is_a_type_error_where_the_implementation_looks_at_its_arguments_itself(
        self, run, host, said
    ):
        with pytest.raises(TypeError, match=said):
            run(host, strict)


class TestAnErrorThatTheHostRaisesInAFallback:
    """Data on a device make the host fail deep inside: its error says why the host ran."""

    @pytest.fixture
    def lacking(self, dispatcher, offer):
        offer()
        dispatcher.settings.fallback = "silent"
        dispatcher.settings.backend = "mine"

    @pytest.mark.parametrize(
        "error", [ValueError("an array"), AttributeError("tocoo"), KeyError(1)]
    )
    def test_an_error_in_a_fallback_carries_the_reason_once(self, dispatcher, lacking, error):
        def host(data):
            raise error

        func = dispatcher.backend_dispatch(name="func")(host)
        for _ in "once", "and raised again":
            with pytest.raises(type(error)) as caught:
                func(1)
            assert caught.value is error
            assert caught.value.__notes__ == [
                "No selected backend could take the call: 'mine' does not implement it."
            ]

    def test_an_error_that_takes_no_note_is_raised_as_it_is(self, dispatcher, lacking):
        class OddError(Exception):
            def add_note(self, note):
                raise ZeroDivisionError

        def host(data):
            raise OddError

        with pytest.raises(OddError):
            dispatcher.backend_dispatch(name="func")(host)(1)

    def test_an_error_of_a_coroutine_or_generator_in_a_fallback_carries_the_reason(
        self, dispatcher, lacking
    ):
        @dispatcher.backend_dispatch
        async def later(data):
            raise ValueError(data)

        @dispatcher.backend_dispatch
        def rows(data):
            yield data
            raise ValueError(data)

        for call in (lambda: asyncio.run(later(1)), lambda: [*rows(1)]):
            with pytest.raises(ValueError, match="1") as caught:
                call()
            assert "'mine' does not implement it" in caught.value.__notes__[0]

    def test_an_error_carries_nothing_where_no_backend_was_asked(self, dispatcher, offer):
        @dispatcher.backend_dispatch
        async def later(data):
            raise ValueError(data)

        offer(later=later)
        with pytest.raises(ValueError, match="1") as caught, dispatcher.settings.trace():
            asyncio.run(later(1, backend="cpu"))
        assert not hasattr(caught.value, "__notes__")


def trap(error, name, **more):
    """Make an object that raises where somebody reads or uses its attribute of this name."""

    def raising(self, *_):
        raise error

    found = raising if name in ("__repr__", "__str__") else property(raising)
    return type("Trap", (Exception,), {name: found, **more})()


def secretive(error):
    """Make an object of a class that raises when it is asked how it compares."""

    class Unlooked(type):
        def __getattribute__(cls, name):
            if name == "__eq__":
                raise error
            return super().__getattribute__(name)

    return Unlooked("Secretive", (), {})()


def declines(error):
    def can_run(function, arguments):
        raise trap(error, "__str__")

    return can_run


def implementation(self, data, *, tiles=1):
    return "mine"


# What an adapter offers under `scale`, and its can_run.
CASES = {
    "a signature is read": lambda e: (trap(e, "__signature__", __call__=implementation), None),
    "a docstring is read": lambda e: (trap(e, "__doc__", __call__=implementation), None),
    "a default is looked at": lambda e: (lambda data, factor=secretive(e): "mine", None),  # noqa: B008
    "a default is written": lambda e: (lambda data, *, tiles=trap(e, "__repr__"): "mine", None),  # noqa: B008
    "a default is documented": lambda e: (lambda data, factor=trap(e, "__repr__"): "mine", None),  # noqa: B008
    "an error is told": lambda e: (lambda data: "mine", declines(e)),
}


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("offered", CASES.values(), ids=CASES)
def test_an_interrupt_passes_while(dispatcher, offer, error, offered):
    @dispatcher.backend_dispatch
    def scale(data, factor=1):
        """Scale.

        Parameters
        ----------
        data
            What is scaled.
        factor
            By how much.
        """
        return "host"

    own, can_run = offered(error())
    offer(scale=own, can_run=can_run)
    with pytest.raises(error):
        assert (scale(3, backend="mine"), str(inspect.signature(scale))) == ("mine", "")
