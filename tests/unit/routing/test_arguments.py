"""Every argument that is given reaches the implementation, or the call does not go there."""

import pytest

from scverse_backends.exceptions import BackendFallbackWarning

from .conftest import function, named, renamed, rows


@pytest.fixture
def call(outcome):
    """Make a call whose arguments are given as text, in every way there is."""

    def call(func, arguments, ask=outcome):
        return eval(f"ask(func, {arguments})", {"ask": ask, "func": func})  # noqa: S307 - as above

    return call


# What the host takes, what the implementation takes, the call, and what the latter receives.
ARRIVE = rows("""
    by position | data, factor=1 | data, factor=1 | 3, 4 | data=3, factor=4
    by name | data, factor=1 | data, factor=1 | factor=4, data=3 | data=3, factor=4
    in another order | data, factor=1, offset=0 | data, offset=0, factor=1 | 3, 4, 5 | data=3, offset=5, factor=4
    in the opposite order | data, factor | factor, data | 3, 4 | factor=4, data=3
    in another order but for the last | first=1, second=2, third=3 | second=2, first=1, third=3 | 7 | second=2, first=7, third=3
    past one of the backend's own | data, factor=1 | data, tiles=8, factor=1 | 3, 4 | data=3, tiles=8, factor=4
    by position to keyword-only | data, factor=1 | data, *, factor=1 | 3, 4 | data=3, factor=4
    from keyword-only | data, *, factor=1 | data, factor=1 | 3, factor=4 | data=3, factor=4
    from positional-only | data, factor=1, / | data, factor=1 | 3, 4 | data=3, factor=4
    from positional-only to keyword-only | data, factor=1, / | *, data, factor=1 | 3, 4 | data=3, factor=4
    to positional-only | data, factor=1 | data, factor=1, / | factor=4, data=3 | data=3, factor=4
    to positional-only behind one left out | data, factor=1, offset=0 | data, factor=7, offset=0, / | 3, offset=5 | data=3, factor=7, offset=5
    to positional-only before others left out | data, factor=1, offset=0 | data, factor=7, offset=0, / | data=3 | data=3, factor=7, offset=0
    to positional-only after another left out | first=1, second=2 | first=3, second=4, / | second=5 | first=3, second=5
    to the backend's keywords | data, factor=1 | **options | 3, 4 | options={'data': 3, 'factor': 4}
    never to its positional rest | data, factor=1 | data, *rest, **options | 3, 4 | data=3, rest=(), options={'factor': 4}
    from the host's keywords | data, **options | data, seed=0 | 3, seed=4 | data=3, seed=4
    from keywords to keywords | data, **options | data, **more | 3, seed=4 | data=3, more={'seed': 4}
    an option of the backend's own | data | data, *, size=16 | 3, size=4 | data=3, size=4
    an option that the backend requires | data | data, size | 3, size=4 | data=3, size=4
    left out: the backend's own default | data, factor=1 | data, factor=7 | 3 | data=3, factor=7
    the host's default, given | data, factor=1 | data, factor=7 | 3, factor=1 | data=3, factor=1
    the host's default, given to keywords | data, factor=1 | data, **options | 3, factor=1 | data=3, options={'factor': 1}
    host-only at its default, by position | data, copy=False | data | 3, False | data=3
    host-only at its default, before another | data, copy=False, factor=1 | data, factor=1 | 3, False, 4 | data=3, factor=4
    host-only at its default, by name | data, *, copy=False | data | 3, copy=False | data=3
    nothing at all | | | |
""")


@pytest.mark.parametrize(("host", "mine", "arguments", "received"), ARRIVE)
def test_every_argument_given_reaches_the_implementation(
    pair, call, host, mine, arguments, received
):
    assert call(pair(function(host), function(mine)), arguments) == named(received)


