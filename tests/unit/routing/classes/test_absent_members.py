"""What a host's class has and a backend's class lacks is told before and when it is missed."""

import copy
import inspect
import pickle

import pytest


@pytest.fixture
def construct(dispatcher, offer):
    """Have a backend's class built in place of a host's: ``construct(backend's class)``."""

    @dispatcher.backend_class
    class Press:
        def __init__(self, size=1):
            self.size = size

        def fit(self, fruit, *, strict=False):
            return self

        def score(self):
            return 1.0

        @property
        def juice_(self):
            return 3

    def construct(backend, **options):
        offer("fast", Press=backend, __all__=["Press"])
        return Press(backend="fast", **options)

    construct.press, construct.settings = Press, dispatcher.settings
    return construct


def lacking():
    """Make a class anew, so that no test sees what another one left in it."""

    class Press:
        def __init__(self, size=1):
            self.size = size

        def fit(self, fruit):
            return self

        @property
        def broken(self):
            msg = "not fitted yet"
            raise AttributeError(msg)

    return Press


def test_explain_and_trace_name_methods_their_parameters_and_properties(construct):
    with construct.settings.trace() as trace:
        construct(lacking())
    for _ in "once", "after a refresh":
        decision = construct.settings.explain(construct.press, backend="fast")
        assert decision.missing_members == ("fit(strict)", "juice_", "score")
        construct.settings.refresh()
    assert "lacks    fit(strict), juice_, score" in str(decision)
    assert trace.records[0].missing_members == decision.missing_members


def test_explain_says_nothing_of_members_where_the_host_runs_or_nothing_is_missing(construct):
    assert construct.settings.explain(construct.press).missing_members == ()

    class Complete(construct.press):
        pass

    construct(Complete)
    decision = construct.settings.explain(construct.press, backend="fast")
    assert (decision.backend, decision.missing_members) == ("fast", ())
    assert "lacks" not in str(decision)


@pytest.mark.parametrize("name", ["juice_", "score"])
def test_the_error_names_the_backend_and_the_hosts_class(construct, name):
    made = construct(lacking())
    with pytest.raises(AttributeError) as caught:
        getattr(made, name)
    assert str(caught.value) == (
        f"'Press' object has no attribute {name!r}: it is of backend 'fast', whose class lacks what "
        "example_host's Press has. Construct it with 'cpu' selected to have example_host's own."
    )
    assert (caught.value.name, caught.value.obj) == (name, made)


@pytest.mark.parametrize("name", ["unknown", "broken"])
def test_any_other_error_is_what_it_was(construct, name):
    made = construct(lacking())
    with pytest.raises(AttributeError) as caught:
        getattr(made, name)
    with pytest.raises(AttributeError) as before:
        getattr(lacking()(), name)
    assert str(caught.value) == str(before.value)


def test_the_object_is_otherwise_what_it_was(construct):
    made = construct(lacking(), size=3)
    assert not hasattr(made, "juice_")
    assert inspect.getattr_static(made, "juice_", None) is None
    assert "juice_" not in dir(made)
    assert copy.deepcopy(made).size == copy.copy(made).size == 3
    made.juice_ = 4
    assert made.juice_ == 4
    with pytest.raises((AttributeError, pickle.PicklingError), match="local object"):
        pickle.dumps(made)


def looking_by(own):
    def look(self, name):
        raise AttributeError(name)

    kind = lacking()
    setattr(kind, own, look)
    return kind


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (looking_by("__getattr__"), "juice_"),
        (looking_by("__getattribute__"), "juice_"),
        (complex, "'complex' object has no attribute 'juice_'"),
    ],
)
def test_a_class_that_looks_in_its_own_way_or_cannot_be_changed_is_left_alone(
    construct, kind, said
):
    before = dict(vars(kind))
    made = construct(kind)
    with pytest.raises(AttributeError) as caught:
        made.juice_  # noqa: B018 - it is looked for
    assert (str(caught.value), dict(vars(kind))) == (said, before)
