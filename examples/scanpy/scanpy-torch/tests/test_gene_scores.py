import numpy as np
import pytest
import scanpy as sc
from anndata import AnnData
from scanpy_torch import tl

CLOSE = {"rtol": 1e-5, "atol": 1e-6}
GENES = [str(number) for number in range(20, 32)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ctrl_as_ref", [True, False])
def test_score_genes_draws_the_genes_that_scanpy_draws(logs, agree, device, seed, ctrl_as_ref):
    options = {"ctrl_size": 3, "n_bins": 6, "random_state": seed, "ctrl_as_ref": ctrl_as_ref}
    expected = sc.tl.score_genes(logs, GENES, copy=True, **options)
    assert tl.score_genes(logs, GENES, device=device, **options) is None
    agree(expected, logs, **CLOSE)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"layer": "twice"},
        {"score_name": "mine"},
        {"gene_pool": [str(number) for number in range(15, 90)], "n_bins": 5},
    ],
)
def test_score_genes_takes_the_options_of_scanpy(logs, agree, device, options):
    expected = sc.tl.score_genes(logs, GENES, copy=True, **options)
    tl.score_genes(logs, GENES, device=device, **options)
    agree(expected, logs, **CLOSE)


@pytest.mark.parametrize("use_raw", [None, True, False])
def test_score_genes_reads_raw_by_the_rule_of_scanpy(pbmc, agree, device, use_raw):
    genes = pbmc.var_names[10:20]
    expected = sc.tl.score_genes(pbmc, genes, use_raw=use_raw, copy=True)
    tl.score_genes(pbmc, genes, use_raw=use_raw, device=device)
    agree(expected, pbmc, **CLOSE)


def test_another_seed_gives_other_scores(logs):
    for seed, name in enumerate(["zero", "one"]):
        tl.score_genes(logs, GENES, ctrl_size=3, n_bins=6, random_state=seed, score_name=name)
    assert not np.allclose(logs.obs["zero"], logs.obs["one"])


def test_without_a_seed_genes_are_drawn_from_the_generator_of_numpy(logs, agree):
    found = []
    for module in (sc.tl, tl):
        np.random.seed(7)  # noqa: NPY002  the generator in question
        options = {"ctrl_size": 3, "n_bins": 6, "random_state": None, "copy": True}
        found.append(module.score_genes(logs, GENES, **options))
    agree(*found, **CLOSE)


def test_a_seed_leaves_the_generator_of_numpy_alone(logs):
    before = np.random.get_state()[1:]  # noqa: NPY002  the generator in question
    tl.score_genes(logs, GENES, ctrl_size=3, n_bins=6, random_state=1)
    after = np.random.get_state()[1:]  # noqa: NPY002
    assert before[1:] == after[1:]
    np.testing.assert_array_equal(before[0], after[0])


def test_missing_values_are_passed_over(logs, agree, device):
    values = logs.X if isinstance(logs.X, np.ndarray) else logs.X.data
    values.ravel()[::17] = np.nan
    expected = sc.tl.score_genes(logs, GENES, ctrl_size=3, n_bins=6, copy=True)
    tl.score_genes(logs, GENES, ctrl_size=3, n_bins=6, device=device)
    assert logs.obs["score"].notna().all()
    agree(expected, logs, **CLOSE)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of a mean of nothing
def test_a_gene_without_any_value_is_never_drawn(logs, agree, device):
    x = logs.X.toarray() if hasattr(logs.X, "toarray") else logs.X
    x[:, 60] = np.nan
    logs.X = type(logs.X)(x) if x is not logs.X else x
    expected = sc.tl.score_genes(logs, GENES, ctrl_size=20, n_bins=3, copy=True)
    tl.score_genes(logs, GENES, ctrl_size=20, n_bins=3, device=device)
    assert logs.obs["score"].notna().all()
    agree(expected, logs, **CLOSE)


def test_genes_of_equal_expression_share_a_bin_as_they_do_in_scanpy(agree, device):
    adata = AnnData(np.random.RandomState(0).poisson(0.3, (12, 150)).astype("float32"))
    options = {"ctrl_size": 4, "n_bins": 12}
    expected = sc.tl.score_genes(adata, GENES, copy=True, **options)
    tl.score_genes(adata, GENES, device=device, **options)
    agree(expected, adata, **CLOSE)


def test_genes_that_are_not_in_the_data_are_passed_over(logs, agree, caplog):
    expected = sc.tl.score_genes(logs, [*GENES, "absent"], copy=True)
    tl.score_genes(logs, [*GENES, "absent"])
    agree(expected, logs, **CLOSE)
    assert "absent" in caplog.text


def test_score_genes_leaves_the_original_of_a_copy_alone(logs, agree):
    before = logs.copy()
    tl.score_genes(logs, GENES, copy=True)
    agree(before, logs)


@pytest.mark.parametrize(
    ("genes", "options", "error"),
    [
        (["absent"], {}, ValueError),
        (GENES, {"gene_pool": ["absent"]}, ValueError),
        (GENES, {"gene_pool": ["1", "2", "3"]}, KeyError),
        (GENES, {"gene_pool": GENES, "n_bins": 3}, RuntimeError),
    ],
)
def test_score_genes_refuses_what_scanpy_refuses(logs, genes, options, error):
    for module in (sc.tl, tl):
        with pytest.raises(error):
            module.score_genes(logs, genes, **options)