# What the host takes, what the implementation takes, the call, and why it stays on the host.
LOST = rows("""
    a host-only one that differs | data, copy=False | data | 3, copy=True | does not take 'copy'
    a host-only one that differs, by position | data, copy=False | data | 3, True | does not take 'copy'
    a host-only one without a default | data, key | data | 3, None | does not take 'key'
    several at once | data, layer=None, obsm=None | data | 3, obsm=1, layer=2 | does not take 'obsm', 'layer'
    one of the host's keywords | data, **options | data | 3, seed=4 | does not take 'seed'
    one of another name | data | values | 3 | does not take 'data' and needs 'values', which the call does not give
    one that only the backend has, required | data | data, seed | 3 | needs 'seed', which the call does not give
    one that only the backend requires | data, seed=0 | data, seed | 3 | needs 'seed', which the call does not give
    one that could only arrive without a name | data | *values | 3 | does not take 'data'
    two of the same name | data, /, **options | data, **options | 3, data=4 | would receive 'data' twice
""")


@pytest.mark.parametrize(("host", "mine", "arguments", "reason"), LOST)
def test_a_call_that_would_lose_an_argument_runs_on_the_host_with_all_of_them(
    pair, call, reasons, host, mine, arguments, reason
):
    func = pair(function(host), function(mine), fallback="silent")
    assert call(func, arguments) == call(
        function(host), arguments, lambda func, *a, **k: func(*a, **k)
    )
    assert call(func, arguments, reasons) == [reason]


@pytest.mark.parametrize("arguments", ["1, 2, 3", "1, data=2", "", "1, unknown=2"])
@pytest.mark.parametrize("policy", ["warn", "silent"])
@pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.BackendFallbackWarning")
def test_a_call_that_fits_neither_side_is_a_type_error_and_nothing_runs(
    dispatcher, pair, call, arguments, policy
):
    ran = []
    func = pair(
        lambda data, factor=1: ran.append("host"), lambda data, factor=1: ran.append("mine"), policy
    )
    for _ in range(2):
        with dispatcher.settings.use_backend("mine"), pytest.raises(TypeError):
            call(func, arguments, lambda func, *args, **kwargs: func(*args, **kwargs))
    assert ran == []


# What the host takes, what the implementation takes, its renames, the call, and what it receives.
RENAMED = rows("""
    by name | adata, rng=None | adata, random_state=0 | rng=random_state | 1, rng=7 | adata=1, random_state=7
    by position | adata, rng=None | adata, random_state=0 | rng=random_state | 1, 7 | adata=1, random_state=7
    left out | adata, rng=None | adata, random_state=0 | rng=random_state | adata=1 | adata=1, random_state=0
    by the backend's own name | adata, rng=None | adata, random_state=0 | rng=random_state | 1, random_state=7 | adata=1, random_state=7
    to keywords | adata, rng=None | adata, **more | rng=random_state | 1, rng=7 | adata=1, more={'random_state': 7}
    to positional-only | adata, rng=None | data, seed=0, / | adata=data, rng=seed | rng=7, adata=1 | data=1, seed=7
    two that swap their names | rows, columns | columns, rows | rows=columns, columns=rows | 1, 2 | columns=1, rows=2
    two that swap their names, by name | rows, columns | columns, rows | rows=columns, columns=rows | columns=2, rows=1 | columns=1, rows=2
    to a name that the host has too | data, n=15, k=3 | data, k=30 | n=k | 1, n=7 | data=1, k=7
    to a name that the host has too, by position | data, n=15, k=3 | data, k=30 | n=k | 1, 7 | data=1, k=7
    to a name that the host has too, left out | data, n=15, k=3 | data, k=30 | n=k | 1 | data=1, k=30
    to a name that the host has too, at its default | data, n=15, k=3 | data, k=30 | n=k | 1, n=7, k=3 | data=1, k=7
    to keywords and a name that the host has too | data, n=15, k=3 | data, **options | n=k | 1, n=7 | data=1, options={'k': 7}
    of what the call does not give | adata, rng=None | adata, rng=None | resolution=gamma | 1, rng=7 | adata=1, rng=7
""")


