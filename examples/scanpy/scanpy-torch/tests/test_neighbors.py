import numpy as np
import pytest
import scanpy as sc
from anndata import AnnData
from scanpy_torch import pp

CLOSE = {"rtol": 1e-5, "atol": 1e-4}  # of weights, none of which is above one


def assert_same_distances(expected, found, key="distances"):
    one, other = (adata.obsp[key].toarray() for adata in (expected, found))
    np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6)


def in_double_precision(adata):
    """Let scanpy store what it computes in single precision as this package does."""
    for graph in adata.obsp:
        if graph.endswith("distances"):
            adata.obsp[graph] = adata.obsp[graph].astype("float64")
    return adata


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"n_neighbors": 5},
        {"n_pcs": 10},
        {"n_pcs": 0},
        {"use_rep": "X_umap"},
        {"use_rep": "X_pca", "n_pcs": 7},
        {"use_rep": "X"},
        {"key_added": "mine"},
        {"random_state": 3},
    ],
)
def test_neighbors_agrees_with_scanpy(pbmc, agree, device, options):
    expected = sc.pp.neighbors(pbmc, copy=True, **options)
    assert pp.neighbors(pbmc, device=device, **options) is None
    agree(in_double_precision(expected), pbmc, **CLOSE)
    key = options.get("key_added", "neighbors")
    assert_same_distances(expected, pbmc, pbmc.uns[key]["distances_key"])


@pytest.mark.parametrize(
    "metric",
    ["l2", "sqeuclidean", "cosine", "correlation", "manhattan", "cityblock", "l1", "chebyshev"],
)
def test_neighbors_knows_the_metrics_of_scanpy(pbmc, agree, device, metric):
    expected = sc.pp.neighbors(pbmc, metric=metric, copy=True)
    pp.neighbors(pbmc, metric=metric, device=device)
    agree(in_double_precision(expected), pbmc, **CLOSE)
    assert_same_distances(expected, pbmc)


@pytest.mark.filterwarnings("ignore:Parameter p is found:SyntaxWarning")  # from scikit-learn
def test_neighbors_passes_on_the_options_of_a_metric(pbmc, agree, device):
    options = {"metric": "minkowski", "metric_kwds": {"p": 3}}
    expected = sc.pp.neighbors(pbmc, copy=True, **options)
    pp.neighbors(pbmc, device=device, **options)
    agree(in_double_precision(expected), pbmc, **CLOSE)


@pytest.mark.parametrize("n_neighbors", [4, 15])
def test_gaussian_weights_agree_with_scanpy(pbmc, agree, device, n_neighbors):
    expected = sc.pp.neighbors(pbmc, n_neighbors, method="gauss", copy=True)
    pp.neighbors(pbmc, n_neighbors, method="gauss", device=device)
    agree(expected, pbmc, rtol=1e-5, atol=1e-6)


def test_neighbors_leaves_the_original_of_a_copy_alone(pbmc, agree, device):
    before = pbmc.copy()
    pp.neighbors(pbmc, copy=True, device=device)
    agree(before, pbmc)


def test_neighbors_reads_sparse_data_of_few_genes(counts, agree, device):
    few = counts[:, :20].copy()
    few.X = few.X * np.float32(1.1)
    expected = sc.pp.neighbors(few, copy=True)
    pp.neighbors(few, device=device)
    degrees = [np.sort(found.obsp["distances"].toarray(), 1) for found in (expected, few)]
    np.testing.assert_allclose(*degrees, atol=1e-4)  # counts tie, so that neighbours may differ


def test_missing_principal_components_are_computed_and_said(logs, agree, device):
    with pytest.warns(UserWarning, match="X_pca"):
        pp.neighbors(logs, device=device)
    again = logs.copy()
    pp.neighbors(again, device=device)
    assert logs.obsm["X_pca"].shape == (300, 50)
    agree(again, logs)


def test_duplicates_are_neighbours_at_distance_zero(device):
    points = np.repeat(np.random.RandomState(0).rand(6, 3) + 100, 2, axis=0)
    adata = AnnData(points)
    pp.neighbors(adata, 2, device=device)
    distances = adata.obsp["distances"]
    assert distances.indices.tolist() == [1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10]
    assert not distances.data.any()
    assert (adata.obsp["connectivities"].data == 1).all()


@pytest.mark.parametrize("offsets", [(0, 1e6), (1e8, 1e8)])
def test_neighbours_are_exact_far_from_the_origin(device, offsets):
    points = np.random.RandomState(0).rand(60, 3)
    points += np.repeat(offsets, 30)[:, None]
    adata = AnnData(points)
    pp.neighbors(adata, 10, device=device)
    graph = adata.obsp["distances"]
    exact = np.sort(np.linalg.norm(points[:, None] - points, axis=2), 1)[:, 1:10]
    np.testing.assert_allclose(graph.data.reshape(60, 9), exact)


def test_a_ring_of_equal_distances_still_leaves_weight_for_those_just_behind(agree, device):
    angles = np.arange(16) * np.pi / 8
    radii = np.where(np.arange(16) < 10, 1, 1.0005)
    ring = np.c_[np.cos(angles), np.sin(angles)] * radii[:, None]
    adata = AnnData(np.r_[[[0.0, 0.0]], ring])
    expected = sc.pp.neighbors(adata, 17, copy=True)
    pp.neighbors(adata, 17, device=device)
    weights = adata.obsp["connectivities"].toarray()
    assert 0.1 < weights[0, 16] < 1
    np.testing.assert_allclose(weights, expected.obsp["connectivities"].toarray(), atol=1e-4)


def test_a_cell_without_counts_is_far_from_the_others_by_cosine(device):
    adata = AnnData(np.array([[0.0, 0], [1, 0], [1, 0.1], [0, 1], [0.1, 1]]))
    expected = sc.pp.neighbors(adata, 3, metric="cosine", copy=True).obsp["distances"]
    pp.neighbors(adata, 3, metric="cosine", device=device)
    np.testing.assert_allclose(adata.obsp["distances"].toarray()[1:], expected.toarray()[1:])
    np.testing.assert_allclose(adata.obsp["distances"][0].data, 1)


def test_too_few_cells_have_fewer_neighbours(agree, device, caplog):
    adata = AnnData(np.random.RandomState(0).rand(6, 3))
    expected = sc.pp.neighbors(adata, copy=True)
    pp.neighbors(adata, device=device)
    agree(expected, adata, **CLOSE)
    assert "Too few cells" in caplog.text


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"metric": "jaccard"}, "metric='jaccard' is not one of"),
        ({"method": "rapids"}, "method='rapids' is not one of"),
        ({"metric": "cosine", "metric_kwds": {"p": 1}}, "does not take 'p'"),
        ({"use_rep": "absent"}, "neither 'X' nor in obsm"),
        ({"n_pcs": 51}, "has 50 columns"),
        ({"n_neighbors": 1}, "n_neighbors=1"),
    ],
)
def test_neighbors_complains_of_what_it_does_not_know(pbmc, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        pp.neighbors(pbmc, **options)
