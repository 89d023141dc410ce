import numpy as np
import pytest
import scanpy as sc
from scanpy_torch import pp, tl
from scipy import sparse


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_array, sparse.csc_matrix])
def test_other_sparse_layouts_go_through_a_whole_analysis(kind, agree, device):
    x = np.random.RandomState(0).poisson(1.0, (200, 80)).astype("float32")
    x[:100, :5] += 3
    # Scanpy 1.11 takes sparse matrices, but not everywhere sparse arrays.
    expected, found = sc.AnnData(sparse.csr_matrix(x)), sc.AnnData(kind(x))
    for adata, (preprocess, tools, options) in (
        (expected, (sc.pp, sc.tl, {})),
        (found, (pp, tl, {"device": device})),
    ):
        adata.obs["group"] = ["left"] * 100 + ["right"] * 100
        preprocess.normalize_total(adata, **options)
        preprocess.log1p(adata, **options)
        preprocess.highly_variable_genes(adata, **options)
        preprocess.scale(adata, zero_center=False, **options)
        tools.score_genes(adata, list(map(str, range(5))), ctrl_size=5, n_bins=4, **options)
        tools.rank_genes_groups(adata, "group", n_genes=5, **options)
        preprocess.pca(adata, 3, mask_var=None, **options)
        preprocess.neighbors(adata, **options)
    for part in ("obs", "var", "varm", "obsm", "obsp"):
        agree(getattr(expected, part), getattr(found, part), rtol=1e-2, atol=5e-3)
    agree(expected.uns["rank_genes_groups"], found.uns["rank_genes_groups"], rtol=1e-3)
    assert type(found.X).__name__ == kind.__name__.replace("csc", "csr")
    agree(expected.X.toarray(), found.X.toarray(), rtol=1e-4)
