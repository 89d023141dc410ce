import anndata
import numpy as np
import pytest
import scanpy as sc
from scanpy_torch import pp


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"target_sum": 1e4},
        {"key_added": "factor"},
        {"layer": "twice"},
        {"exclude_highly_expressed": True, "max_fraction": 0.1},
        {"exclude_highly_expressed": True, "max_fraction": 1},
    ],
)
def test_normalize_total_agrees_with_scanpy(counts, agree, device, options):
    expected = sc.pp.normalize_total(counts, copy=True, **options)
    assert pp.normalize_total(counts, device=device, **options) is None
    agree(expected, counts)


@pytest.mark.parametrize("kind", ["float64", "int64"])
def test_normalize_total_takes_other_types(counts, agree, device, kind):
    counts.X = counts.X.astype(kind)
    expected = sc.pp.normalize_total(counts, copy=True)
    pp.normalize_total(counts, device=device)
    agree(expected, counts)


def test_excluding_genes_changes_the_totals(counts):
    plain = pp.normalize_total(counts, inplace=False)["norm_factor"]
    options = {"exclude_highly_expressed": True, "max_fraction": 0.1}
    assert not np.allclose(
        plain, pp.normalize_total(counts, inplace=False, **options)["norm_factor"]
    )


def test_normalize_total_out_of_place_returns_what_scanpy_returns(counts, agree, device):
    before = counts.copy()
    expected = sc.pp.normalize_total(counts.copy(), inplace=False)
    agree(expected, pp.normalize_total(counts, inplace=False, device=device))
    agree(before, counts)


def test_normalize_total_leaves_the_original_of_a_copy_alone(counts, agree, device):
    before = counts.copy()
    expected = sc.pp.normalize_total(counts.copy(), copy=True)
    agree(expected, pp.normalize_total(counts, copy=True, device=device))
    agree(before, counts)


def test_empty_cells_stay_empty_are_warned_about_and_do_not_move_the_target(counts, device):
    full = pp.normalize_total(counts, inplace=False, device=device)["norm_factor"]
    empty = counts.copy()
    empty.X = 0 * counts.X
    padded = anndata.concat([counts, empty], index_unique="-")
    with pytest.warns(UserWarning, match="zero counts"):
        result = pp.normalize_total(padded, inplace=False, device=device)
    np.testing.assert_allclose(result["norm_factor"], np.r_[full, 0 * full])
    assert abs(result["X"][300:]).max() == 0


@pytest.mark.parametrize(
    ("options", "complaint"),
    [({"copy": True, "inplace": False}, "Choose one"), ({"max_fraction": 2}, "between 0 and 1")],
)
def test_normalize_total_refuses_what_scanpy_refuses(counts, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        pp.normalize_total(counts, **options)
    with pytest.raises(ValueError):  # noqa: PT011  scanpy words it in its own way
        sc.pp.normalize_total(counts, **options)
