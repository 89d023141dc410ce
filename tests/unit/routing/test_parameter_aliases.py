"""A host says that two names are one parameter: each call arrives under the name an adapter has."""

import functools
import inspect
from types import SimpleNamespace

import pytest

from scverse_backends.exceptions import (
    BackendConfigurationError,
    BackendFallbackError,
    BackendFallbackWarning,
)
from scverse_backends.testing import verify

from .conftest import function, named, renamed, rows

ONE = {"random_state": "rng"}


def renaming(func):
    """Accept the old name, as a host does while it deprecates it."""

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        if "random_state" in kwargs:
            if "rng" in kwargs:
                msg = "give rng or random_state"
                raise TypeError(msg)
            kwargs["rng"] = kwargs.pop("random_state")
        return func(*args, **kwargs)

    return wrapper


def of_today(data, *, rng=None):
    return "host", rng


def of_yesterday(data, *, random_state=None):
    return "host", random_state


def of_both(data, *, rng=None, random_state="unset"):
    if rng is not None and random_state != "unset":
        msg = "give rng or random_state"
        raise TypeError(msg)
    return "host", rng, random_state


def of_any(data, **options):
    if len(options) > 1:
        msg = "give rng or random_state"
        raise TypeError(msg)
    return "host", options


HOSTS = [renaming(of_today), of_both, of_any]
OLD = {"random_state": lambda data, *, random_state=0: ("mine", random_state)}
NEW = {"rng": lambda data, *, rng=0: ("mine", rng)}
KNOWN = [*OLD.values(), *NEW.values()]
TWICE = "would receive one parameter by two names, 'rng', 'random_state'"


@pytest.fixture(params=["host-wide", "per function"])
def aliased(request, make_dispatcher, dispatcher):
    """Dispatch a function whose host says that two names are one: ``aliased(host, adapter's facts)``."""
    options = {"parameter_aliases": ONE}
    if request.param == "host-wide":
        dispatcher, options = make_dispatcher(**options), {}

    def aliased(host, implementation, **facts):
        more = {name: facts.pop(name) for name in ("host_defaults", "ignorable") if name in facts}
        func = staticmethod(implementation)
        dispatcher.register(type("Adapter", (), {"name": "mine", "func": func} | facts))
        func = dispatcher.backend_dispatch(name="func", **options, **more)(host)
        func.explain = functools.partial(dispatcher.settings.explain, func)
        func.dispatcher = dispatcher
        return func

    return aliased


def outcome(func, *args, **kwargs):
    """Make one call on the backend in each way; all must give the same."""
    found = [func(*args, backend="mine", **kwargs)]
    with func.dispatcher.settings.use_backend("mine"):
        found += [func(*args, **kwargs), func(*args, **kwargs)]
        with func.dispatcher.settings.trace():
            found += [func(*args, **kwargs), func(*args, **kwargs)]
    assert found == [found[0]] * 5
    return found[0]


def of_transition(data, random_state=0, rng=None):
    return "host", random_state, rng


def given(text):
    """Read the arguments of a call."""
    return eval(f"(lambda *args, **kwargs: (args, kwargs))({text})")  # noqa: S307 - written below