@pytest.mark.parametrize(("host", "mine", "renames", "arguments", "received"), RENAMED)
def test_an_argument_arrives_under_the_name_that_the_adapter_declares(
    pair, call, host, mine, renames, arguments, received
):
    func = pair(
        function(host), function(mine), fallback="error", renames={"func": renamed(renames)}
    )
    assert call(func, arguments) == named(received)


# As above, and why the call stays on the host.
NOT_BROUGHT = rows("""
    given under both names | adata, rng=None | adata, random_state=0 | rng=random_state | 1, rng=7, random_state=8 | would receive 'random_state' twice
    of a name taken by another | data, n=15, k=3 | data, k=30 | n=k | 1, k=7 | does not take 'k'
    of a name taken by another, by position | data, n=15, k=3 | data, k=30 | n=k | 1, 15, 7 | does not take 'k'
    of a name taken by another, to keywords | data, n=15, k=3 | data, **options | n=k | 1, k=7 | does not take 'k'
    to nothing | adata, rng=None | adata, rng=None | rng=seed | 1, rng=7 | does not take 'rng'; its rename {'rng': 'seed'} leads to 'seed', which it does not take
""")


@pytest.mark.parametrize(("host", "mine", "renames", "arguments", "reason"), NOT_BROUGHT)
def test_an_argument_that_a_rename_cannot_bring_is_a_refusal(
    pair, call, reasons, host, mine, renames, arguments, reason
):
    func = pair(function(host), function(mine), renames={"func": renamed(renames)})
    assert call(func, arguments, reasons) == [reason]


def test_a_rename_the_wrong_way_round_is_told_with_the_refusal(pair, reasons):
    func = pair(
        function("adata, rng=None"), function("adata, seed=0"), renames={"func": {"seed": "rng"}}
    )
    (reason,) = reasons(func, 1, rng=7)
    assert "its rename {'seed': 'rng'} begins with 'seed', which the host does not take" in reason
    assert reason.endswith("write it the other way round")


# As above, with `host_defaults=True`.
DEFAULTS = rows("""
    that differ or are missing | data, resolution=1, n_iterations=-1, seed=0, copy=False | data, seed, resolution=1.0, n_iterations=100 |  | 3 | data=3, seed=0, resolution=1, n_iterations=-1
    behind what is given | data, n_iterations=-1 | data, n_iterations=100 |  | 3, 7 | data=3, n_iterations=7
    behind what is given by name | data, n_iterations=-1 | data, n_iterations=9 |  | 3, n_iterations=9 | data=3, n_iterations=9
    renamed and positional-only | data, rng=7, n=-1 | data, seed=0, n=9, / | rng=seed | 3 | data=3, seed=7, n=-1
    given by the backend's name | data, rng=7, n=-1 | data, seed=0, n=9, / | rng=seed | 3, seed=5 | data=3, seed=5, n=-1
    not to keywords | data, n_iterations=-1, copy=False | data, n_iterations=9, **more |  | 3 | data=3, n_iterations=-1, more={}
    given to keywords | data, n_iterations=-1, copy=False | data, n_iterations=9, **more |  | 3, copy=False | data=3, n_iterations=-1, more={'copy': False}
    to a name that the host has too | data, n=15, k=3 | data, k=30 | n=k | 1 | data=1, k=15
""")


@pytest.mark.parametrize(("host", "mine", "renames", "arguments", "received"), DEFAULTS)
def test_host_defaults_hold_on_every_backend(
    dispatcher, pair, call, host, mine, renames, arguments, received
):
    func = pair(
        function(host), function(mine), renames={"func": renamed(renames)}, host_defaults=True
    )
    # As text, for which 1 is not 1.0.
    assert repr(call(func, arguments)) == repr(named(received))
    assert dispatcher.settings.explain(func, 3, backend="mine").differing_defaults == ()


