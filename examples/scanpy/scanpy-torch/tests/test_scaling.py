import numpy as np
import pytest
import scanpy as sc
from scanpy_torch import pp
from scipy import sparse

pytestmark = pytest.mark.filterwarnings("ignore:zero-centering a sparse:UserWarning")

CLOSE = {"rtol": 1e-4, "atol": 1e-6}


@pytest.mark.parametrize("zero_center", [True, False])
@pytest.mark.parametrize("max_value", [None, 1.5])
def test_scale_agrees_with_scanpy(logs, agree, device, zero_center, max_value):
    options = {"zero_center": zero_center, "max_value": max_value}
    expected = sc.pp.scale(logs, copy=True, **options)
    assert pp.scale(logs, device=device, **options) is None
    agree(expected, logs, **CLOSE)


def test_scale_reads_a_layer(logs, agree, device):
    expected = sc.pp.scale(logs, layer="twice", copy=True)
    pp.scale(logs, layer="twice", device=device)
    agree(expected, logs, **CLOSE)


@pytest.mark.parametrize("by_name", [True, False])
def test_scale_learns_from_and_changes_the_masked_cells_only(logs, agree, device, by_name):
    if sparse.issparse(logs.X):
        logs.X = logs.X.tocsr()  # what scanpy turns it into
    mask = "kept" if by_name else logs.obs["kept"].to_numpy()
    options = {"mask_obs": mask, "zero_center": not sparse.issparse(logs.X)}
    expected = sc.pp.scale(logs, copy=True, **options)
    pp.scale(logs, device=device, **options)
    agree(expected, logs, **CLOSE)


def test_scale_makes_integers_double_precision(counts, agree, device):
    counts.X = counts.X.astype("int64")
    expected = sc.pp.scale(counts, copy=True)
    pp.scale(counts, device=device)
    agree(expected, counts, rtol=1e-10, atol=1e-12)


def test_scale_leaves_the_original_of_a_copy_alone(logs, agree, device):
    before = logs.copy()
    expected = sc.pp.scale(logs.copy(), copy=True)
    agree(expected, pp.scale(logs, copy=True, device=device), **CLOSE)
    agree(before, logs)


def test_scale_writes_into_a_matrix_unless_a_copy_is_asked_for(logs, agree, device):
    x = logs.X
    before = x.copy()
    expected = sc.pp.scale(x.copy(), zero_center=False)
    agree(expected, pp.scale(x, zero_center=False, copy=True, device=device), **CLOSE)
    agree(before, x)
    assert pp.scale(x, zero_center=False, device=device) is x
    agree(expected, x, **CLOSE)


def test_a_gene_that_does_not_vary_becomes_zero(device):
    x = np.full((5, 2), 1.1, dtype="float32")
    x[:, 1] = np.arange(5)
    scaled = pp.scale(x, device=device)
    assert not scaled[:, 0].any()
    np.testing.assert_allclose(scaled[:, 1].std(ddof=1), 1, rtol=1e-6)


def test_centring_says_that_it_makes_a_sparse_matrix_dense():
    x = sparse.csr_matrix(np.eye(3))
    with pytest.warns(UserWarning, match="makes it dense") as caught:
        pp.scale(x)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("mask", ["absent", [True, False], np.ones(300)])
def test_scale_complains_of_a_mask_that_does_not_fit(logs, mask):
    with pytest.raises(ValueError, match="mask_obs"):
        pp.scale(logs, mask_obs=mask)


def test_scale_of_a_matrix_has_no_layers():
    with pytest.raises(TypeError, match="belongs to an AnnData"):
        pp.scale(np.ones((2, 2)), layer="twice")
