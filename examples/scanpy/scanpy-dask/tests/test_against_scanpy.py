"""What scanpy computes in memory is what this package computes from disk.

The tolerances are those that the README states.
"""

import inspect

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from anndata import AnnData
from scipy import sparse

from scanpy_dask import pp

SINGLE = {"rtol": 1e-5, "atol": 1e-6}
PROJECTED = {"rtol": 1e-4, "atol": 1e-4}
# What scanpy says of the fixtures: a cell has no counts, and centring fills what was sparse.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Some cells have zero counts:UserWarning"),
    pytest.mark.filterwarnings("ignore:zero-centering a sparse:UserWarning"),
    pytest.mark.filterwarnings("ignore:invalid value encountered in divide:RuntimeWarning"),
]


def in_double_precision(adata):
    """Let scanpy's solver tell components apart whose variances are close."""
    adata.X = adata.X.astype(np.float64)
    adata.layers["counts"] = adata.layers["counts"].astype(np.float64)


@pytest.mark.parametrize("name", pp.__all__)
def test_every_parameter_is_scanpys_or_the_progress_bar(name):
    hosts = inspect.signature(getattr(sc.pp, name)).parameters
    own = dict(inspect.signature(getattr(pp, name)).parameters)
    own.pop("show_progress_bar", None)
    assert {key: (each.kind, each.default) for key, each in own.items()} == {
        key: (hosts[key].kind, hosts[key].default) for key in own
    }


@pytest.mark.parametrize(
    "options",
    [
        {"target_sum": 1e4},
        {"target_sum": 1e4, "key_added": "factor"},
        {"target_sum": 100, "layer": "counts"},
        {"target_sum": 100, "exclude_highly_expressed": True, "max_fraction": 0.04},
    ],
)
def test_cells_are_normalized_as_scanpy_does(stored, values, options):
    lazy, in_memory = stored.both()
    pp.normalize_total(lazy, **options)
    sc.pp.normalize_total(in_memory, **options)
    np.testing.assert_allclose(values(lazy.X), values(in_memory.X), **SINGLE)
    np.testing.assert_allclose(
        values(lazy.layers["counts"]), values(in_memory.layers["counts"]), **SINGLE
    )
    pd.testing.assert_frame_equal(lazy.obs, in_memory.obs, rtol=1e-5)


@pytest.mark.parametrize("options", [{}, {"exclude_highly_expressed": True, "max_fraction": 0.04}])
def test_the_median_total_is_the_target_where_none_is_given(stored, values, options):
    lazy, in_memory = stored.both()
    pp.filter_cells(lazy, min_counts=1)
    sc.pp.filter_cells(in_memory, min_counts=1)
    pp.normalize_total(lazy, **options)
    sc.pp.normalize_total(in_memory, **options)
    np.testing.assert_allclose(values(lazy.X), values(in_memory.X), **SINGLE)


def test_a_cell_without_counts_is_mentioned_and_is_no_part_of_the_median(stored, values):
    lazy = stored.lazy()
    with pytest.warns(UserWarning, match="zero counts"):
        pp.normalize_total(lazy)
    totals = values(lazy.X).sum(axis=1)
    assert totals[3] == 0
    assert np.median(totals[totals > 0]) == pytest.approx(totals.max(), rel=1e-5)


@pytest.mark.parametrize("options", [{}, {"base": 2}, {"layer": "counts"}])
def test_logarithms_are_those_of_scanpy(stored, values, options):
    lazy, in_memory = stored.both()
    pp.log1p(lazy, **options)
    sc.pp.log1p(in_memory, **options)
    np.testing.assert_allclose(values(lazy.X), values(in_memory.X), **SINGLE)
    np.testing.assert_allclose(
        values(lazy.layers["counts"]), values(in_memory.layers["counts"]), **SINGLE
    )
    assert lazy.uns["log1p"] == in_memory.uns["log1p"]