# What the host takes, what the backend takes, its renames, the call, and what the backend receives.
ARRIVE = rows("""
    the old name, beside the new one at its default | data, rng=None, random_state='unset' | data, *, rng=0 | | 1, rng=None, random_state=7 | data=1, rng=7
    the new name, beside the old one at its default | data, rng=None, random_state='unset' | data, *, rng=0 | | 1, rng=7, random_state='unset' | data=1, rng=7
    both names at their defaults | data, rng=None, random_state='unset' | data, *, rng=0 | | 1, rng=None, random_state='unset' | data=1, rng=None
    a new name at None, where the old one has the default | data, random_state=0, rng=None | data, random_state=0 | | 1, rng=None | data=1, random_state=0
    a new name at None, by position | data, rng=None, random_state=0 | data, rng=42 | | 1, None | data=1, rng=42
    a new name at None, by name | data, rng=None, random_state=0 | data, rng=42 | | 1, rng=None | data=1, rng=42
    a new name at None, before a seed | data, rng=None, random_state=0 | data, rng=42 | | 1, None, 0 | data=1, rng=0
    a seed at its default before a new name | data, random_state=0, rng=None | data, random_state=42, rng=None | | 1, 0, 5 | data=1, random_state=0, rng=5
    a seed before a new name at None | data, random_state=0, rng=None | data, random_state=42, rng=None | | 1, 5, None | data=1, random_state=5, rng=None
    a seed at its default, where both arrive as one | data, random_state=0, rng=None | data, rng=None | | 1, 0, 5 | data=1, rng=5
    a seed beside None, where both arrive as one | data, random_state=0, rng=None | data, rng=None | | 1, 5, None | data=1, rng=5
    the first of two names, by position | data, rng=None, random_state=None | data, rng=None, random_state=None | | 1, 7 | data=1, rng=7, random_state=None
    the second of two names, by position | data, rng=None, random_state=None | data, rng=None, random_state=None | | 1, None, 7 | data=1, rng=None, random_state=7
    the second of two names, by name | data, rng=None, random_state=None | data, rng=None, random_state=None | | 1, random_state=7 | data=1, rng=None, random_state=7
    the other name, where the backend has both | data, *, rng=None, random_state='unset' | data, *, rng=None, random_state=None | | 1, random_state=7 | data=1, rng=None, random_state=7
    a name that the adapter has for something else | data, *, random_state=None | data, *, random_state=0, rng=1 | device=rng | 1, rng=7 | data=1, random_state=7, rng=1
    a rename from one name to the other | data, *, rng=None, random_state='unset' | data, *, random_state=0 | rng=random_state | 1, rng=7 | data=1, random_state=7
    the other name beside a rename to it | data, *, rng=None, random_state='unset' | data, *, random_state=0 | rng=random_state | 1, random_state=7 | data=1, random_state=7
    the host's default, which counts as not given | data, *, rng=None | data | | 1, rng=None | data=1
    the host's default under the other name | data, *, rng=None | data | | 1, random_state=None | data=1
    the new name, where the host has the old one alone | data, *, random_state=None | data, *, rng=0 | | 1, rng=7 | data=1, rng=7
    two names with one default, both at it | data, *, random_state=0, rng=0 | data, *, rng=1 | | 1, random_state=0, rng=0 | data=1, rng=0
    the new name, to any keyword | data, *, rng=None, random_state='unset' | data, **options | | 1, rng=7 | data=1, options={'rng': 7}
    the old name, to any keyword | data, *, rng=None, random_state='unset' | data, **options | | 1, random_state=7 | data=1, options={'random_state': 7}
""")


@pytest.mark.parametrize(("host", "mine", "renames", "call", "received"), ARRIVE)
def test_what_is_given_arrives_under_the_name_that_the_backend_has(
    aliased, host, mine, renames, call, received
):
    func = aliased(function(host), function(mine), renames={"func": renamed(renames)})
    args, kwargs = given(call)
    assert outcome(func, *args, **kwargs) == named(received)


def test_the_hosts_seed_may_be_forwarded_beside_a_new_name_at_none(aliased):
    func = aliased(of_transition, NEW["rng"], host_defaults=True)
    assert outcome(func, 1) == outcome(func, 1, rng=None) == ("mine", 0)


def test_both_names_that_the_backend_has_too_stay_on_a_host_that_takes_both(aliased):
    func = aliased(
        function("data, rng=None, random_state=None"), lambda data, rng=None, random_state=None: 0
    )
    on_host = {"data": 1, "rng": 7, "random_state": 8}
    with pytest.warns(BackendFallbackWarning, match=TWICE):
        assert outcome(func, 1, 7, 8) == outcome(func, 1, 7, random_state=8) == on_host


@pytest.mark.parametrize("host", HOSTS, ids=["renaming", "both", "any"])
@pytest.mark.parametrize("implementation", KNOWN, ids=["old", "new"])
@pytest.mark.parametrize("name", ["rng", "random_state"])
def test_either_name_reaches_the_name_that_the_backend_has(aliased, host, implementation, name):
    assert outcome(aliased(host, implementation), 1, **{name: 7}) == ("mine", 7)


@pytest.mark.parametrize("host", HOSTS, ids=["renaming", "both", "any"])
def test_the_host_gets_what_was_given(aliased, host):
    func = aliased(host, lambda data: "mine")
    with pytest.warns(BackendFallbackWarning, match=r"does not take 'random_state'"):
        on_host = func(1, random_state=7, backend="mine")
    assert on_host == host(1, random_state=7) == func(1, random_state=7)


