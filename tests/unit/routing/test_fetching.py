"""When an adapter is asked for its function, and what it may do meanwhile."""

import functools
import inspect
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace

import pytest

from scverse_backends.exceptions import UnknownBackendError
from scverse_backends.testing import verify


def test_an_adapter_that_makes_a_new_function_each_time(dispatcher, outcome):
    class Mine:
        name = "mine"

        def __getattr__(self, name):
            if name == "first":
                return lambda data, factor=1: ("first", data, factor)
            if name == "second":
                return lambda factor, data=0: ("second", data, factor)
            raise AttributeError(name)

    first = dispatcher.backend_dispatch(name="first")(lambda data, factor=1: "host")
    second = dispatcher.backend_dispatch(name="second")(lambda factor, data=0: "host")
    with dispatcher.register(Mine):
        for _ in range(20):
            assert outcome(first, 3, 4) == ("first", 3, 4)
            assert outcome(second, 3, 4) == ("second", 4, 3)


def test_an_implementation_that_says_to_equal_everything_is_run(dispatcher, outcome):
    class Agreeing:
        # It misleads Python's own search for a signature as well.
        __signature__ = inspect.signature(lambda data: None)

        def __call__(self, data):
            return "mine"

        def __eq__(self, other):
            return True

        __hash__ = object.__hash__

    func = dispatcher.backend_dispatch(name="func")(lambda data: "host")
    with dispatcher.register(SimpleNamespace(name="mine", func=Agreeing())):
        assert outcome(func, 1) == "mine"


def test_an_adapter_that_asks_while_it_is_asked_gives_each_call_its_newest(dispatcher):
    class Mine:
        name = "mine"
        asked = 0

        @property
        def func(self):
            Mine.asked += 1
            answer = Mine.asked
            if answer == 1:
                dispatcher.settings.explain(public, backend="mine")
            return lambda: answer

    public = dispatcher.backend_dispatch(name="func")(lambda: "host")
    with dispatcher.register(Mine):
        assert [public(backend="mine") for _ in range(3)] == [1, 3, 4]


@pytest.mark.parametrize("which", ["public", "own"])
def test_the_hosts_own_function_handed_back_is_no_implementation(dispatcher, offer, reasons, which):
    func = dispatcher.backend_dispatch(name="func")(lambda: "host")
    offer(func=func if which == "public" else func.__wrapped__)
    assert reasons(func) == ["does not implement it"]


def test_the_hosts_own_function_in_its_decorators_is_no_implementation(decorated_host):
    adapter = SimpleNamespace(name="mine", scale=decorated_host.scale)
    settings = decorated_host.dispatcher.settings
    with decorated_host.dispatcher.register(adapter):
        assert settings.explain(decorated_host.scale, 1, backend="mine").backend == "cpu"


def test_a_signature_that_is_copied_of_the_hosts_is_not_used(decorated_host):
    class Mine:
        name = "mine"

        @functools.wraps(decorated_host.scale)
        def scale(self, data, *, tiles=1):
            return data, tiles

    class Other:
        name = "other"

        @staticmethod
        @functools.wraps(decorated_host.scale)
        def scale(data, *, factor=3, **options):
            return data, factor, options

    dispatcher, scale = decorated_host.dispatcher, decorated_host.scale
    with dispatcher.register(Mine), dispatcher.register(Other):
        assert scale(1, tiles=4, backend="mine") == (1, 4)
        assert scale(1, 5, backend="other") == (1, 5, {})
        decision = dispatcher.settings.explain(scale, 1, factor=5, backend=["mine", "other"])
        assert decision.refusals == (("mine", "does not take 'factor'"),)
        assert (
            "data, factor=2, *, backend: str | collections.abc.Sequence[str] | None = None, tiles=1"
            in str(inspect.signature(scale))
        )
        assert verify(dispatcher, "mine").failures("warning")[0].parameter == "factor"


def test_an_adapter_may_register_another_while_it_hands_out_its_function(dispatcher, outcome):
    others = []

    class Mine:
        name = "mine"

        @property
        def func(self):
            if not others:
                other = SimpleNamespace(name="other", func=lambda: "other")
                others.append(dispatcher.register(other))
            return lambda: "mine"

    func = dispatcher.backend_dispatch(name="func")(lambda: "host")
    with dispatcher.register(Mine):
        assert outcome(func) == "mine"
        assert outcome(func, on="other") == "other"


def test_threads_whose_first_calls_meet_all_may_call_what_they_replace(dispatcher):
    together = Barrier(4, timeout=30)

    class Mine:
        name = "mine"

        @property
        def func(self):
            together.wait()
            return lambda data: ["mine", *func(data)]

    func = dispatcher.backend_dispatch(name="func")(lambda data: ["host", data])
    with dispatcher.register(Mine), ThreadPoolExecutor(4) as pool:
        found = [*pool.map(lambda data: func(data, backend="mine"), range(4))]
    assert found == [["mine", "host", data] for data in range(4)]


def test_an_adapter_that_removes_itself_while_it_hands_out_its_function_runs_no_more(dispatcher):
    registered = []

    class Mine:
        name = "mine"

        @property
        def func(self):
            registered[0].remove()
            return lambda: "mine"

    func = dispatcher.backend_dispatch(name="func")(lambda: "host")
    registered.append(dispatcher.register(Mine))
    with dispatcher.settings.use_backend("mine"):
        assert func() == "mine"
        with pytest.raises(UnknownBackendError):
            func()
    assert func() == "host"