def test_logarithms_of_logarithms_are_mentioned(stored):
    lazy, _ = stored.log_normalized()
    with pytest.warns(UserWarning, match="logarithms already"):
        pp.log1p(lazy)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_value": 2},
        {"zero_center": False},
        {"zero_center": False, "max_value": 2},
        {"layer": "counts"},
    ],
)
def test_genes_are_scaled_as_scanpy_does(stored, values, options):
    lazy, in_memory = stored.log_normalized()
    pp.scale(lazy, **options)
    sc.pp.scale(in_memory, **options)
    np.testing.assert_allclose(values(lazy.X), values(in_memory.X), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        values(lazy.layers["counts"]), values(in_memory.layers["counts"]), rtol=1e-4, atol=1e-5
    )
    pd.testing.assert_frame_equal(lazy.var, in_memory.var, rtol=1e-5)


@pytest.mark.parametrize(("zero_center", "expected"), [(True, 0), (False, np.log1p(1.1))])
def test_a_gene_that_does_not_vary_is_not_blown_up(zero_center, expected, values):
    constant = np.full((3000, 1), np.log1p(1.1))
    varying = np.random.default_rng(0).random((3000, 1))
    adata = AnnData(da.from_array(np.hstack([constant, varying]), chunks=(130, 2)))
    pp.scale(adata, zero_center=zero_center)
    scaled = values(adata.X)
    np.testing.assert_allclose(scaled[:, 0], expected, atol=1e-10)
    assert scaled[:, 1].std(ddof=1) == pytest.approx(1)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"n_comps": 12},
        {"mask_var": "marked", "n_comps": 5},
        {"mask_var": "marked", "n_comps": 5, "key_added": "few"},
        {"layer": "counts", "n_comps": 5, "dtype": "float64"},
        {"svd_solver": "covariance_eigh", "n_comps": 5, "random_state": 3},
    ],
)
def test_principal_components_are_those_of_scanpy(stored, options):
    lazy, in_memory = stored.log_normalized()
    in_double_precision(in_memory)
    pp.pca(lazy, **options)
    sc.pp.pca(in_memory, **options)
    cells, genes, facts = (
        (options["key_added"],) * 3 if "key_added" in options else ("X_pca", "PCs", "pca")
    )
    assert lazy.obsm[cells].dtype == in_memory.obsm[cells].dtype
    np.testing.assert_allclose(lazy.obsm[cells], in_memory.obsm[cells], **PROJECTED)
    np.testing.assert_allclose(lazy.varm[genes], in_memory.varm[genes], **PROJECTED)
    own, hosts = lazy.uns[facts], in_memory.uns[facts]
    assert own.keys() == hosts.keys()
    assert own["params"] == {key: hosts["params"][key] for key in own["params"]}
    for fact in ("variance", "variance_ratio"):
        np.testing.assert_allclose(own[fact], hosts[fact], rtol=1e-4)


def test_principal_components_may_be_of_genes_marked_by_an_array(stored):
    lazy, in_memory = stored.log_normalized()
    in_double_precision(in_memory)
    first = np.arange(120) < 40
    pp.pca(lazy, n_comps=5, mask_var=first)
    sc.pp.pca(in_memory, n_comps=5, mask_var=first)
    np.testing.assert_allclose(lazy.obsm["X_pca"], in_memory.obsm["X_pca"], **PROJECTED)
    np.testing.assert_array_equal(lazy.uns["pca"]["params"]["mask_var"], first)


def test_components_without_centring_are_those_of_scanpys_exact_solver(stored):
    lazy, in_memory = stored.log_normalized()
    in_double_precision(in_memory)
    pp.pca(lazy, n_comps=5, zero_center=False)
    sc.pp.pca(in_memory, n_comps=5, zero_center=False, svd_solver="arpack")
    np.testing.assert_allclose(lazy.obsm["X_pca"], in_memory.obsm["X_pca"], **PROJECTED)
    np.testing.assert_allclose(
        lazy.uns["pca"]["variance_ratio"], in_memory.uns["pca"]["variance_ratio"], rtol=1e-4
    )


def test_components_are_of_highly_variable_genes_where_there_are_any(stored):
    lazy, in_memory = stored.log_normalized()
    in_double_precision(in_memory)
    for preprocessing, adata in ((pp, lazy), (sc.pp, in_memory)):
        preprocessing.highly_variable_genes(adata, n_top_genes=40)
        preprocessing.pca(adata, n_comps=5)
    assert (lazy.varm["PCs"].any(axis=1) == lazy.var["highly_variable"]).all()
    np.testing.assert_allclose(lazy.obsm["X_pca"], in_memory.obsm["X_pca"], **PROJECTED)


