"""Arguments that bear another name on the backend."""

from __future__ import annotations

import pytest


@pytest.fixture
def leiden(dispatcher):
    return dispatcher.backend_dispatch(name="leiden")(lambda adata, rng=None: "host")


def test_an_argument_arrives_under_the_name_that_the_adapter_declares(leiden, offer, outcome):
    offer(
        leiden=lambda adata, random_state=0: locals(),
        renames={"leiden": {"rng": "random_state"}},
    )
    assert outcome(leiden, 1, rng=7) == {"adata": 1, "random_state": 7}
    assert outcome(leiden, 1, 7) == {"adata": 1, "random_state": 7}
    assert outcome(leiden, adata=1) == {"adata": 1, "random_state": 0}


def test_the_backends_own_name_is_understood_as_well(leiden, offer, outcome):
    offer(
        leiden=lambda adata, random_state=0: locals(),
        renames={"leiden": {"rng": "random_state"}},
    )
    assert outcome(leiden, 1, random_state=7) == {"adata": 1, "random_state": 7}


def test_an_argument_given_under_both_names_is_refused(leiden, offer, reasons):
    offer(leiden=lambda adata, random_state=0: 0, renames={"leiden": {"rng": "random_state"}})
    found = reasons(leiden, 1, rng=7, random_state=8)
    assert found == ["would receive 'random_state' twice"]


def test_a_rename_reaches_the_implementations_keywords(leiden, offer, outcome):
    offer(
        leiden=lambda adata, **options: options,
        renames={"leiden": {"rng": "random_state"}},
    )
    assert outcome(leiden, 1, rng=7) == {"random_state": 7}


def test_a_rename_reaches_a_positional_only_parameter(leiden, offer, outcome):
    offer(
        leiden=lambda data, seed=0, /: (data, seed),
        renames={"leiden": {"adata": "data", "rng": "seed"}},
    )
    assert outcome(leiden, rng=7, adata=1) == (1, 7)


def test_two_parameters_may_swap_their_names(dispatcher, offer, outcome):
    func = dispatcher.backend_dispatch(name="func")(lambda rows, columns: "host")
    offer(
        func=lambda columns, rows: {"columns": columns, "rows": rows},
        renames={"func": {"rows": "columns", "columns": "rows"}},
    )
    assert outcome(func, 1, 2) == {"columns": 1, "rows": 2}
    assert outcome(func, columns=2, rows=1) == {"columns": 1, "rows": 2}


def test_an_argument_of_the_name_that_a_rename_gives_to_another_is_not_mistaken_for_it(
    dispatcher, offer, outcome, reasons
):
    func = dispatcher.backend_dispatch(name="func")(lambda data, n=15, k=3: "host")
    offer(func=lambda data, k=30: {"k": k}, renames={"func": {"n": "k"}})
    assert outcome(func, 1, n=7) == outcome(func, 1, 7) == {"k": 7}
    assert outcome(func, 1) == {"k": 30}
    assert reasons(func, 1, k=7) == reasons(func, 1, 15, 7) == ["does not take 'k'"]
    assert reasons(func, 1, n=7, k=3) == []
    differing = dispatcher.settings.explain(func, 1, backend="mine").differing_defaults
    assert differing == (("n", 15, 30),)


def test_nor_is_it_in_an_implementation_that_takes_any_keyword(dispatcher, offer, outcome, reasons):
    func = dispatcher.backend_dispatch(name="func")(lambda data, n=15, k=3: "host")
    offer(func=lambda data, **options: options, renames={"func": {"n": "k"}})
    assert outcome(func, 1, n=7) == {"k": 7}
    assert reasons(func, 1, k=7) == ["does not take 'k'"]


def test_the_hosts_defaults_keep_to_their_parameters_through_a_rename(dispatcher, offer, outcome):
    decorate = dispatcher.backend_dispatch(name="func", host_defaults=True)
    func = decorate(lambda data, n=15, k=3: "host")
    offer(func=lambda data, k=30: {"k": k}, renames={"func": {"n": "k"}})
    assert outcome(func, 1) == {"k": 15}


def test_a_rename_holds_for_its_function_only(dispatcher, leiden, offer, outcome):
    other = dispatcher.backend_dispatch(name="other")(lambda rng=None: "host")
    offer(
        leiden=lambda adata, random_state=0: 0,
        other=lambda rng=None: rng,
        renames={"leiden": {"rng": "random_state"}},
    )
    assert outcome(other, rng=7) == 7


def test_a_rename_to_what_the_implementation_has_not_is_refused(leiden, offer, reasons):
    offer(leiden=lambda adata, rng=None: 0, renames={"leiden": {"rng": "seed"}})
    assert reasons(leiden, 1, rng=7) == [
        "does not take 'rng'; its rename {'rng': 'seed'} leads to 'seed', which it does not take"
    ]


def test_a_rename_that_stands_the_wrong_way_round_is_told_with_the_refusal(leiden, offer, reasons):
    offer(leiden=lambda adata, seed=0: 0, renames={"leiden": {"seed": "rng"}})
    (reason,) = reasons(leiden, 1, rng=7)
    assert "its rename {'seed': 'rng'} begins with 'seed', which the host does not take" in reason
    assert reason.endswith("write it the other way round")


def test_a_call_that_loses_nothing_is_not_told_of_renames(leiden, offer, outcome):
    offer(leiden=lambda adata, rng=None: rng, renames={"leiden": {"resolution": "gamma"}})
    assert outcome(leiden, 1, rng=7) == 7
