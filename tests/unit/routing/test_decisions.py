"""``settings.explain``: where a call would run, and why, without running it."""

from types import SimpleNamespace

import pytest


@pytest.fixture
def dispatcher(make_dispatcher, site):
    """Give the dispatcher of a host whose ``tl.leiden`` an installed backend implements."""
    source = """
        name = "Mine"
        renames = {"tl.leiden": {"rng": "random_state"}}
        class tl:
            def leiden(adata, resolution=1.0, *, random_state=0, n_iterations=100, tiles=1):
                raise AssertionError("explaining runs nothing")
    """
    site.backend("mine", source, distribution="my-backend", version="2.1")
    return make_dispatcher(ignorable=("n_jobs",), untrusted="allow")


@pytest.fixture
def settings(dispatcher):
    return dispatcher.settings


@pytest.fixture
def leiden(dispatcher):
    @dispatcher.backend_dispatch(name="tl.leiden")
    def leiden(adata, resolution=1, *, rng=None, n_iterations=-1, copy=False, n_jobs=None):
        raise AssertionError("explaining runs nothing")

    return leiden


def test_a_call_on_the_host(settings, leiden):
    decision = settings.explain(leiden, 1, copy=True)
    assert (decision.function, decision.backend) == ("tl.leiden", "cpu")
    assert (decision.distribution, decision.version) == (None, None)
    assert (decision.refusals, decision.ignored, decision.differing_defaults) == ((), (), ())
    assert decision.forwarded == ("adata", "copy")
    assert decision.reason == "nothing is selected"
    with pytest.raises(AttributeError):
        decision.backend = "Mine"


def test_a_call_on_a_backend(settings, leiden):
    decision = settings.explain(leiden, 1, rng=7, tiles=2, n_jobs=8, copy=False, backend="mine")
    assert (decision.function, decision.backend) == ("tl.leiden", "Mine")
    assert (decision.distribution, decision.version) == ("my-backend", "2.1")
    assert decision.refusals == ()
    assert decision.ignored == ("n_jobs",)
    assert decision.renamed == (("rng", "random_state"),)
    assert decision.forwarded == ("adata", "rng", "tiles")


def test_a_call_that_a_backend_cannot_take(settings, leiden):
    decision = settings.explain(leiden, 1, copy=True, backend="mine")
    assert decision.backend == "cpu"
    assert [(r.backend, r.reason) for r in decision.refusals] == [("Mine", "does not take 'copy'")]
    assert decision.reason.startswith("'Mine' cannot take the call")
    assert decision.forwarded == ("adata", "copy")


def test_a_call_that_policy_error_will_refuse_says_so(settings, leiden):
    with settings.use_backend("mine", fallback="error"):
        assert "raises" in settings.explain(leiden, 1, copy=True).reason
        assert "raises" not in settings.explain(leiden, 1).reason
    assert "raises" not in settings.explain(leiden, 1, copy=True, backend="mine").reason


def test_a_call_that_the_first_of_two_cannot_take(settings, leiden, offer):
    offer("other", tl=SimpleNamespace(leiden=lambda adata, copy=False: 0))
    decision = settings.explain(leiden, 1, copy=True, backend=["mine", "other"])
    assert (decision.backend, decision.distribution) == ("other", None)
    assert "the first of 'Mine', 'other' that can take the call" in decision.reason


def test_a_call_that_neither_of_two_can_take(settings, leiden, offer):
    offer("other", tl=SimpleNamespace(leiden=lambda adata: 0))
    decision = settings.explain(leiden, 1, copy=True, backend=["mine", "other"])
    assert decision.backend == "cpu"
    assert "none of 'Mine', 'other' can take the call" in decision.reason


def test_defaults_that_differ_are_listed_for_what_was_left_out(settings, leiden):
    def differing(**arguments):
        decision = settings.explain(leiden, 1, backend="mine", **arguments)
        return [tuple(difference) for difference in decision.differing_defaults]

    numbers, iterations = ("resolution", 1, 1.0), ("n_iterations", -1, 100)
    assert differing() == [numbers, ("rng", None, 0), iterations]
    assert differing(n_iterations=-1) == [numbers, ("rng", None, 0)]
    assert differing(rng=None, n_iterations=5, resolution=1) == []
    assert differing(random_state=3, resolution=1) == [iterations]


UNNAMED = (
    "cannot tell what 8 arguments by position are, of which the host's signature names 2; "
    "pass the others by name"
)


@pytest.mark.parametrize(("backend", "refusals"), [("cpu", []), ("mine", [UNNAMED])])
def test_a_call_that_fits_nobody_is_explained_as_well(settings, leiden, backend, refusals):
    decision = settings.explain(leiden, 1, 2, 3, 4, 5, 6, 7, 8, backend=backend)
    assert (decision.backend, decision.forwarded) == ("cpu", ())
    assert [refusal.reason for refusal in decision.refusals] == refusals


def test_a_function_of_another_host_is_a_type_error(make_dispatcher, leiden):
    stranger = make_dispatcher(host_name="stranger")
    for func in (leiden, len):
        with pytest.raises(TypeError, match="not a dispatched function of stranger"):
            stranger.settings.explain(func, 1)
