import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from scanpy_torch import tl

CLOSE = {"rtol": 1e-4, "atol": 1e-12}


def by_gene(adata, key="rank_genes_groups"):
    """Put genes of equal score in one order, that of their names."""
    stored = adata.uns[key]
    fields = ["names", "scores", "pvals", "pvals_adj", "logfoldchanges"]
    for group in stored["names"].dtype.names:
        table = pd.DataFrame({field: stored[field][group] for field in fields})
        assert table["scores"].abs().is_monotonic_decreasing or (
            table["scores"].is_monotonic_decreasing
        )
        table = table.sort_values("names")
        for field in fields:
            stored[field][group] = table[field]
    return adata


@pytest.mark.parametrize("method", ["t-test", "t-test_overestim_var"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"layer": "twice"},
        {"reference": "two"},
        {"groups": ["three", "one"]},
        {"groups": ["three"], "reference": "one"},
        {"corr_method": "bonferroni"},
        {"mask_var": "chosen"},
        {"mask_var": np.arange(120) > 40},
        {"pts": True},
        {"pts": True, "reference": "three"},
        {"key_added": "mine"},
    ],
)
def test_rank_genes_groups_agrees_with_scanpy(logs, agree, device, method, options):
    expected = sc.tl.rank_genes_groups(logs, "group", method=method, copy=True, **options)
    assert tl.rank_genes_groups(logs, "group", method=method, device=device, **options) is None
    key = options.get("key_added", "rank_genes_groups")
    agree(by_gene(expected, key), by_gene(logs, key), **CLOSE)


@pytest.mark.parametrize("rankby_abs", [True, False])
def test_the_first_genes_are_those_of_scanpy_in_their_order(logs, agree, device, rankby_abs):
    options = {"n_genes": 25, "rankby_abs": rankby_abs}
    expected = sc.tl.rank_genes_groups(logs, "group", copy=True, **options)
    tl.rank_genes_groups(logs, "group", device=device, **options)
    agree(expected, logs, **CLOSE)


@pytest.mark.filterwarnings("ignore:invalid value encountered in log2:RuntimeWarning")
@pytest.mark.parametrize("use_raw", [None, True, False])
def test_rank_genes_groups_reads_raw_by_the_rule_of_scanpy(pbmc, agree, device, use_raw):
    spreads = pbmc.to_df().groupby(pbmc.obs["bulk_labels"], observed=True).std()
    # Where a gene does not vary in a group, the variance that scanpy finds may be below zero.
    options = {"use_raw": use_raw, "mask_var": (spreads > 0.01).all().to_numpy()}
    expected = sc.tl.rank_genes_groups(pbmc, "bulk_labels", copy=True, **options)
    tl.rank_genes_groups(pbmc, "bulk_labels", device=device, **options)
    agree(by_gene(expected), by_gene(pbmc), **CLOSE)


def test_scanpy_reads_the_result(logs):
    tl.rank_genes_groups(logs, "group", pts=True)
    table = sc.get.rank_genes_groups_df(logs, group="one")
    assert table["pct_nz_group"].between(0, 1).all()
    assert table["names"][0] in {str(number) for number in range(10)}


def test_fold_changes_undo_the_logarithm_that_was_taken(counts, agree, device):
    sc.pp.log1p(counts, base=2)
    expected = sc.tl.rank_genes_groups(counts, "group", copy=True)
    tl.rank_genes_groups(counts, "group", device=device)
    agree(by_gene(expected), by_gene(counts), **CLOSE)


def test_strings_become_categories_as_they_do_in_scanpy(logs, agree, device):
    logs.obs["group"] = logs.obs["group"].astype(str)
    expected = sc.tl.rank_genes_groups(logs, "group", copy=True)
    tl.rank_genes_groups(logs, "group", device=device)
    agree(by_gene(expected), by_gene(logs), **CLOSE)


def test_cells_without_a_group_are_part_of_the_rest(logs, agree, device):
    logs.obs.loc[logs.obs_names[::7], "group"] = np.nan
    expected = sc.tl.rank_genes_groups(logs, "group", pts=True, copy=True)
    tl.rank_genes_groups(logs, "group", pts=True, device=device)
    agree(by_gene(expected), by_gene(logs), **CLOSE)


def test_a_gene_that_is_never_seen_scores_zero(logs, device):
    tl.rank_genes_groups(logs, "group", device=device)
    stored = logs.uns["rank_genes_groups"]
    for group in ("one", "two", "three"):
        (place,) = np.flatnonzero(stored["names"][group] == "7")
        assert stored["scores"][group][place] == 0
        assert stored["pvals"][group][place] == 1


def test_rank_genes_groups_leaves_the_original_of_a_copy_alone(logs, agree, device):
    before = logs.copy()
    tl.rank_genes_groups(logs, "group", copy=True, device=device)
    agree(before, logs)


def test_raw_counts_are_remarked_on(counts, caplog):
    tl.rank_genes_groups(counts, "group")
    assert "raw counts" in caplog.text


@pytest.mark.parametrize(
    "options",
    [
        {"method": "magic"},
        {"corr_method": "magic"},
        {"reference": "four"},
        {"groups": "one"},
        {"groups": ["lonely"]},
        {"use_raw": True},
        {"mask_var": "absent"},
    ],
)
def test_rank_genes_groups_refuses_what_scanpy_refuses(logs, options):
    logs.obs["group"] = logs.obs["group"].cat.add_categories("lonely")
    logs.obs.iloc[0, logs.obs.columns.get_loc("group")] = "lonely"
    for module in (sc.tl, tl):
        with pytest.raises(ValueError):  # noqa: PT011  each words it in its own way
            module.rank_genes_groups(logs, "group", **options)


def test_a_layer_beside_raw_is_refused_as_it_is_in_scanpy(logs):
    logs.raw = logs.copy()
    for module in (sc.tl, tl):
        with pytest.raises(ValueError, match="layer"):
            module.rank_genes_groups(logs, "group", layer="twice")