@pytest.mark.parametrize("policy", ["warn", "error"])
@pytest.mark.parametrize("implementation", KNOWN, ids=["old", "new"])
def test_both_at_once_are_the_hosts_own_error_where_its_signature_lacks_one(
    aliased, policy, implementation
):
    func = aliased(renaming(of_today), implementation)
    func.dispatcher.settings.fallback = policy
    with func.dispatcher.settings.use_backend("mine"):
        func(1)  # so that calls may go there as they come
        for _ in range(2):
            with pytest.raises(TypeError, match="give rng or random_state") as caught:
                func(1, rng=7, random_state=7)
    (note,) = caught.value.__notes__
    assert TWICE in note


@pytest.mark.parametrize("host", [of_both, of_any], ids=["both", "any"])
@pytest.mark.parametrize("implementation", KNOWN, ids=["old", "new"])
def test_both_at_once_are_a_fallback_to_a_host_whose_signature_takes_both(
    aliased, host, implementation
):
    func = aliased(host, implementation)
    with func.dispatcher.settings.use_backend("mine"):
        func(1)
        told = pytest.warns(BackendFallbackWarning, match=TWICE)
        with told, pytest.raises(TypeError, match="give rng or random_state"):
            func(1, rng=7, random_state=7)
        func.dispatcher.settings.fallback = "error"
        assert "it raises instead" in func.explain(1, rng=7, random_state=7).reason
        with pytest.raises(BackendFallbackError, match=TWICE):
            func(1, rng=7, random_state=7)


def test_by_name_what_the_host_takes_by_position_alone_is_no_second_name(aliased):
    func = aliased(
        lambda rng, /, **others: ("host", rng, others),
        lambda random_state, **others: ("mine", random_state, others),
        host_defaults=False,
    )
    with pytest.warns(BackendFallbackWarning, match="'random_state' twice"):
        assert func(7, rng=8, backend="mine") == ("host", 7, {"rng": 8})


@pytest.mark.parametrize(
    ("implementation", "plain", "seeded"),
    [
        (lambda data, random_state=42: random_state, 42, 0),
        (lambda data, *, random_state=42: random_state, 42, 0),
        (lambda data, rng=42: rng, 42, 0),
        (lambda data, *, rng=42: rng, 42, 0),
        (lambda data, random_state=42, rng=None: (random_state, rng), (42, None), (0, None)),
        (lambda data, rng=None, random_state=42: (random_state, rng), (42, None), (0, None)),
        (lambda data, *, random_state=42, rng=7: (random_state, rng), (42, 7), (0, None)),
    ],
    ids=["old", "old-by-name", "new", "new-by-name", "both", "both-turned", "both-by-name"],
)
def test_a_given_seed_arrives_beside_a_new_name_at_none(aliased, implementation, plain, seeded):
    func = aliased(of_transition, implementation)
    assert outcome(func, 1) == plain
    assert outcome(func, 1, 0, None) == outcome(func, 1, random_state=0, rng=None) == seeded
    assert func.explain(1, 0, None, backend="mine").backend == "mine"


@pytest.mark.parametrize(
    ("host", "mine", "call", "forwarded", "renames"),
    [
        (of_transition, "random_state=0", "random_state=0, rng=None", ["random_state"], {}),
        (of_transition, "random_state=0, rng=0", "0, 5", ["random_state", "rng"], {}),
        (of_today, "rng=0", "random_state=7", ["random_state"], {"random_state": "rng"}),
    ],
)
def test_explain_tells_the_name_that_was_given_and_the_one_that_is_received(
    aliased, host, mine, call, forwarded, renames
):
    func = aliased(renaming(host), function(f"data, {mine}"))
    args, kwargs = given(call)
    decision = func.explain(1, *args, **kwargs, backend="mine")
    assert decision.forwarded == ("data", *forwarded)
    assert decision.renamed == tuple(renames.items())


def test_a_renaming_decorator_outside_of_ours(aliased):
    func = aliased(of_today, OLD["random_state"])
    outer = renaming(func)
    with func.dispatcher.settings.use_backend("mine"):
        assert outer(1, random_state=7) == outer(1, rng=7) == ("mine", 7)
    assert outer(1, random_state=7) == ("host", 7)
    decision = func.dispatcher.settings.explain(outer, 1, random_state=7, backend="mine")
    assert decision.renamed == (("rng", "random_state"),)


@pytest.mark.parametrize("written", ["rng", "random_state"])
@pytest.mark.parametrize("given", ["rng", "random_state"])
def test_a_rename_of_either_name_holds_for_both(aliased, written, given):
    func = aliased(
        renaming(of_today),
        lambda data, *, seed=0: ("mine", seed),
        renames={"func": {written: "seed"}},
    )
    assert outcome(func, 1, **{given: 7}) == ("mine", 7)
    assert verify(func.dispatcher, "mine").failures() == ()
    assert "seed" not in inspect.signature(func).parameters


