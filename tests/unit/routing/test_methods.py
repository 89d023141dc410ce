"""Methods: a host decorates them in its classes, and an adapter offers them by the class's name."""

from __future__ import annotations

import functools
import inspect
import types
from types import SimpleNamespace

import pytest


class Metric:
    def pairwise(self, points, scale=1):
        return "metric", scale


@pytest.fixture
def distance(dispatcher):
    class Distance(Metric):
        """A distance."""

        def __init__(self, name):
            self.name = name

        @dispatcher.backend_dispatch(name="Distance.pairwise")
        def pairwise(self, points, scale=1):
            """Compare points.

            Parameters
            ----------
            points
                What is compared.
            scale
                By what it is multiplied.
            """
            return "host", self.name, super().pairwise(points, scale=scale)

        @classmethod
        @dispatcher.backend_dispatch(name="Distance.default")
        def default(cls, name="l2"):
            return cls(name)

        @staticmethod
        @dispatcher.backend_dispatch(name="Distance.norm")
        def norm(point):
            return "host", point

        @property
        @dispatcher.backend_dispatch(name="Distance.cost", selector=None)
        def cost(self):
            return "host", self.name

    return Distance


class Fast:
    name = "fast"

    class Distance:
        @staticmethod
        def pairwise(distance, points, scale=1, tile=3):
            return "fast", distance.name, points, scale, tile

        @staticmethod
        def default(kind, name="l2"):
            return "fast", kind.__qualname__.rpartition(".")[2], name

        @staticmethod
        def norm(point):
            return "fast", point

        @staticmethod
        def cost(distance):
            return "fast", distance.name


@pytest.fixture
def fast(dispatcher, distance):
    with dispatcher.register(Fast):
        yield distance


def test_a_backend_gets_the_object_as_the_first_argument(dispatcher, fast):
    assert fast("l2").pairwise([1], scale=2) == ("host", "l2", ("metric", 2))
    assert fast("l2").pairwise([1], backend="fast") == ("fast", "l2", [1], 1, 3)
    assert fast("l2").pairwise([1], 2, backend="fast", tile=9) == ("fast", "l2", [1], 2, 9)
    assert fast.pairwise(fast("l2"), [1], backend="fast")[0] == "fast"
    with dispatcher.settings.use_backend("fast"):
        assert fast("l2").pairwise([1]) == ("fast", "l2", [1], 1, 3)
        assert fast("l2").pairwise([1], 2) == ("fast", "l2", [1], 2, 3)


def test_class_methods_static_methods_and_properties_under_their_own_decorators(dispatcher, fast):
    assert fast.default("l1", backend="fast") == ("fast", "Distance", "l1")
    assert fast.default("l1").name == "l1"
    assert fast.norm(3, backend="fast") == ("fast", 3)
    assert fast("l2").norm(3) == ("host", 3)
    assert fast("l2").cost == ("host", "l2")
    with dispatcher.settings.use_backend("fast"):
        assert fast("l2").cost == ("fast", "l2")


def test_a_bound_method_shows_what_a_caller_gives(fast):
    bound = fast("l2").pairwise
    assert [*inspect.signature(bound).parameters] == ["points", "scale", "backend", "tile"]
    assert next(iter(inspect.signature(fast.pairwise).parameters)) == "self"
    assert "backend\n" in inspect.getdoc(bound)


def test_an_object_arrives_by_the_same_name_or_by_a_rename(distance, offer):
    same = SimpleNamespace(pairwise=lambda self, points, scale=1: self.name)
    other = SimpleNamespace(pairwise=lambda points, scale=1, *, metric: (metric.name, points))
    offer("same", Distance=same)
    offer("other", Distance=other, renames={"Distance.pairwise": {"self": "metric"}})
    assert distance("l2").pairwise([1], backend="same") == "l2"
    assert distance("l2").pairwise([1], backend="other") == ("l2", [1])


def test_a_function_that_takes_no_object_takes_no_call(dispatcher, distance, offer):
    own = SimpleNamespace(pairwise=lambda points, scale=1: None, default=lambda: None)
    offer("without", Distance=own)
    for call in (distance("l2").pairwise, distance.default):
        decision = dispatcher.settings.explain(call, *["x"], backend="without")
        assert decision.is_fallback
        assert "does not take" in decision.refusals[0].reason


