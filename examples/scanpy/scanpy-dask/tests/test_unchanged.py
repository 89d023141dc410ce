"""Nothing changes that was not to be changed."""

import dask
import numpy as np
import pandas as pd
import pytest

from scanpy_dask import pp

TRANSFORMING = [
    ("normalize_total", {"target_sum": 10}, {"X"}),
    ("log1p", {}, {"X"}),
    ("scale", {}, {"X"}),
    ("scale", {"layer": "counts"}, {"counts"}),
    ("pca", {"n_comps": 3}, set()),
]
DROPPING = [
    ("filter_cells", {"min_genes": 30}),
    ("filter_genes", {"min_cells": 130}),
]
COPYING = [*((function, options) for function, options, _ in TRANSFORMING), *DROPPING]


@pytest.fixture
def snapshot(values):
    """Everything in a dataset, written out."""

    def taken(adata):
        return {
            "X": values(adata.X),
            "counts": values(adata.layers["counts"]),
            "obs": adata.obs.copy(),
            "var": adata.var.copy(),
            "elsewhere": str((sorted(adata.obsm), sorted(adata.varm), sorted(adata.uns))),
        }

    return taken


def same(one, other):
    if isinstance(one, pd.DataFrame):
        return one.equals(other)
    return np.array_equal(one, other)


@pytest.mark.parametrize(("function", "options"), COPYING)
def test_a_copy_is_what_the_original_would_have_become(stored, snapshot, function, options):
    adata = stored.lazy()
    before = snapshot(adata)
    copied = snapshot(getattr(pp, function)(adata, copy=True, **options))
    after = snapshot(adata)
    assert all(same(before[part], after[part]) for part in before)
    assert getattr(pp, function)(adata, **options) is None
    changed = snapshot(adata)
    assert all(same(copied[part], changed[part]) for part in changed)
    assert not all(same(before[part], changed[part]) for part in before)


@pytest.mark.parametrize(("function", "options", "changing"), TRANSFORMING)
def test_only_the_named_matrix_changes(stored, snapshot, function, options, changing):
    adata = stored.lazy()
    before = snapshot(adata)
    getattr(pp, function)(adata, **options)
    after = snapshot(adata)
    assert {part for part in ("X", "counts") if not same(before[part], after[part])} == changing


@pytest.mark.filterwarnings("ignore:Some cells have zero counts")
@pytest.mark.parametrize(
    ("function", "options"),
    [
        ("normalize_total", {"inplace": False}),
        ("normalize_total", {"inplace": False, "key_added": "factor", "layer": "counts"}),
        ("calculate_qc_metrics", {"percent_top": [5]}),
        ("filter_cells", {"inplace": False, "min_genes": 30}),
        ("filter_genes", {"inplace": False, "max_counts": 280}),
        ("highly_variable_genes", {"inplace": False, "subset": True, "n_top_genes": 10}),
    ],
)
def test_what_is_returned_is_not_put_into_the_dataset(stored, snapshot, function, options):
    adata = stored.lazy()
    before = snapshot(adata)
    assert getattr(pp, function)(adata, **options) is not None
    after = snapshot(adata)
    assert all(same(before[part], after[part]) for part in before)


def test_normalized_values_are_returned_with_their_factors(stored, values):
    adata = stored.lazy()
    pp.filter_cells(adata, min_counts=1)
    result = pp.normalize_total(adata, target_sum=50, inplace=False)
    counts = values(adata.X)
    np.testing.assert_allclose(result["norm_factor"], counts.sum(axis=1) / 50, rtol=1e-6)
    np.testing.assert_allclose(values(result["X"]).sum(axis=1), 50, rtol=1e-5)


def test_a_transformation_reads_nothing(stored):
    def read(*_, **__):
        raise AssertionError("the data were read")

    adata = stored.lazy()
    with dask.config.set(scheduler=read):
        pp.normalize_total(adata, target_sum=1e4)
        pp.log1p(adata)
        with pytest.raises(AssertionError, match="were read"):
            pp.scale(adata)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda adata: pp.normalize_total(adata, copy=True, inplace=False), "choose one"),
        (lambda adata: pp.normalize_total(adata, max_fraction=2), "max_fraction is 2"),
        (pp.filter_cells, "min_counts, min_genes, .* not 0"),
        (lambda adata: pp.filter_genes(adata, min_cells=1, max_cells=2), "not 2 of them"),
        (lambda adata: pp.pca(adata, svd_solver="arpack"), "only 'covariance_eigh'"),
        (lambda adata: pp.pca(adata, n_comps=121), "120 components"),
        (lambda adata: pp.pca(adata, mask_var="absent"), "no such column"),
        (lambda adata: pp.pca(adata, mask_var=np.ones(3, dtype=bool)), "each of 120 genes"),
        (lambda adata: pp.highly_variable_genes(adata, flavor="cell_ranger"), "only 'seurat'"),
    ],
)
def test_a_call_that_makes_no_sense_says_so_and_changes_nothing(stored, snapshot, call, message):
    adata = stored.lazy()
    before = snapshot(adata)
    with pytest.raises(ValueError, match=message):
        call(adata)
    after = snapshot(adata)
    assert all(same(before[part], after[part]) for part in before)


def test_more_top_genes_than_there_are_is_an_error(stored):
    with pytest.raises(IndexError, match="there are 120 genes"):
        pp.calculate_qc_metrics(stored.lazy())