@pytest.mark.parametrize("host", [of_today, of_yesterday, of_both], ids=["new", "old", "both"])
@pytest.mark.parametrize("implementation", KNOWN, ids=["old", "new"])
def test_differing_defaults_are_compared_across_the_names(aliased, host, implementation):
    func = aliased(host, implementation)
    name = "random_state" if host is of_yesterday else "rng"
    assert func.explain(1, backend="mine").differing_defaults == ((name, None, 0),)
    for given in ("rng", "random_state"):
        assert func.explain(1, **{given: 7}, backend="mine").differing_defaults == ()
    findings = verify(func.dispatcher, "mine").findings
    (found,) = (one for one in findings if one.severity == "warning")
    assert found.message == f"has another default: {name}=0 (host: None)"


@pytest.mark.parametrize("host", [of_today, of_yesterday, of_both], ids=["new", "old", "both"])
@pytest.mark.parametrize("implementation", KNOWN, ids=["old", "new"])
def test_the_hosts_default_may_be_forwarded(aliased, host, implementation):
    func = aliased(host, implementation, host_defaults=True)
    assert outcome(func, 1) == ("mine", None)


@pytest.mark.parametrize("written", ["rng", "random_state"])
def test_what_is_fixed_under_one_name_is_fixed_under_both(aliased, written):
    func = aliased(of_both, lambda data: "mine", fixed={"func": {written: 7}})
    func.dispatcher.settings.fallback = "silent"
    assert outcome(func, 1, rng=7) == outcome(func, 1, random_state=7) == "mine"
    (refused,) = func.explain(1, random_state=8, backend="mine").refusals
    assert refused.reason == f"always works with {written}=7, and the call means random_state=8"
    (refused,) = func.explain(1, backend="mine").refusals
    assert refused.reason == f"always works with {written}=7, and the call means rng=None"
    kinds = {found.kind for found in verify(func.dispatcher, "mine").findings}
    assert kinds == {"fixed-parameter"}


@pytest.mark.parametrize("given", ["jobs", "n_jobs"])
@pytest.mark.parametrize("written", ["jobs", "n_jobs"])
def test_what_may_be_ignored_may_be_under_both_names(make_dispatcher, given, written):
    dispatcher = make_dispatcher(parameter_aliases={"n_jobs": "jobs"}, ignorable=[written])
    dispatcher.register(SimpleNamespace(name="mine", func=lambda data: "mine"))
    host = functools.wraps(lambda data, jobs=1: None)(lambda data, **kwargs: "host")
    func = dispatcher.backend_dispatch(name="func")(host)
    assert func(1, **{given: 4}, backend="mine") == "mine"
    assert dispatcher.settings.explain(func, 1, **{given: 4}, backend="mine").ignored == (given,)


@pytest.mark.parametrize(
    ("facts", "implementation"),
    [
        ({}, OLD["random_state"]),
        ({"renames": {"func": {"random_state": "seed"}}}, lambda data, *, seed=0: "mine"),
        ({"fixed": {"func": {"random_state": 7}}}, lambda data: "mine"),
    ],
    ids=["parameter", "rename", "fixed"],
)
def test_can_run_is_asked_about_the_name_that_the_adapter_knows(aliased, facts, implementation):
    seen = []
    hook = staticmethod(lambda name, arguments: seen.append(arguments) or True)
    func = aliased(renaming(of_today), implementation, can_run=hook, **facts)
    func(1, rng=7, backend="mine")
    func(1, random_state=7, backend="mine")
    assert seen == [{"data": 1, "random_state": 7}] * 2


def test_the_other_name_is_no_option_of_the_backend(aliased):
    def implementation(data, *, rng=None, random_state=None):
        return "mine"

    func = aliased(renaming(of_today), implementation)
    func.dispatcher.discover()
    assert [*inspect.signature(func).parameters] == ["data", "rng", "backend"]
    assert {found.kind for found in verify(func.dispatcher, "mine").findings} == set()
    with pytest.raises(TypeError, match="give rng or random_state"):
        func(1, rng=7, random_state=7)