@pytest.mark.parametrize(
    "options",
    [
        {"percent_top": [10, 50]},
        {"percent_top": None, "qc_vars": "marked"},
        {"percent_top": [120], "qc_vars": ["marked"], "log1p": False, "layer": "counts"},
        {"percent_top": [5], "expr_type": "reads", "var_type": "features"},
    ],
)
def test_quality_metrics_are_those_of_scanpy(stored, options):
    lazy, in_memory = stored.both()
    tables = zip(
        pp.calculate_qc_metrics(lazy, **options),
        sc.pp.calculate_qc_metrics(in_memory, **options),
        strict=True,
    )
    for own, hosts in tables:
        pd.testing.assert_frame_equal(own, hosts, rtol=1e-5, check_dtype=False)


def test_a_zero_that_is_stored_expresses_no_gene():
    counts = sparse.csr_matrix(np.array([[1.0, 2.0, 3.0], [4.0, 0.0, 6.0]]))
    counts.data[1] = 0
    blocks = da.from_array(counts.toarray(), chunks=(2, 3)).map_blocks(
        lambda _: counts.copy(), meta=counts[:0]
    )
    cells, genes = pp.calculate_qc_metrics(AnnData(blocks), percent_top=None)
    assert cells["n_genes_by_counts"].tolist() == [2, 2]
    assert genes["n_cells_by_counts"].tolist() == [2, 0, 2]


def test_quality_metrics_go_into_the_dataset_where_that_was_asked_for(stored):
    lazy, in_memory = stored.both()
    assert pp.calculate_qc_metrics(lazy, percent_top=[10], inplace=True) is None
    sc.pp.calculate_qc_metrics(in_memory, percent_top=[10], inplace=True)
    pd.testing.assert_frame_equal(lazy.obs, in_memory.obs, rtol=1e-5, check_dtype=False)
    pd.testing.assert_frame_equal(lazy.var, in_memory.var, rtol=1e-5, check_dtype=False)


@pytest.mark.parametrize(
    ("function", "options"),
    [
        ("filter_cells", {"min_genes": 30}),
        ("filter_cells", {"max_genes": 40}),
        ("filter_cells", {"min_counts": 50}),
        ("filter_cells", {"max_counts": 80}),
        ("filter_genes", {"min_cells": 130}),
        ("filter_genes", {"max_cells": 200}),
        ("filter_genes", {"min_counts": 150}),
        ("filter_genes", {"max_counts": 280}),
    ],
)
def test_what_scanpy_filters_is_filtered(stored, values, function, options):
    lazy, in_memory = stored.both()
    kept, numbers = getattr(pp, function)(lazy, inplace=False, **options)
    getattr(pp, function)(lazy, **options)
    getattr(sc.pp, function)(in_memory, **options)
    assert 0 < kept.sum() < kept.size == numbers.size
    pd.testing.assert_frame_equal(lazy.obs, in_memory.obs)
    pd.testing.assert_frame_equal(lazy.var, in_memory.var)
    np.testing.assert_array_equal(values(lazy.X), values(in_memory.X))
    np.testing.assert_array_equal(values(lazy.layers["counts"]), values(lazy.X))


def test_a_block_of_which_nothing_is_left_is_no_obstacle(stored, values):
    lazy, in_memory = stored.both()
    lazy.X = da.concatenate([0 * lazy.X[:130], lazy.X[130:]])
    in_memory = in_memory[130:].copy()
    for preprocessing, adata in ((pp, lazy), (sc.pp, in_memory)):
        preprocessing.filter_cells(adata, min_counts=1)
        preprocessing.filter_genes(adata, min_cells=90)
        preprocessing.calculate_qc_metrics(adata, percent_top=[3], inplace=True)
        preprocessing.scale(adata)
    assert 0 in lazy.X.chunks[0]
    pd.testing.assert_frame_equal(lazy.obs, in_memory.obs, rtol=1e-5, check_dtype=False)
    np.testing.assert_allclose(values(lazy.X), values(in_memory.X), rtol=1e-4, atol=1e-5)
    pp.pca(lazy, n_comps=2)
    assert lazy.obsm["X_pca"].shape == (in_memory.n_obs, 2)


