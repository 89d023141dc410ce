"""``host_defaults=True``: the host's defaults hold on every backend."""

from __future__ import annotations


def test_forwarded_where_the_backends_default_differs_or_is_missing(dispatcher, offer, outcome):
    @dispatcher.backend_dispatch(host_defaults=True)
    def leiden(data, resolution=1, n_iterations=-1, seed=0, copy=False):
        return "host"

    offer(leiden=lambda data, seed, resolution=1.0, n_iterations=100: locals())
    received = outcome(leiden, 3)
    assert received == {"data": 3, "seed": 0, "resolution": 1, "n_iterations": -1}
    assert type(received["resolution"]) is int


def test_what_the_caller_gives_stands_before_them(dispatcher, offer, outcome):
    @dispatcher.backend_dispatch(host_defaults=True)
    def leiden(data, n_iterations=-1):
        return "host"

    offer(leiden=lambda data, n_iterations=100: locals())
    assert outcome(leiden, 3, 7) == {"data": 3, "n_iterations": 7}
    assert outcome(leiden, 3, n_iterations=100) == {"data": 3, "n_iterations": 100}


def test_they_reach_renamed_and_positional_only_parameters(dispatcher, offer, outcome):
    @dispatcher.backend_dispatch(host_defaults=True)
    def leiden(data, rng=7, n_iterations=-1):
        return "host"

    offer(
        leiden=lambda data, random_state=0, n_iterations=100, /: {**locals()},
        renames={"leiden": {"rng": "random_state"}},
    )
    assert outcome(leiden, 3) == {"data": 3, "random_state": 7, "n_iterations": -1}
    assert outcome(leiden, 3, random_state=5) == {
        "data": 3,
        "random_state": 5,
        "n_iterations": -1,
    }


def test_then_no_default_differs(dispatcher, offer):
    @dispatcher.backend_dispatch(host_defaults=True)
    def leiden(data, n_iterations=-1):
        return "host"

    offer(leiden=lambda data, n_iterations=100: "mine")
    decision = dispatcher.settings.explain(leiden, 3, backend="mine")
    assert (decision.backend, decision.differing_defaults) == ("mine", ())


def test_keywords_of_the_backend_receive_none_that_nobody_gave(dispatcher, offer, outcome):
    @dispatcher.backend_dispatch(host_defaults=True)
    def leiden(data, n_iterations=-1, copy=False):
        return "host"

    offer(leiden=lambda data, n_iterations=100, **options: (n_iterations, options))
    assert outcome(leiden, 3) == (-1, {})
    assert outcome(leiden, 3, copy=False) == (-1, {"copy": False})


def test_a_mark_for_what_was_not_given_is_not_forwarded_over_the_backends_own(
    dispatcher, offer, outcome
):
    hosts, own = object(), object()

    @dispatcher.backend_dispatch(host_defaults=True)
    def leiden(data, rng=hosts):
        return "host"

    offer(leiden=lambda data, rng=own: rng is own)
    offer("other", leiden=lambda data, rng: rng is hosts)
    assert outcome(leiden, 3) is True
    assert outcome(leiden, 3, on="other") is True


def test_it_is_forwarded_where_the_backends_default_is_something_else(dispatcher, offer, outcome):
    hosts = object()

    @dispatcher.backend_dispatch(host_defaults=True)
    def leiden(data, rng=hosts):
        return "host"

    offer(leiden=lambda data, rng=None: rng is hosts)
    assert outcome(leiden, 3) is True
