"""An implementation is looked up when it is called: what is patched or reloaded is what runs."""

import importlib
import sys
from types import SimpleNamespace
from unittest import mock

import pytest


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
        assert on_fast(scale, 1) == "patched"
        assert on_fast(scale, 1) == "patched"
    assert on_fast(scale, 1) == "real"


def test_a_mock_counts_its_calls(scale, on_fast):
    with mock.patch("patched_adapter.scale", return_value="mocked") as mocked:
        assert [on_fast(scale, data=1), on_fast(scale, data=2)] == ["mocked", "mocked"]
    assert mocked.call_args_list == [mock.call(data=1), mock.call(data=2)]


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


def test_arguments_are_held_against_what_is_there_now(dispatcher, scale, on_fast):
    dispatcher.settings.fallback = "silent"
    with mock.patch("patched_adapter.scale", new=patched_otherwise):
        assert on_fast(scale, data=1) == "host"
    assert on_fast(scale, data=1) == "real"


def test_what_is_taken_away_is_not_implemented(dispatcher, scale, module, on_fast, monkeypatch):
    dispatcher.settings.fallback = "silent"
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

    @staticmethod
    def shift(data):
        return data


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


def test_an_attribute_that_runs_code_is_asked_at_each_call(dispatcher, on_fast):
    class Lazy:
        name = "fast"
        device = "gpu"

        @property
        def scale(self):
            device = self.device
            return lambda data: device

    adapter = Lazy()
    scale = dispatcher.backend_dispatch(name="scale")(lambda data: "host")
    with dispatcher.register(adapter):
        assert on_fast(scale, 1) == "gpu"
        adapter.device = "cpu"
        assert on_fast(scale, 1) == "cpu"


def test_a_class_of_a_backend_is_looked_up_too(dispatcher, on_fast):
    @dispatcher.backend_class
    class Model:
        pass

    class Fast(Model):
        pass

    class Faster(Model):
        pass

    adapter = SimpleNamespace(name="fast", Model=Fast)
    with dispatcher.register(adapter):
        assert type(on_fast(Model)) is Fast
        adapter.Model = Faster
        assert type(on_fast(Model)) is Faster
