"""Callables that are no plain functions stay what they are: attributes, class, hints, pickling."""

from __future__ import annotations

import copy
import functools
import inspect
import math
import operator
import pickle
import pydoc
import sys
import typing
import weakref

import numpy as np
import pytest


class Kernel:
    """A kernel.

    Parameters
    ----------
    order
        What its construction takes.
    """

    order: Unknown  # noqa: F821 - never evaluated

    def __init__(self, order=1):
        self.order = order

    def __call__(self, data, power=1):
        return "host", data, self.order

    def __len__(self):
        return self.order

    def __eq__(self, other):
        return isinstance(other, Kernel) and self.order == other.order

    __hash__ = None

    def raised(self, order):
        self.order = order
        return self


class Documented(Kernel):
    def __init__(self):
        super().__init__()
        self.__doc__ = "Smooth.\n\nParameters\n----------\ndata\n    What is smoothed.\n"


class Fast:
    name = "fast"

    def kernel(self, data, power=1, tile=4):
        return "fast", data, tile


def grow(data: list[int], by: int = 1) -> list[int]:
    """Grow.

    Parameters
    ----------
    data
        What grows.
    """
    return [value + by for value in data]


@pytest.fixture
def kernel(dispatcher):
    return dispatcher.backend_dispatch(name="tl.kernel")(Kernel(2))


def test_an_instance_dispatches_its_calls(dispatcher):
    kernel = dispatcher.backend_dispatch(name="kernel")(Kernel(2))
    with dispatcher.register(Fast):
        assert kernel(3) == ("host", 3, 2)
        assert kernel(3, backend="fast", tile=8) == ("fast", 3, 8)
        with dispatcher.settings.use_backend("fast"):
            assert kernel(3) == ("fast", 3, 4)
            assert kernel.__call__(3) == ("fast", 3, 4)
        assert dispatcher.settings.explain(kernel, 3, backend="fast").backend == "fast"
        assert "tile" in inspect.signature(kernel).parameters


def test_an_instance_keeps_its_class_and_attributes_and_has_its_dispatch_name(kernel):
    assert (kernel.__name__, kernel.__qualname__) == ("kernel", "kernel")
    assert kernel.__module__ == __name__
    assert isinstance(kernel, Kernel)
    assert kernel.__class__ is Kernel
    assert kernel.order == 2
    assert {"order", "raised"} < set(dir(kernel))
    with pytest.raises(AttributeError, match="missing"):
        kernel.missing  # noqa: B018 - for its error


def test_what_is_set_on_an_instance_is_set_on_the_hosts_own(kernel):
    kernel.order = 5
    assert kernel(1) == ("host", 1, 5)
    assert kernel.__wrapped__.order == 5
    kernel.mark = True
    del kernel.mark
    assert not hasattr(kernel.__wrapped__, "mark")
    assert kernel.raised(7).order == 7


def test_an_instance_keeps_its_special_methods(kernel):
    assert len(kernel) == 2
    assert kernel == Kernel(2)
    assert kernel != Kernel(3)
    assert repr(kernel) == repr(kernel.__wrapped__)
    assert str(kernel) == f"{kernel}" == repr(kernel)
    with pytest.raises(TypeError, match="unhashable"):
        hash(kernel)
    assert weakref.ref(kernel)() is kernel


def test_a_docstring_of_the_class_is_about_something_else(dispatcher, kernel):
    dispatcher.register(Fast)
    kernel(3, backend="cpu")
    dispatcher.discover()
    assert kernel.__doc__ == Kernel.__doc__


def test_a_docstring_of_the_instance_shows_what_backends_add(dispatcher):
    own = Documented()
    before = dict(vars(own))
    kernel = dispatcher.backend_dispatch(name="kernel")(own)
    with dispatcher.register(Fast):
        kernel(3, backend="fast")
        assert "tile" in kernel.__doc__
        assert "tile" in pydoc.plain(pydoc.render_doc(kernel))
    assert vars(own) == before


def test_hints_are_those_of_the_callable_and_of_the_selector(dispatcher, kernel):
    cached = dispatcher.backend_dispatch(name="cached")(functools.lru_cache(grow))
    part = dispatcher.backend_dispatch(name="part")(functools.partial(grow, by=2))
    assert [*typing.get_type_hints(kernel)] == ["backend"]
    assert [*typing.get_type_hints(part)] == ["backend"]
    assert [*typing.get_type_hints(cached)] == ["data", "by", "return", "backend"]


def test_a_class_without_annotations_of_its_own_shows_those_of_its_base(dispatcher):
    special = type("Special", (Kernel,), {})
    before = dict(vars(special))
    dispatcher.backend_dispatch(name="special")(special())
    assert dict(vars(special)) == before


def test_a_cache_keeps_its_methods_and_its_docstring(dispatcher):
    cached = dispatcher.backend_dispatch(functools.lru_cache(math.factorial))
    assert (cached(3), cached(3)) == (6, 6)
    assert cached.cache_info().hits == 1
    cached.cache_clear()
    assert cached.cache_info().hits == 0
    assert cached.__name__ == "factorial"


