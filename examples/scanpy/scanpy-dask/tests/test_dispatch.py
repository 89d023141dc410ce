"""A host that dispatches scanpy's functions reaches this package, and what it declines."""

import numpy as np
import pytest
import scanpy as sc
from scverse_backends import BackendDispatcher
from scverse_backends.exceptions import BackendFallbackError

from scanpy_dask import pp


@pytest.fixture(scope="module")
def dispatcher():
    return BackendDispatcher(
        entrypoint_group="scanpy.backends",
        host_name="scanpy",
        trusted_backends={"scanpy-dask": {"aliases": ["dask"], "package": "scanpy-dask"}},
        fallback="error",
    )


@pytest.fixture(scope="module")
def host(dispatcher):
    """Scanpy's own functions, as scanpy would decorate them."""
    return {
        name: dispatcher.backend_dispatch(name=f"pp.{name}")(getattr(sc.pp, name))
        for name in pp.__all__
    }


@pytest.mark.parametrize("name", pp.__all__)
def test_every_function_runs_here_with_scanpys_own_defaults(dispatcher, host, stored, name):
    with dispatcher.settings.use_backend("dask"):
        decision = dispatcher.settings.explain(host[name], stored.lazy())
    assert (decision.backend, decision.distribution) == ("scanpy-dask", "scanpy-dask")
    assert decision.differing_defaults == ()
    assert decision.refusals == ()


def test_an_analysis_runs_where_it_was_selected(dispatcher, host, stored):
    lazy, in_memory = stored.both()
    with dispatcher.settings.use_backend("dask"):
        analyse(host, lazy)
    analyse(host, in_memory)
    assert type(lazy.X).__module__.startswith("dask")
    np.testing.assert_allclose(lazy.obsm["X_pca"], in_memory.obsm["X_pca"], rtol=1e-3, atol=1e-3)


def analyse(functions, adata):
    functions["filter_cells"](adata, min_genes=20)
    functions["normalize_total"](adata, target_sum=1e4)
    functions["log1p"](adata)
    functions["pca"](adata, n_comps=4, random_state=1)


def test_an_option_of_this_package_reaches_it(host, stored):
    kept, _ = host["filter_cells"](
        stored.lazy(), min_genes=30, inplace=False, show_progress_bar=False, backend="scanpy-dask"
    )
    assert 0 < kept.sum() < kept.size


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("pca", {"chunked": True}, "chunked"),
        ("pca", {"svd_solver": "randomized"}, "svd_solver is 'randomized'"),
        ("scale", {"mask_obs": np.ones(500, dtype=bool)}, "mask_obs"),
        ("log1p", {"obsm": "X_pca"}, "obsm"),
        ("highly_variable_genes", {"flavor": "cell_ranger"}, "flavor is 'cell_ranger'"),
        ("highly_variable_genes", {"batch_key": "group"}, "batch_key"),
        ("calculate_qc_metrics", {"use_raw": True}, "use_raw"),
    ],
)
def test_an_argument_that_would_be_lost_keeps_the_call_away(host, stored, name, options, reason):
    with pytest.raises(BackendFallbackError, match=reason):
        host[name](stored.lazy(), backend="dask", **options)


def test_data_in_memory_keep_the_call_away(host, stored):
    with pytest.raises(BackendFallbackError, match="not a Dask array"):
        host["log1p"](stored.in_memory(), backend="dask")
