"""Arguments that a backend may lack because the host says that they change no result."""

from __future__ import annotations

import pytest

from scverse_backends.exceptions import BackendFallbackWarning


def test_a_host_wide_one_may_be_missing_on_a_backend(make_dispatcher):
    dispatcher = make_dispatcher(ignorable=("n_jobs",))
    tsne = dispatcher.backend_dispatch(name="tsne")(lambda data, n_jobs=None: "host")
    pca = dispatcher.backend_dispatch(name="pca")(lambda data, n_jobs=1: "host")

    class Mine:
        name = "mine"
        tsne = staticmethod(lambda data: "mine")
        pca = staticmethod(lambda data: "mine")

    with dispatcher.register(Mine):
        assert tsne(1, n_jobs=8, backend="mine") == "mine"
        assert pca(1, 8, backend="mine") == "mine"


def test_one_of_a_function_may_be_missing_for_that_function_only(
    dispatcher, offer, outcome, reasons
):
    dispatcher.settings.fallback = "silent"
    tsne = dispatcher.backend_dispatch(name="tsne", ignorable=["n_jobs"])(
        lambda data, n_jobs=None: "host"
    )
    pca = dispatcher.backend_dispatch(name="pca")(lambda data, n_jobs=None: "host")
    offer(tsne=lambda data: "mine", pca=lambda data: "mine")
    assert outcome(tsne, 1, n_jobs=8) == "mine"
    assert outcome(pca, 1, n_jobs=8) == "host"
    assert reasons(pca, 1, n_jobs=8) == ["does not take 'n_jobs'"]


def test_one_that_the_backend_has_is_passed_on(dispatcher, offer, outcome):
    func = dispatcher.backend_dispatch(name="func", ignorable=("n_jobs",))(
        lambda data, n_jobs=None: "host"
    )
    offer(func=lambda data, n_jobs=None: n_jobs)
    assert outcome(func, 1, n_jobs=8) == 8
    assert outcome(func, 1, 8) == 8


def test_one_from_the_hosts_keywords_may_be_missing_too(make_dispatcher):
    dispatcher = make_dispatcher(ignorable=("n_jobs",))
    func = dispatcher.backend_dispatch(name="func")(lambda data, **options: "host")

    class Mine:
        name = "mine"
        func = staticmethod(lambda data: "mine")

    with dispatcher.register(Mine):
        assert func(1, n_jobs=8, backend="mine") == "mine"
        with pytest.warns(BackendFallbackWarning, match="'seed'"):
            assert func(1, n_jobs=8, seed=1, backend="mine") == "host"


@pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.BackendFallbackWarning")
def test_one_that_the_host_does_not_take_either_is_not_dropped(make_dispatcher):
    dispatcher = make_dispatcher(ignorable=("n_jobs",))
    func = dispatcher.backend_dispatch(name="func")(lambda data: "host")

    class Mine:
        name = "mine"
        func = staticmethod(lambda data: "mine")

    with dispatcher.register(Mine), pytest.raises(TypeError, match="n_jobs"):
        func(1, n_jobs=8, backend="mine")


def test_one_that_the_host_takes_by_position_only_is_not_dropped_where_it_is_named(
    dispatcher, offer
):
    func = dispatcher.backend_dispatch(name="func", ignorable=["jobs"])(lambda jobs, /: "host")
    offer(func=lambda: "mine")
    assert func(2, backend="mine") == "mine"
    with pytest.raises(TypeError, match="'jobs'"):
        func(2, jobs=3, backend="mine")