def test_a_mark_for_what_was_not_given_is_forwarded_unless_the_backend_has_its_own(
    pair, offer, outcome
):
    hosts, own = object(), object()
    func = pair(
        lambda data, rng=hosts: "host", lambda data, rng=own: rng is own, host_defaults=True
    )
    offer("required", func=lambda data, rng: rng is hosts)
    offer("none", func=lambda data, rng=None: rng is hosts)
    assert [outcome(func, 3, on=label) for label in ("mine", "required", "none")] == [True] * 3


class TestIgnorable:
    """Arguments that a backend may lack because the host says that they change no result."""

    @pytest.fixture
    def dispatcher(self, make_dispatcher):
        return make_dispatcher(ignorable=("n_jobs",))

    def test_host_wide_ones_may_be_missing_on_a_backend(self, pair, outcome):
        func = pair(lambda data, n_jobs=None, **options: "host", lambda data: "mine")
        assert outcome(func, 1, n_jobs=8) == outcome(func, 1, 8) == "mine"
        with pytest.warns(BackendFallbackWarning, match="'seed'"):
            assert outcome(func, 1, n_jobs=8, seed=1) == "host"

    def test_an_ignorable_one_from_the_hosts_keywords_may_be_missing_too(self, pair, outcome):
        func = pair(lambda data, **options: "host", lambda data: "mine")
        assert outcome(func, 1, n_jobs=8) == "mine"

    @pytest.mark.parametrize(("own", "found"), [(["tiles"], []), ([], ["does not take 'tiles'"])])
    def test_an_ignorable_one_of_a_function_may_be_missing_for_that_function_only(
        self, dispatcher, pair, reasons, own, found
    ):
        dispatcher.backend_dispatch(name="other", ignorable=["tiles"])(lambda tiles=1: "host")
        func = pair(lambda data, tiles=1: "host", lambda data: "mine", ignorable=own)
        assert reasons(func, 1, tiles=8) == found

    def test_an_ignorable_one_that_the_backend_has_is_passed_on(self, pair, outcome):
        func = pair(lambda data, n_jobs=None: "host", lambda data, n_jobs=None: n_jobs)
        assert outcome(func, 1, n_jobs=8) == outcome(func, 1, 8) == 8

    @pytest.mark.parametrize(
        ("host", "given"), [("data", {"n_jobs": 8}), ("n_jobs, /", {"n_jobs": 3})]
    )
    @pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.BackendFallbackWarning")
    def test_an_ignorable_one_that_the_host_does_not_take_by_name_is_not_dropped(
        self, pair, host, given
    ):
        func = pair(function(host), lambda data=1: "mine")
        assert func(1, backend="mine") == "mine"
        with pytest.raises(TypeError, match="n_jobs"):
            func(1, **given, backend="mine")


class TestSelector:
    """The parameter that selects a backend for one call, and functions that know that name already."""

    def test_a_parameter_of_the_implementation_of_that_name_never_receives_it(
        self, dispatcher, pair
    ):
        func = pair(lambda data: "host", lambda data, backend="none": f"mine, told {backend}")
        with dispatcher.settings.use_backend("mine"):
            assert func(1) == func(1, backend="mine") == "mine, told none"
            assert func(1, backend="cpu") == "host"

    def test_another_name_leaves_backend_to_the_functions(self, dispatcher, pair):
        func = pair(
            lambda data, backend="agg": "host", function("data, backend='agg'"), selector="engine"
        )
        assert func(1, backend="svg") == "host"
        assert func(1, backend="svg", engine="mine") == {"data": 1, "backend": "svg"}
        with dispatcher.settings.use_backend("mine"):
            assert func(1, "svg") == func(1, backend="svg") == {"data": 1, "backend": "svg"}
            assert func(1, backend="svg", engine="cpu") == "host"

    def test_without_one_blocks_and_defaults_still_select(self, dispatcher, pair):
        func = pair(lambda data, **options: options, function("data, **options"), selector=None)
        assert func(1, backend="svg") == {"backend": "svg"}
        with dispatcher.settings.use_backend("mine"):
            assert func(1, backend="svg") == {"data": 1, "options": {"backend": "svg"}}
