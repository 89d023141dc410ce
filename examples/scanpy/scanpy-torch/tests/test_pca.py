import numpy as np
import pytest
import scanpy as sc
from scanpy_torch import pp
from scipy import sparse

SOLVERS = ["auto", "arpack", "covariance_eigh", "full"]


def assert_same_components(expected, found, tolerance, key=None):
    """Compare every component by its own size, and the variances by theirs."""
    coordinates, loadings, uns = ("X_pca", "PCs", "pca") if key is None else (key,) * 3
    for part, name in (("obsm", coordinates), ("varm", loadings)):
        one, other = getattr(expected, part)[name], getattr(found, part)[name]
        assert one.dtype == other.dtype
        np.testing.assert_allclose(other, one, rtol=0, atol=tolerance * abs(one).max(0).min())
    for name in ("variance", "variance_ratio"):
        one, other = expected.uns[uns][name], found.uns[uns][name]
        assert one.dtype == other.dtype
        np.testing.assert_allclose(other, one, rtol=tolerance)
    one, other = (adata.uns[uns]["params"] for adata in (expected, found))
    assert one.keys() == other.keys()
    for name in one.keys() - {"use_highly_variable"}:  # scanpy compares it with arrays, too
        assert np.array_equal(one[name], other[name])
    assert np.all(one["use_highly_variable"]) == other["use_highly_variable"]


@pytest.mark.parametrize("svd_solver", SOLVERS)
def test_pca_agrees_with_scanpy_in_single_precision(logs, device, svd_solver):
    expected = sc.pp.pca(logs, 15, copy=True)
    assert pp.pca(logs, 15, svd_solver=svd_solver, device=device) is None
    assert_same_components(expected, logs, 1e-3)


@pytest.mark.parametrize("svd_solver", SOLVERS)
@pytest.mark.parametrize("zero_center", [True, False])
def test_pca_agrees_with_scanpy_in_double_precision(logs, device, svd_solver, zero_center):
    logs.X = logs.X.astype("float64")
    options = {"n_comps": 15, "zero_center": zero_center, "dtype": "float64"}
    expected = sc.pp.pca(logs, svd_solver="arpack", copy=True, **options)
    pp.pca(logs, svd_solver=svd_solver, device=device, **options)
    assert_same_components(expected, logs, 1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"layer": "twice"},
        {"key_added": "mine"},
        {"mask_var": "chosen"},
        {"mask_var": np.arange(120) < 60},
        {"dtype": "float64"},
        {"n_comps": 4},
    ],
)
def test_pca_takes_the_options_of_scanpy(logs, device, options):
    options = {"n_comps": 10} | options
    expected = sc.pp.pca(logs, copy=True, **options)
    pp.pca(logs, device=device, **options)
    assert_same_components(expected, logs, 1e-3, options.get("key_added"))


def test_pca_uses_highly_variable_genes_where_they_are_marked(pbmc, device):
    expected = sc.pp.pca(pbmc, copy=True)
    found = pp.pca(pbmc, copy=True, device=device)
    assert found.uns["pca"]["params"]["mask_var"] == "highly_variable"
    assert_same_components(expected, found, 1e-3)


def test_pca_uses_all_genes_when_told_so(pbmc, device):
    expected = sc.pp.pca(pbmc, 20, mask_var=None, copy=True)
    found = pp.pca(pbmc, 20, mask_var=None, copy=True, device=device)
    assert found.varm["PCs"].all()
    assert_same_components(expected, found, 1e-3)


def test_an_unknown_marker_for_the_mask_means_that_none_was_given(pbmc):
    marker = __import__("enum").Enum("Marker", "unset").unset
    pp.pca(pbmc, 5, mask_var=marker)
    assert pbmc.uns["pca"]["params"]["mask_var"] == "highly_variable"


def test_pca_leaves_the_original_of_a_copy_alone(pbmc, agree, device):
    before = pbmc.copy()
    pp.pca(pbmc, 5, copy=True, device=device)
    agree(before, pbmc)


def test_pca_of_a_small_matrix_takes_one_component_less_than_it_could(device):
    x = np.random.RandomState(0).rand(20, 8)
    np.testing.assert_allclose(pp.pca(x, device=device), sc.pp.pca(x), rtol=1e-5, atol=1e-7)
    assert pp.pca(x, device=device).shape == (20, 7)


def test_pca_of_a_matrix_returns_what_scanpy_returns(logs, device):
    expected = sc.pp.pca(logs.X, 5, return_info=True)
    found = pp.pca(logs.X, 5, return_info=True, device=device)
    assert len(expected) == len(found)
    for one, other in zip(expected, found, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-3 * abs(one).max())


def test_a_matrix_with_more_genes_than_a_covariance_holds_is_left_to_arpack(device):
    random = np.random.RandomState(0)
    x = sparse.random(60, 5000, 0.05, "csr", random_state=random)
    x.data[:] *= 5
    expected, found = (pp.pca(x, 4, svd_solver=name, device=device) for name in (None, "arpack"))
    np.testing.assert_array_equal(expected, found)
    np.testing.assert_allclose(found, sc.pp.pca(x, 4), rtol=1e-4, atol=1e-5)


def test_the_start_vector_of_arpack_is_the_one_of_the_seed(logs, device):
    options = {"svd_solver": "arpack", "device": device}
    first, second, other = (
        pp.pca(logs.X.astype("float64"), 5, random_state=seed, dtype="float64", **options)
        for seed in (1, np.random.RandomState(1), None)
    )
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, other, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("n_comps", [0, 121])
def test_pca_complains_of_more_components_than_there_are(logs, n_comps):
    with pytest.raises(ValueError, match=f"n_comps={n_comps}"):
        pp.pca(logs, n_comps)


def test_pca_complains_of_an_unknown_solver(logs):
    with pytest.raises(ValueError, match="'lobpcg' is not one of"):
        pp.pca(logs, svd_solver="lobpcg")
