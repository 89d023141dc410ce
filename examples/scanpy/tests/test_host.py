"""Scanpy's functions, once they are dispatched, are still scanpy's functions."""

from __future__ import annotations

import doctest
import inspect
import os
import pickle
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
import scanpy as sc
import scanpy_host
from scipy import sparse

NAMES = sorted(scanpy_host.dispatcher.dispatched)

mpl.use("agg")


class Counting:
    """An adapter that counts its calls and lets scanpy do the work."""

    name = "counting"
    __all__ = ("pp",)

    class pp:  # noqa: N801  the namespace as users write it
        __all__ = ("filter_genes", "normalize_total", "pca")
        calls: tuple[str, ...] = ()

        @classmethod
        def count(cls, name, *args, **options):
            cls.calls = (*cls.calls, name)
            return getattr(sc.pp, name)(*args, **options)

        @classmethod
        def filter_genes(cls, data, **options):
            return cls.count("filter_genes", data, **options)

        @classmethod
        def normalize_total(cls, adata, **options):
            return cls.count("normalize_total", adata, **options)

        @classmethod
        def pca(cls, data, **options):
            return cls.count("pca", data, **options)


@pytest.fixture
def counted(dispatcher):
    Counting.pp.calls = ()
    with dispatcher.register(Counting), sc.settings.use_backend("counting", fallback="silent"):
        yield Counting.pp


@pytest.mark.parametrize("name", NAMES)
def test_a_function_keeps_its_name_and_gains_a_parameter(name):
    namespace, _, function = name.partition(".")
    public = getattr(getattr(sc, namespace), function)
    assert public.__name__ == function
    assert inspect.signature(public).parameters["backend"].default is None
    # Two of scanpy's docstrings have "Params" for a heading.
    lists = ("\n    Parameters\n" in public.__doc__) or ("\n    Params\n" in public.__doc__)
    assert ("\n    backend\n" in public.__doc__) == lists


@pytest.mark.parametrize("name", NAMES)
def test_a_function_is_pickled_by_reference(name, dispatcher):
    function = dispatcher.dispatched[name]
    assert pickle.loads(pickle.dumps(function)) is function


def test_dispatch_names_say_the_namespace_that_users_write():
    assert {name.partition(".")[0] for name in NAMES} == {"get", "pp", "tl"}


def test_plots_of_the_same_name_are_not_dispatched():
    for name in NAMES:
        plot = getattr(sc.pl, name.partition(".")[2], None)
        if plot is not None:
            with pytest.raises(TypeError, match="not a dispatched function"):
                sc.settings.explain(plot)


@pytest.mark.parametrize("function", ["pca", "embedding_density", "rank_genes_groups"])
def test_some_plots_do_share_a_name_with_a_computation(function):
    assert hasattr(sc.pl, function)
    assert any(name.partition(".")[2] == function for name in NAMES)


def test_a_plot_runs_no_computation(opened, counted, assert_close):
    data = opened("embedded", "cpu")
    sc.pl.pca(data, color="group", show=False)
    assert counted.calls == ()
    assert_close(opened("embedded", "cpu").obsm, data.obsm, 0)


@pytest.mark.filterwarnings("ignore:vert")  # seaborn's way to call Matplotlib
def test_what_scanpy_calls_inside_is_dispatched_too(counts, counted):
    sc.pl.highest_expr_genes(counts, n_top=3, show=False)
    assert counted.calls == ("normalize_total",)


def test_a_module_that_imported_a_function_long_before_holds_the_dispatched_one(opened, counted):
    sc.pp.highly_variable_genes(opened("logarithms", "cpu"), batch_key="group")
    assert set(counted.calls) == {"filter_genes"}


@pytest.mark.filterwarnings("ignore:You.re trying to run this on")
def test_a_computed_representation_is_dispatched(opened, counted):
    sc.pp.neighbors(opened("logarithms", "cpu"), n_pcs=5)
    assert counted.calls == ("pca",)


def test_positional_arguments_reach_a_backend(opened):
    data = opened("logarithms", "torch")
    with sc.settings.use_backend("torch", fallback="error"):
        sc.pp.pca(data, 4)
        sc.pp.neighbors(data, 7, 3)
    assert data.obsm["X_pca"].shape == (400, 4)
    assert data.uns["neighbors"]["params"]["n_neighbors"] == 7
    assert data.uns["neighbors"]["params"]["n_pcs"] == 3


def test_arguments_that_are_no_longer_positional_go_to_scanpy(opened, counts):
    expected = opened("counts", "cpu")
    sc.pp.normalize_total(expected, target_sum=50.0)
    with sc.settings.use_backend("torch"):
        assert sc.settings.explain(sc.pp.normalize_total, counts, 50.0).backend == "cpu"
        with pytest.warns(UserWarning, match="2 arguments by position"):
            sc.pp.normalize_total(counts, 50.0)
    assert np.array_equal(counts.X.toarray(), expected.X.toarray())


def test_an_argument_that_was_renamed_keeps_its_old_name():
    values = np.ones((2, 2))
    with sc.settings.use_backend("torch", fallback="silent"):
        assert sc.settings.explain(sc.pp.log1p, X=values).backend == "cpu"
        assert sc.pp.log1p(X=values, copy=True) == pytest.approx(np.log(2))


def test_functions_for_many_types_still_take_new_ones():
    class Shouted(str):
        __slots__ = ()

    sc.pp.log1p.register(Shouted, lambda data, **_: data.upper())
    assert sc.pp.log1p(Shouted("quiet")) == "QUIET"


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix])
def test_a_bare_matrix_is_dispatched(make):
    values = make([[1.0, 3.0], [0.0, 1.0]])
    with sc.settings.use_backend("torch", fallback="error"):
        result = sc.pp.log1p(values, copy=True)
    assert np.allclose((result - sc.pp.log1p(values, copy=True)).sum(), 0)


IMPORTED = """
import sys
import numpy as np
import scanpy as sc
def imported(*names): print([name for name in names if name in sys.modules])
imported("scverse_backends")
print(hasattr(sc.settings, "backend"))
import scanpy_host
ours = "torch", "scanpy_torch", "scanpy_dask", "distributed"
sc.pp.log1p(np.ones((2, 2)), backend="cpu")
imported(*ours)
print(sc.settings.backends, sc.settings.fallback)
sc.pp.log1p(np.ones((2, 2)))
imported(*ours)
"""


def test_the_environment_selects_and_nothing_else_is_imported():
    environment = {"SCANPY_BACKEND": "torch", "SCANPY_BACKEND_FALLBACK": "error"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORTED],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        *("[]", "False"),  # without the host, scanpy is as it always was
        *("[]", "('scanpy-torch',) error"),
        "['torch', 'scanpy_torch']",
    ]


def test_the_example_in_the_documentation_runs():
    found = doctest.testmod(scanpy_host)
    assert found.attempted > 0
    assert found.failed == 0
