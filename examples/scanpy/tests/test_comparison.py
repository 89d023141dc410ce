"""The comparison notices what differs, and the provenance what ran."""

from __future__ import annotations

import json

import dask.array as da
import numpy as np
import pytest
import scanpy as sc
from comparison import largest_difference
from provenance import save_and_read_back


def test_equal_data_have_no_difference(counts):
    assert largest_difference(counts, counts.copy(), ["X", "obs", "layers/twice"]) == "none"


@pytest.mark.parametrize("as_held", [np.asarray, da.from_array])
def test_a_number_that_differs_is_a_share_of_the_largest(counts, as_held):
    one, other = counts.X.toarray(), counts.X.toarray()
    one[0, 0], other[0, 0] = 0, one.max() / 2
    other = as_held(other)
    pair = [counts.copy(), counts.copy()]
    pair[0].X, pair[1].X = one, other
    assert largest_difference(*pair, ["X"]) == "5e-01"


def test_a_sparse_matrix_is_compared_with_a_dense_one(counts):
    dense = counts.copy()
    dense.X = counts.X.toarray()
    assert largest_difference(counts, dense, ["X"]) == "none"


def test_values_that_are_no_numbers_are_counted(counts):
    other = counts.copy()
    other.obs["group"] = np.roll(counts.obs["group"].astype(str), 1)
    assert largest_difference(counts, other, ["obs"]).endswith(" values")


def test_missing_values_and_infinities_agree_with_themselves_only(counts):
    other = counts.copy()
    counts.obs["score"] = [np.nan, np.inf] * 200
    other.obs["score"] = [np.nan, np.inf] * 200
    assert largest_difference(counts, other, ["obs/score"]) == "none"
    other.obs["score"] = [1.0, np.inf] * 200
    assert largest_difference(counts, other, ["obs/score"]) == "inf"


def test_other_shapes_are_named(counts):
    assert largest_difference(counts, counts[:9], ["X"]) == "X: (400, 90) and (9, 90)"


def test_provenance_is_kept_with_the_data(counts, tmp_path):
    with sc.settings.trace() as trace, sc.settings.use_backend("dask", fallback="silent"):
        sc.pp.regress_out(counts, "group", n_jobs=1)
    path = save_and_read_back(counts, trace, tmp_path / "cells.h5ad")
    found = sc.read_h5ad(path).uns["scverse_backends"]
    assert found["versions"]["scanpy-dask"] == "0.1.0"
    assert found["host"] == "scanpy"
    assert found["backends"]["cpu"]["functions"].tolist() == ["pp.regress_out"]
    assert found["fallbacks"]["pp.regress_out"].tolist() == ["scanpy-dask does not implement it"]
    (record,) = json.loads(found["calls"])["records"]
    assert record["outcome"] == "returned"
    (refusal,) = record["refusals"]
    assert refusal == {
        "backend": "scanpy-dask",
        "reason": "does not implement it",
        "kind": "cannot-run",
    }