def test_a_constructor_matches_a_parameter_called_cls_by_its_name(dispatcher, offer):
    @dispatcher.backend_class
    class Model:
        def __init__(this, cls, depth=1):  # noqa: N805 - so that cls is free
            this.cls = cls

    offer(Model=type("Theirs", (), {"__init__": lambda self, kind, depth=1: None}))
    decision = dispatcher.settings.explain(Model, 3, backend="mine")
    assert decision.refusals[0].reason.startswith("does not take 'cls'")


def test_a_method_is_named_with_its_class_where_the_host_gives_no_name(dispatcher):
    class Outer:
        class Inner:
            @dispatcher.backend_dispatch
            def run(self): ...

    assert [*dispatcher.dispatched] == ["Outer.Inner.run"]
    assert Outer.Inner.run.__name__ == "run"


A_PROPERTY = r"is a property, .*; decorate a method that it calls"


@pytest.mark.parametrize(
    ("decorator", "said"),
    [
        (staticmethod, "run is a method already; write @staticmethod above"),
        (classmethod, "run is a method already; write @classmethod above"),
        (property, A_PROPERTY),
        (functools.cached_property, A_PROPERTY),
    ],
)
def test_what_to_write_instead_is_told(dispatcher, decorator, said):
    with pytest.raises(TypeError, match=said):

        class Runner:
            @dispatcher.backend_dispatch(name="Runner.run")
            @decorator
            def run(self): ...


def test_a_class_is_not_dispatched_together_with_its_methods(dispatcher, distance):
    with pytest.raises(ValueError, match=r"'Distance' cannot be .* pass name='\.\.\.'"):
        dispatcher.backend_class(distance)
    assert type(distance) is type
    dispatcher.backend_class(name="Distances")(distance)
    with pytest.raises(ValueError, match=r"'Distances.again' cannot .*an adapter's 'Distances'"):
        dispatcher.backend_dispatch(name="Distances.again")(lambda self: None)


class Reader:
    def __init__(self, kind):
        self.kind = kind

    def read(self, path, *, sep=","):
        """Read a file.

        Parameters
        ----------
        path
            Where it is.
        """
        return self.kind, path

    @classmethod
    def of(cls, kind="csv"):
        return cls(kind).read("x")


def test_a_bound_method_that_a_module_exports(dispatcher, offer):
    read = dispatcher.backend_dispatch(Reader("csv").read)
    offer(read=lambda path, *, sep=",", threads=2: ("mine", path, threads))
    assert read("x") == ("csv", "x")
    assert read("x", backend="mine", threads=3) == ("mine", "x", 3)
    assert [*inspect.signature(read).parameters] == ["path", "sep", "backend", "threads"]
    assert (read.__name__, read.__self__.kind) == ("read", "csv")
    assert read.__func__ is Reader.read
    assert "backend\n" in read.__doc__


def test_a_bound_method_has_the_docstring_of_what_it_overrides(dispatcher):
    class Quiet(Reader):
        def read(self, path, *, sep=","):
            return "quiet"

    read = dispatcher.backend_dispatch(Quiet("csv").read)
    assert read.__doc__.startswith("Read a file.")
    assert "backend\n" in read.__doc__


@pytest.mark.parametrize(
    "namespace", [type("Kernel", (), {}), SimpleNamespace(), types.ModuleType("Kernel")], ids=repr
)
def test_a_namespace_does_not_offer_the_special_methods_that_it_has_from_python(
    dispatcher, namespace
):
    class Kernel:
        @dispatcher.backend_dispatch(name="Kernel.__new__")
        def __new__(cls, size):
            return super().__new__(cls)

        @dispatcher.backend_dispatch(name="Kernel.__init__")
        def __init__(self, size):
            self.size = size

        @dispatcher.backend_dispatch(name="Kernel.__call__")
        def __call__(self, data):
            return "host", data

        @dispatcher.backend_dispatch(name="Kernel.__repr__")
        def __repr__(self):
            return f"size {self.size}"

        @dispatcher.backend_dispatch(name="Kernel.fit")
        def fit(self):
            return "host"

    namespace.fit = lambda self: "fast"
    adapter = SimpleNamespace(name="fast", Kernel=namespace)
    with (
        dispatcher.register(adapter),
        dispatcher.settings.use_backend("fast", fallback="silent"),
    ):
        kernel = Kernel(3)
        assert (kernel.fit(), kernel(1), repr(kernel)) == ("fast", ("host", 1), "size 3")