def test_a_ufunc_keeps_its_methods_and_attributes(dispatcher, offer):
    add = dispatcher.backend_dispatch(np.add)
    assert isinstance(add, np.ufunc)
    assert (add.nin, add.identity, add.reduce([1, 2, 3])) == (2, 0, 6)
    counts = np.zeros(2)
    add.at(counts, [0, 0], 1)
    assert counts.tolist() == [2, 0]
    offer(add=lambda x1, x2, /: ("mine", x1, x2))
    assert add(1, 2, backend="mine") == ("mine", 1, 2)
    with dispatcher.settings.use_backend("mine", fallback="silent"):
        assert add(1, 2, dtype=float) == 3.0
    assert "backend" in add.__doc__


def test_a_builtin_is_one_and_binds_to_nothing(dispatcher):
    class Holder:
        root = dispatcher.backend_dispatch(math.sqrt)

    assert Holder().root(9.0) == 3.0
    assert inspect.isbuiltin(Holder.root)
    assert Holder.root.__self__ is math


class Descriptor:
    __signature__ = inspect.signature(lambda data: data)

    def __call__(self, data):
        return data

    def __get__(self, instance, owner=None):
        return self if instance is None else "bound by itself"


def test_in_a_class_a_callable_binds_as_it_did(dispatcher, offer):
    class Owner:
        answer = "host"
        ask = dispatcher.backend_dispatch(name="ask")(
            functools.lru_cache(lambda owner, data: (owner.answer, data))
        )
        own = dispatcher.backend_dispatch(name="own")(Descriptor())
        upper = dispatcher.backend_dispatch(name="upper")(str.upper)

    owner = Owner()
    assert owner.ask(1) == ("host", 1)
    assert owner.own == "bound by itself"
    assert Owner.own is dispatcher.dispatched["own"]
    assert Owner.upper("x") == Owner.upper.__get__("x", str)() == "X"
    offer(ask=lambda owner, data: ("mine", owner.answer, data))
    with dispatcher.settings.use_backend("mine"):
        assert owner.ask(1) == ("mine", "host", 1)


PUBLIC = """
import functools
from scverse_backends import BackendDispatcher
dispatcher = BackendDispatcher(entrypoint_group="none", host_name="host")
class Kernel:
    def __call__(self, data): return data
    def __reduce__(self): raise TypeError("is not to be pickled by value")
kernel = dispatcher.backend_dispatch(name="tl.kernel")(Kernel())
class tl:
    inner = dispatcher.backend_dispatch(name="tl.inner")(Kernel())
@dispatcher.backend_dispatch
@functools.lru_cache
def cached(data): return data
other = dispatcher.backend_dispatch(name="other")(functools.partial(pow, 2))
@dispatcher.backend_dispatch
def double(values): return [2 * value for value in values]
class Distance:
    @dispatcher.backend_dispatch
    def pairwise(self): return "host"
"""


def test_what_is_dispatched_pickles_by_the_name_under_which_it_is_found(site):
    site.write("host_with_objects.py", PUBLIC)
    import host_with_objects as host

    for made in (host.kernel, host.tl.inner, host.cached, host.other, host.double):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert pickle.loads(pickle.dumps(made, protocol)) is made
    assert pickle.loads(pickle.dumps(host.Distance.pairwise)) is host.Distance.pairwise
    assert pickle.loads(pickle.dumps(host.Distance().pairwise))() == "host"


def test_copies_are_the_same_callable(dispatcher, kernel):
    cached = dispatcher.backend_dispatch(functools.lru_cache(grow))
    for made in (kernel, cached):
        assert copy.copy(made) is made
        assert copy.deepcopy({"key": made})["key"] is made


def test_what_wraps_a_decorated_function_can_be_copied(dispatcher):
    double = dispatcher.backend_dispatch(name="double")(lambda values: 2 * values)
    of_two = functools.update_wrapper(functools.partial(double, 2), double)
    assert copy.deepcopy(of_two)() == 4
    assert copy.deepcopy(vars(double)) == vars(double)


@pytest.mark.parametrize("send", [pickle.dumps, copy.deepcopy])
def test_a_dispatcher_says_that_it_cannot_be_sent(dispatcher, send):
    with pytest.raises(TypeError, match="dispatcher of example_host cannot be copied or sent"):
        send(dispatcher)


def test_an_object_without_a_namespace_has_only_what_is_ours(dispatcher):
    assert set(vars(dispatcher.backend_dispatch(operator.neg))) == {
        "__wrapped__",
        "__signature__",
        "__scverse_dispatch__",
    }


def test_an_instance_pickles_once_a_module_has_it_under_its_name(kernel, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "kernel_of_the_test", kernel, raising=False)
    with pytest.raises(pickle.PicklingError, match=r"'tl.kernel': no module has it .*assign it"):
        pickle.dumps(kernel)
    monkeypatch.setattr(sys.modules[__name__], "kernel", kernel)
    assert pickle.loads(pickle.dumps(kernel)) is kernel


def test_a_callable_that_hides_its_attributes_fails_as_it_did(dispatcher):
    class Closed:
        def __call__(self, data):
            return data

        def __getattr__(self, name):
            if name == "secret":
                raise ZeroDivisionError(name)
            raise AttributeError(name)

    closed = dispatcher.backend_dispatch(name="closed")(Closed())
    assert closed(3) == 3
    with pytest.raises(ZeroDivisionError, match="secret"):
        closed.secret  # noqa: B018 - for its error
