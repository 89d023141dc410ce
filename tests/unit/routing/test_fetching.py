"""An implementation is looked up at each call: what is patched, reloaded or changed is what runs."""

import functools
import importlib
import inspect
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier
from types import SimpleNamespace
from unittest import mock

import pytest

from scverse_backends.exceptions import UnknownBackendError
from scverse_backends.testing import verify


def handing_out(work):
    """Make an adapter that runs something whenever it is asked for ``func``, and gives the result."""
    return type("Mine", (), {"name": "mine", "func": property(lambda self: work())})


def test_an_adapter_that_makes_a_new_function_each_time(dispatcher, outcome):
    turns = count()

    def mine():
        if next(turns) % 2:
            return lambda data, factor=1: (data, factor)
        return lambda factor=1, data=0: (data, factor)

    func = dispatcher.backend_dispatch(name="func")(lambda data, factor=1: "host")
    with dispatcher.register(handing_out(mine)):
        for _ in range(20):
            assert outcome(func, 3, 4) == (3, 4)


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
        assert "data, factor=2, *, backend: Any = None, tiles=1" in str(inspect.signature(scale))
        assert verify(dispatcher, "mine").failures("warning")[0].parameter == "factor"


def test_threads_whose_first_calls_meet_all_may_call_what_they_replace(dispatcher):
    together = Barrier(4, timeout=60)

    def mine():
        together.wait()
        return lambda data: ["mine", *func(data)]

    func = dispatcher.backend_dispatch(name="func")(lambda data: ["host", data])
    with dispatcher.register(handing_out(mine)), ThreadPoolExecutor(4) as pool:
        found = [*pool.map(lambda data: func(data, backend="mine"), range(4))]
    assert found == [["mine", "host", data] for data in range(4)]


def test_an_adapter_that_removes_itself_while_it_hands_out_its_function_runs_no_more(dispatcher):
    def mine():
        registered.remove()
        return lambda: "mine"

    func = dispatcher.backend_dispatch(name="func")(lambda: "host")
    registered = dispatcher.register(handing_out(mine))
    with dispatcher.settings.use_backend("mine"):
        assert func() == "mine"
        with pytest.raises(UnknownBackendError):
            func()
    assert func() == "host"


@pytest.fixture
def module(site, dispatcher):
    """A registered adapter that is a module, with a namespace; ``scale`` and ``tl.umap`` ran once."""
    site.write("patched_tl.py", 'def umap(data): return "real"')
    site.write(
        "patched_adapter.py",
        """
        import patched_tl as tl
        name = "fast"
        def scale(data): return "real"
        """,
    )
    with dispatcher.register(importlib.import_module("patched_adapter")):
        yield sys.modules["patched_adapter"]


@pytest.fixture
def scale(dispatcher, module):
    func = dispatcher.backend_dispatch(name="scale")(lambda data: "host")
    assert func(1, backend="fast") == "real"
    return func


@pytest.fixture
def umap(dispatcher, module):
    func = dispatcher.backend_dispatch(name="tl.umap")(lambda data: "host")
    assert func(1, backend="fast") == "real"
    return func


@pytest.fixture(params=["in a block", "by the call"])
def on_fast(request, dispatcher):
    """Call a function on the backend, in each way."""

    def in_a_block(func, *args, **kwargs):
        with dispatcher.settings.use_backend("fast"):
            return func(*args, **kwargs)

    def by_the_call(func, *args, **kwargs):
        return func(*args, backend="fast", **kwargs)

    return in_a_block if request.param == "in a block" else by_the_call


def patched(data):
    return "patched"


def patched_otherwise(other):
    return "patched"


def patched_method(*args, **kwargs):
    return "patched"


def test_a_patch_holds_and_ends(scale, on_fast):
    with mock.patch("patched_adapter.scale", new=patched):
        assert [on_fast(scale, 1), on_fast(scale, 1)] == ["patched"] * 2
    with mock.patch("patched_adapter.scale", return_value="mocked") as mocked:
        assert [on_fast(scale, data=1), on_fast(scale, data=2)] == ["mocked", "mocked"]
    assert mocked.call_args_list == [mock.call(data=1), mock.call(data=2)]
    assert on_fast(scale, 1) == "real"


def test_a_patch_in_a_namespace_and_of_a_namespace_holds(umap, on_fast):
    with mock.patch("patched_tl.umap", new=patched):
        assert on_fast(umap, 1) == "patched"
    other = SimpleNamespace(umap=lambda data: "other namespace")
    with mock.patch("patched_adapter.tl", other):
        assert on_fast(umap, 1) == "other namespace"
    assert on_fast(umap, 1) == "real"


def test_a_reloaded_module_runs_its_new_code(site, scale, module, on_fast):
    site.write(
        "patched_adapter.py",
        """
        name = "fast"
        def scale(data): return "reloaded code"
        """,
    )
    importlib.reload(module)
    assert on_fast(scale, 1) == "reloaded code"


def test_arguments_are_held_against_what_is_there_now(
    dispatcher, scale, module, on_fast, monkeypatch
):
    dispatcher.settings.fallback = "silent"
    with mock.patch("patched_adapter.scale", new=patched_otherwise):
        assert on_fast(scale, data=1) == "host"
    assert on_fast(scale, data=1) == "real"
    monkeypatch.delattr(module, "scale")
    assert on_fast(scale, 1) == "host"
    monkeypatch.undo()
    assert on_fast(scale, 1) == "real"


class Adapter:
    name = "fast"

    def __init__(self):
        self.factor = 1

    def scale(self, data):
        return data * self.factor


@pytest.mark.parametrize(
    "where", [lambda adapter: adapter, type], ids=["of the instance", "of its class"]
)
def test_a_patched_method_holds_and_ends(dispatcher, on_fast, where):
    adapter = Adapter()
    scale = dispatcher.backend_dispatch(name="scale")(lambda data: "host")
    with dispatcher.register(adapter):
        assert on_fast(scale, 2) == 2
        with mock.patch.object(where(adapter), "scale", new=patched_method):
            assert on_fast(scale, 2) == "patched"
        adapter.factor = 3
        assert on_fast(scale, 2) == 6


def test_a_refresh_while_an_adapter_is_asked_leaves_no_stale_route(dispatcher):
    class Mine:
        name = "mine"

        @property
        def __all__(self):
            dispatcher.refresh()
            return ["func"]

        def func(self, data):
            return "mine"

    func = dispatcher.backend_dispatch(name="func")(lambda data: "host")
    registration = dispatcher.register(Mine)
    dispatcher.settings.fallback = "silent"
    with dispatcher.settings.use_backend("mine"):
        assert [func(1), func(1)] == ["mine", "mine"]
    registration.remove()
    assert func(1) == "host"
