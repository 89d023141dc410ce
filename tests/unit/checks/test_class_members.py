"""A backend's class is held against the whole public interface of the host's class."""

from functools import cached_property
from types import SimpleNamespace

import pytest

from scverse_backends.testing import verify


def press(dispatcher):
    """Decorate a host's class."""

    @dispatcher.backend_class
    class Press:
        unit = "litre"

        def __init__(self, size):
            self.size = size

        def fit(self, fruit, *, strict=False):
            return self

        @classmethod
        def small(cls, size=1):
            return cls(size)

        @staticmethod
        def clean(water, soap=None):
            return water

        @property
        def juice_(self):
            return 3

        @cached_property
        def label_(self):
            return "apple"

        def _squeeze(self): ...

    return Press


class Complete:
    """Has all of it."""

    unit = "litre"
    juice_ = 3
    label_ = "apple"

    def __init__(self, size): ...

    def fit(self, fruit, *, strict=False): ...

    @classmethod
    def small(cls, size=1): ...

    @staticmethod
    def clean(water, soap=None): ...


@pytest.fixture
def lacking(make_dispatcher):
    """Give what is found of a backend's class, by member."""

    def lacking(backend, decorate=press):
        dispatcher = make_dispatcher()
        decorate(dispatcher)
        with dispatcher.register(SimpleNamespace(name="fast", Press=backend)):
            found = verify(dispatcher, "fast").functions[0]
        assert found.implemented
        return {one.parameter: one.message for one in found.of("missing-member")}

    return lacking


def without(*names):
    """Make a class like the complete one that lacks some members."""
    members = {name: vars(Complete)[name] for name in vars(Complete) if name not in names}
    members.pop("__dict__", None)
    members.pop("__weakref__", None)
    return type("Press", (), members)


class Sets(without("juice_", "label_", "fit")):
    def fit(self, fruit, *, strict=False):
        self.juice_, self.label_ = 4, "pear"


# Classes that have all, or of which nobody can tell without an object.
NOTHING_LACKS = {
    "complete": Complete,
    "calls self by another name": type(
        "Press", (Complete,), {"fit": lambda this, fruit, *, strict=False: None}
    ),
    "takes any keyword": type("Press", (Complete,), {"fit": lambda self, *args, **kwargs: None}),
    "has a method that cannot be read": type("Press", (Complete,), {"fit": 3}),
    "sets attributes in a method": Sets,
    "makes up its attributes": type(
        "Press", (), {"__init__": lambda self, size: None, "__getattr__": lambda self, name: 1}
    ),
}


@pytest.mark.parametrize("backend", NOTHING_LACKS.values(), ids=NOTHING_LACKS)
def test_a_class_that_may_have_all_lacks_nothing(lacking, backend):
    assert lacking(backend) == {}


@pytest.mark.parametrize("name", ["unit", "juice_", "label_", "fit", "small", "clean"])
def test_a_missing_member_is_named(lacking, name):
    assert lacking(without(name)) == {name: f"has no {name!r} in its class"}


def test_a_parameter_that_a_method_lacks_is_named(lacking):
    class Press(Complete):
        def fit(self, fruit): ...

        @classmethod
        def small(cls): ...

        @staticmethod
        def clean(water): ...

    assert lacking(Press) == {
        "fit(strict)": "does not take 'strict' in its method 'fit'",
        "small(size)": "does not take 'size' in its method 'small'",
        "clean(soap)": "does not take 'soap' in its method 'clean'",
    }


def test_a_class_in_place_of_a_function_has_no_members_to_lack(lacking):
    def decorate(dispatcher):
        dispatcher.backend_dispatch(name="Press")(lambda size: size)

    assert lacking(Complete, decorate) == {}


def test_what_the_hosts_class_inherits_counts(lacking):
    class Machine:
        def start(self): ...

    def decorate(dispatcher):
        @dispatcher.backend_class
        class Press(Machine):
            def __init__(self, size): ...

    assert lacking(Complete, decorate) == {"start": "has no 'start' in its class"}


def test_a_dispatched_method_does_not_ask_for_the_selector(lacking):
    def decorate(dispatcher):
        squeeze = dispatcher.backend_dispatch(name="squeeze")(lambda self, fruit: None)

        @dispatcher.backend_class
        class Press:
            def __init__(self, size): ...

            fit = squeeze

    assert lacking(Complete, decorate) == {}


def test_of_a_class_that_only_a_manifest_describes_members_are_told_to_be_unknown(site, dispatcher):
    press(dispatcher)
    site.install("fast", entry_points={"fast": "fast"}, modules={"fast": "1 / 0"})
    site.write(
        "fast.toml",
        """
        schema = 1
        name = "fast"
        offers = 1

        [classes.Press]
        signature = "(size)"
        """,
    )
    (found,) = verify(dispatcher, "fast").functions
    assert (found.implemented, found.state) == (True, "yes")
    (finding,) = found.findings
    assert (finding.severity, finding.kind) == ("info", "unchecked-member")


@pytest.mark.parametrize(("backend", "state"), [(Complete, "yes"), (without("fit"), "partly")])
def test_a_class_that_lacks_a_member_is_implemented_partly(make_dispatcher, backend, state):
    dispatcher = make_dispatcher()
    press(dispatcher)
    with dispatcher.register(SimpleNamespace(name="fast", Press=backend)):
        (found,) = verify(dispatcher, "fast").functions
    assert found.state == state