@pytest.mark.parametrize("given", ["seed", "random_state", "rng"])
def test_three_names_in_a_row(make_dispatcher, given):
    dispatcher = make_dispatcher(parameter_aliases={"seed": "random_state", **ONE})
    dispatcher.register(SimpleNamespace(name="mine", func=NEW["rng"]))
    func = dispatcher.backend_dispatch(name="func")(of_any)
    assert func(1, **{given: 7}, backend="mine") == ("mine", 7)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("rng", "parameter_aliases must be a mapping, not 'rng'"),
        ({"random_state": 3}, "parameter_aliases holds 3, which is no name of a parameter"),
        ({"not a name": "rng"}, "parameter_aliases holds 'not a name', which is no name"),
        ({"rng": "rng"}, "parameter_aliases leads from 'rng' back to 'rng'"),
        ({"rng": "seed", "seed": "rng"}, "parameter_aliases leads from 'rng' back to 'rng'"),
    ],
    ids=repr,
)
def test_what_cannot_be_meant_is_refused(make_dispatcher, dispatcher, value, said):
    with pytest.raises(BackendConfigurationError) as caught:
        make_dispatcher(parameter_aliases=value, fallback="never")
    assert len([one for one in caught.value.mistakes if said in one]) == 1
    assert len(caught.value.mistakes) == 2
    with pytest.raises(TypeError, match="parameter_aliases"):
        dispatcher.backend_dispatch(parameter_aliases=value)(of_today)


def test_a_function_cannot_turn_the_hosts_names_around(make_dispatcher):
    dispatcher = make_dispatcher(parameter_aliases=ONE)
    with pytest.raises(ValueError, match="'random_state' leads back to itself"):
        dispatcher.backend_dispatch(parameter_aliases={"rng": "random_state"})(of_today)
    assert dict(dispatcher.dispatched) == {}


def test_names_that_a_function_does_not_have(make_dispatcher, dispatcher):
    with pytest.raises(ValueError, match="has no parameter 'random_state' or 'rng'"):
        dispatcher.backend_dispatch(name="func", parameter_aliases=ONE)(lambda data: None)
    host_wide = make_dispatcher(parameter_aliases=ONE)
    assert host_wide.backend_dispatch(name="func")(lambda data: data)(1) == 1


@pytest.mark.parametrize("given", ["rng", "random_state"])
def test_the_hosts_should_run_is_asked_about_the_hosts_own_name(make_dispatcher, given):
    seen = []
    dispatcher = make_dispatcher(
        parameter_aliases=ONE, should_run=lambda name, arguments: seen.append(arguments) or True
    )
    dispatcher.register(SimpleNamespace(name="mine", func=OLD["random_state"]))
    func = dispatcher.backend_dispatch(name="func")(renaming(of_today))
    with dispatcher.settings.use_backend("mine"):
        assert func(1, **{given: 7}) == ("mine", 7)
    assert seen == [{"data": 1, "rng": 7}]


@pytest.mark.parametrize("more", ["*, random_state=0", "**options"])
def test_another_name_of_a_parameter_is_no_option_for_a_block(aliased, more):
    func = aliased(renaming(of_today), function(f"data, {more}"))
    with pytest.raises(TypeError, match="random_state"):
        func.dispatcher.settings.use_backend("mine", options={"func": {"random_state": 7}})


@pytest.fixture
def optional(make_dispatcher):
    """Dispatch a function that has no seed, of which a backend has one."""
    dispatcher = make_dispatcher(parameter_aliases=ONE)
    func = dispatcher.backend_dispatch(name="func")(lambda data: "host")
    func.use = dispatcher.settings.use_backend
    func.explain = functools.partial(dispatcher.settings.explain, func)
    dispatcher.register(SimpleNamespace(name="mine", func=lambda data, rng=0, size=1: (rng, size)))
    return func


@pytest.mark.parametrize("written", ["rng", "random_state"])
@pytest.mark.parametrize("given", ["rng", "random_state"])
def test_a_call_comes_before_a_blocks_option_of_another_name(optional, written, given):
    with optional.use("mine", options={"func": {written: 7, "size": 2}}, fallback="error"):
        assert optional(1) == (7, 2)
        assert optional(1, **{given: 3}) == (3, 2)
        assert optional.explain(1, **{given: 3}).options == (("size", 2),)


@pytest.mark.parametrize("outer", ["rng", "random_state"])
@pytest.mark.parametrize("inner", ["rng", "random_state"])
def test_an_inner_blocks_option_replaces_one_of_another_name(optional, outer, inner):
    with optional.use("mine", options={"func": {outer: 7, "size": 2}}, fallback="error"):
        with optional.use(options={"func": {inner: 8}}):
            assert optional(1) == (8, 2)
        assert optional(1) == (7, 2)