def test_a_layer_in_memory_is_filtered_too(stored):
    adata = stored.lazy()
    adata.layers["read"] = adata.layers["counts"].compute()
    kept, _ = pp.filter_cells(adata, min_genes=30, inplace=False)
    before = adata.layers["read"]
    pp.filter_cells(adata, min_genes=30)
    assert abs(adata.layers["read"] - before[kept]).sum() == 0


@pytest.mark.parametrize(
    "options",
    [{}, {"n_top_genes": 40}, {"min_disp": 0.1, "max_mean": 4, "n_bins": 10}, {"n_bins": 90}],
)
def test_highly_variable_genes_are_those_of_scanpy(stored, options):
    lazy, in_memory = stored.log_normalized()
    pp.highly_variable_genes(lazy, **options)
    sc.pp.highly_variable_genes(in_memory, **options)
    assert 0 < in_memory.var["highly_variable"].sum() < 120
    pd.testing.assert_frame_equal(lazy.var, in_memory.var, rtol=1e-4, atol=1e-5)
    assert lazy.uns["hvg"] == in_memory.uns["hvg"]


def test_the_base_of_logarithms_does_not_matter_to_highly_variable_genes(stored):
    lazy, in_memory = stored.both()
    for preprocessing, adata in ((pp, lazy), (sc.pp, in_memory)):
        preprocessing.normalize_total(adata, target_sum=1e3)
        preprocessing.log1p(adata, base=10)
        preprocessing.highly_variable_genes(adata)
    pd.testing.assert_frame_equal(lazy.var, in_memory.var, rtol=1e-4, atol=1e-5)


def test_bounds_beside_a_number_of_genes_are_mentioned(stored):
    lazy, _ = stored.log_normalized()
    with pytest.warns(UserWarning, match="bounds have no effect"):
        pp.highly_variable_genes(lazy, n_top_genes=40, min_mean=1)
    assert lazy.var["highly_variable"].sum() == 40


@pytest.mark.parametrize("subset", [False, True])
def test_highly_variable_genes_are_returned_where_that_was_asked_for(stored, subset):
    lazy, in_memory = stored.log_normalized()
    own = pp.highly_variable_genes(lazy, n_top_genes=40, inplace=False, subset=subset)
    hosts = sc.pp.highly_variable_genes(in_memory, n_top_genes=40, inplace=False, subset=subset)
    # Newer releases of scanpy write a bin as text.
    bins = {"mean_bin": str}
    pd.testing.assert_frame_equal(own.astype(bins), hosts.astype(bins), rtol=1e-4)


def test_more_highly_variable_genes_than_vary_are_all_that_do(stored):
    lazy, _ = stored.log_normalized()
    with pytest.warns(UserWarning, match="all 119 genes that vary"):
        pp.highly_variable_genes(lazy, n_top_genes=500)
    assert lazy.var["highly_variable"].sum() == 119


def test_a_whole_analysis_ends_where_scanpys_does(stored, values):
    lazy, in_memory = stored.both()
    for preprocessing, adata in ((pp, lazy), (sc.pp, in_memory)):
        preprocessing.filter_cells(adata, min_genes=20)
        preprocessing.filter_genes(adata, min_cells=50)
        preprocessing.normalize_total(adata)
        preprocessing.log1p(adata)
        preprocessing.highly_variable_genes(adata, n_top_genes=50, subset=True)
        preprocessing.scale(adata, max_value=5)
    in_memory.X = in_memory.X.astype(np.float64)
    for preprocessing, adata in ((pp, lazy), (sc.pp, in_memory)):
        preprocessing.pca(adata, n_comps=10)
    assert lazy.shape == in_memory.shape
    np.testing.assert_allclose(values(lazy.X), values(in_memory.X), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(lazy.obsm["X_pca"], in_memory.obsm["X_pca"], rtol=1e-3, atol=1e-3)
