import numpy as np
import pytest
import scanpy as sc
from scanpy_torch import pp
from scipy import sparse


@pytest.mark.parametrize("options", [{}, {"base": 2}, {"layer": "twice"}])
def test_log1p_agrees_with_scanpy(counts, agree, device, options):
    expected = sc.pp.log1p(counts, copy=True, **options)
    assert pp.log1p(counts, device=device, **options) is None
    agree(expected, counts)


@pytest.mark.parametrize("kind", ["float64", "int32"])
def test_log1p_keeps_double_precision_and_makes_integers_floating(counts, agree, device, kind):
    counts.X = counts.X.astype(kind)
    expected = sc.pp.log1p(counts, copy=True)
    pp.log1p(counts, device=device)
    agree(expected, counts, rtol=1e-13)


def test_log1p_reads_obsm(counts, agree, device):
    counts.obsm["protein"] = np.arange(600.0).reshape(300, 2)
    expected = sc.pp.log1p(counts, obsm="protein", copy=True)
    pp.log1p(counts, obsm="protein", device=device)
    agree(expected, counts)


def test_log1p_leaves_the_original_of_a_copy_alone(counts, agree, device):
    before = counts.copy()
    agree(sc.pp.log1p(counts.copy(), copy=True), pp.log1p(counts, copy=True, device=device))
    agree(before, counts)


def test_log1p_leaves_a_layer_alone_that_shares_memory_with_x(counts, agree, device):
    counts.layers["counts"] = counts.X
    before = counts.X.copy()
    pp.log1p(counts, device=device)
    agree(before, counts.layers["counts"])


def test_log1p_of_a_view_leaves_its_parent_alone(counts, agree, device):
    before = counts.copy()
    view = counts[:50]
    pp.log1p(view, device=device)
    agree(before, counts)
    agree(sc.pp.log1p(before[:50].copy(), copy=True), view)


def test_log1p_writes_into_a_matrix_unless_a_copy_is_asked_for(counts, agree, device):
    x = counts.X
    before = x.copy()
    expected = sc.pp.log1p(x.copy())
    agree(expected, pp.log1p(x, copy=True, device=device))
    agree(before, x)
    assert pp.log1p(x, device=device) is x
    agree(expected, x)


def test_log1p_reads_arrays_that_torch_cannot_share_memory_with(device):
    x = np.arange(6.0).reshape(2, 3)[::-1]
    x.flags.writeable = False
    np.testing.assert_allclose(pp.log1p(x, copy=True, device=device), np.log1p(x))


def test_log1p_of_a_second_time_is_remarked_on(counts, caplog):
    pp.log1p(counts)
    assert not caplog.records
    pp.log1p(counts)
    assert "log-transformed already" in caplog.text


def test_log1p_of_a_matrix_has_no_layers():
    with pytest.raises(TypeError, match="belong to an AnnData"):
        pp.log1p(np.ones((2, 2)), layer="twice")


def test_a_matrix_in_coordinate_format_is_named_in_the_complaint():
    with pytest.raises(TypeError, match="coo_matrix"):
        pp.log1p(sparse.coo_matrix(np.ones((2, 2))))
