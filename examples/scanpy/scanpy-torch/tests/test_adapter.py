import inspect
import subprocess
import sys
from importlib.metadata import entry_points

import numpy as np
import pytest
import scanpy as sc
import scanpy_torch
import torch
from anndata import AnnData
from scipy import sparse

ADAPTER = "scanpy_torch._backends.scanpy"
FUNCTIONS = [
    (space, function) for space in ("pp", "tl") for function in getattr(scanpy_torch, space).__all__
]


@pytest.fixture
def adapter():
    (entry,) = entry_points(group="scanpy.backends", name="scanpy_torch")
    return entry.load()


def test_the_adapter_is_found_by_its_entry_point(adapter):
    assert adapter.__name__ == ADAPTER
    assert (adapter.name, adapter.aliases) == ("scanpy-torch", ["torch"])
    assert adapter.__all__ == ["pp", "tl"]


def test_the_adapter_offers_every_function_that_it_lists(adapter):
    assert len(FUNCTIONS) == 8
    for space, function in FUNCTIONS:
        assert callable(getattr(getattr(adapter, space), function))


def test_the_adapter_is_imported_without_torch_and_without_scanpy():
    code = f"import sys, {ADAPTER}; print('torch' in sys.modules, 'scanpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(("space", "function"), FUNCTIONS)
def test_parameters_have_the_names_kinds_and_defaults_of_scanpy(space, function):
    ours = inspect.signature(getattr(getattr(scanpy_torch, space), function)).parameters
    theirs = inspect.signature(getattr(getattr(sc, space), function)).parameters
    assert ours.keys() - theirs.keys() == {"device"}
    for name in ours.keys() - {"device", "mask_var"}:  # scanpy's default mask is a private marker
        assert (name, ours[name].kind) == (name, theirs[name].kind)
        assert (name, ours[name].default) == (name, theirs[name].default)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("pp.pca", {"svd_solver": "arpack"}),
        ("pp.pca", {"svd_solver": None}),
        ("pp.neighbors", {"metric": "minkowski", "metric_kwds": {"p": 3}}),
        ("pp.scale", {"mask_obs": "kept", "zero_center": False}),
        ("tl.rank_genes_groups", {"groupby": "group", "method": "t-test"}),
        ("pp.highly_variable_genes", {"flavor": "cell_ranger"}),
        ("tl.score_genes", {"gene_list": ["1"], "use_raw": True}),
        ("pp.log1p", {"layer": "absent"}),  # for the function to complain of
    ],
)
def test_a_call_that_can_be_run_is_taken(adapter, counts, name, arguments):
    if name in ("pp.pca", "pp.log1p", "pp.scale"):
        assert adapter.can_run(name, {"data": counts, **arguments}) is True
    else:
        assert adapter.can_run(name, {"adata": counts, **arguments}) is True


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("pp.pca", {"svd_solver": "lobpcg"}, "svd_solver='lobpcg' is not one of 'auto'"),
        ("pp.neighbors", {"metric": "jaccard"}, "metric='jaccard' is not one of 'euclidean'"),
        ("pp.neighbors", {"metric_kwds": {"w": 1}}, "metric='euclidean' does not take 'w'"),
        ("pp.neighbors", {"method": "rapids"}, "method='rapids' is not one of 'umap', 'gauss'"),
        ("pp.highly_variable_genes", {"flavor": "seurat_v3"}, "flavor='seurat_v3' is not one of"),
        ("tl.rank_genes_groups", {"method": "wilcoxon"}, "method='wilcoxon' is not one of"),
        ("pp.log1p", {"data": [[1, 2]]}, "the data is a builtins.list"),
        ("pp.log1p", {"data": sparse.coo_matrix(np.eye(2))}, "coo_matrix, not a NumPy array"),
        ("pp.scale", {"data": sparse.csr_matrix(np.eye(2)), "mask_obs": [True, False]}, "centring"),
    ],
)
def test_a_call_that_cannot_be_run_is_declined_with_a_reason(adapter, name, arguments, reason):
    assert reason in adapter.can_run(name, arguments)


def test_data_on_disk_is_declined(adapter, tmp_path, counts):
    counts.write_h5ad(tmp_path / "counts.h5ad")
    backed = sc.read_h5ad(tmp_path / "counts.h5ad", backed="r")
    assert "in memory" in adapter.can_run("pp.normalize_total", {"adata": backed})
    assert "in memory" in adapter.can_run("tl.score_genes", {"adata": backed, "gene_list": ["1"]})
    assert adapter.can_run("pp.log1p", {"data": backed, "layer": "twice"}) is True
    backed.file.close()


def test_neighbors_looks_at_the_matrix_that_it_would_search(adapter):
    adata = AnnData(sparse.coo_matrix(np.eye(3)).tocsr())
    adata.obsm["table"] = sc.AnnData(np.eye(3)).to_df()
    adata.obsm["table"].index = adata.obs_names
    assert adapter.can_run("pp.neighbors", {"adata": adata}) is True
    assert "DataFrame" in adapter.can_run("pp.neighbors", {"adata": adata, "use_rep": "table"})


def test_a_device_that_is_not_here_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"device='cuda:0'.*finds no CUDA device"):
        scanpy_torch.pp.log1p(np.eye(2), device="cuda:0")


def test_a_device_without_double_precision_is_refused():
    with pytest.raises(ValueError, match="no double precision"):
        scanpy_torch.pp.log1p(np.eye(2), device="mps")


def test_a_device_may_be_given_as_an_object(device):
    assert scanpy_torch.pp.log1p(np.zeros((1, 1)), device=torch.device(device)) == 0
