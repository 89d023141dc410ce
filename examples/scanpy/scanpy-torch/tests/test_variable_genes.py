import numpy as np
import pytest
import scanpy as sc
from scanpy_torch import pp

CLOSE = {"rtol": 1e-3, "atol": 1e-5}


@pytest.mark.parametrize("flavor", ["seurat", "cell_ranger"])
@pytest.mark.parametrize(
    "options",
    [{}, {"n_top_genes": 20}, {"layer": "twice"}, {"n_bins": 5}, {"min_mean": 2, "max_mean": 9}],
)
def test_highly_variable_genes_agrees_with_scanpy(logs, agree, device, flavor, options):
    expected = logs.copy()
    sc.pp.highly_variable_genes(expected, flavor=flavor, **options)
    assert pp.highly_variable_genes(logs, flavor=flavor, device=device, **options) is None
    agree(expected, logs, **CLOSE)


def test_highly_variable_genes_undoes_the_logarithm_that_was_taken(counts, agree, device):
    sc.pp.log1p(counts, base=2)
    expected = counts.copy()
    sc.pp.highly_variable_genes(expected)
    pp.highly_variable_genes(counts, device=device)
    agree(expected, counts, **CLOSE)


def test_subsetting_keeps_the_genes_found(logs, agree, device):
    expected = logs.copy()
    sc.pp.highly_variable_genes(expected, n_top_genes=20, subset=True)
    pp.highly_variable_genes(logs, n_top_genes=20, subset=True, device=device)
    assert logs.n_vars == 20
    agree(expected, logs, **CLOSE)


@pytest.mark.parametrize("subset", [True, False])
def test_a_table_is_returned_out_of_place(logs, agree, device, subset):
    before = logs.copy()
    expected = sc.pp.highly_variable_genes(logs.copy(), inplace=False, subset=subset)
    table = pp.highly_variable_genes(logs, inplace=False, subset=subset, device=device)
    binned = [str(found.pop("mean_bin").tolist()) for found in (expected, table)]
    agree(expected, table, **CLOSE)
    assert len(binned[0]) == len(binned[1])
    agree(before, logs)


def test_cutoffs_beside_a_number_of_genes_are_said_to_be_unused(logs):
    with pytest.warns(UserWarning, match="cutoffs are not used"):
        pp.highly_variable_genes(logs, n_top_genes=5, min_mean=1)


def test_more_genes_than_there_are_is_remarked_on(logs):
    with pytest.warns(UserWarning, match="n_top_genes=500"):
        pp.highly_variable_genes(logs, n_top_genes=500)
    assert np.count_nonzero(logs.var["highly_variable"]) == 119  # one gene is never seen


def test_highly_variable_genes_complains_of_an_unknown_flavor(logs):
    with pytest.raises(ValueError, match="'seurat_v3' is not one of"):
        pp.highly_variable_genes(logs, flavor="seurat_v3")
