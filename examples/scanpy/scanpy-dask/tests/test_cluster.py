"""Worker processes work through data that they could not hold, not even all of them together."""

import importlib.metadata
import os
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import pytest
import scanpy as sc
from anndata import AnnData
from distributed import Client, LocalCluster
from scipy import sparse

import scanpy_dask
from scanpy_dask import pp

MEGABYTE = 10**6
MEMORY_LIMIT = 300 * MEGABYTE
STATUS = Path("/proc/self/status")
N_OBS, N_VARS = 80_000, 2_000

pytestmark = [
    pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells a process its peak memory"),
    pytest.mark.filterwarnings("ignore:zero-centering a sparse:UserWarning"),
]


def peak_memory(status: str) -> int:
    """The most memory that a process ever had, as Linux counted it."""
    facts = dict(line.split(":", 1) for line in status.splitlines())
    return int(facts["VmHWM"].split()[0]) * 1024


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit=MEMORY_LIMIT, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def analyse(preprocessing, adata):
    preprocessing.calculate_qc_metrics(adata, percent_top=[50], inplace=True)
    preprocessing.filter_cells(adata, min_genes=190)
    preprocessing.filter_genes(adata, min_cells=1000)
    preprocessing.normalize_total(adata)
    preprocessing.log1p(adata)
    preprocessing.highly_variable_genes(adata, n_top_genes=300, subset=True)
    preprocessing.scale(adata, max_value=10)
    preprocessing.pca(adata, n_comps=5)


def test_an_analysis_needs_less_memory_than_the_data(client, tmp_path):
    path = tmp_path / "cells.h5ad"
    scanpy_dask.write_synthetic(path, n_obs=N_OBS, n_vars=N_VARS, seed=3, layout="dense")
    assert path.stat().st_size > 2 * MEMORY_LIMIT
    processes = client.run(os.getpid)

    adata = scanpy_dask.open_dataset(path)
    analyse(pp, adata)

    peaks = [peak_memory(status) for status in client.run(STATUS.read_text).values()]
    # A worker that ran out of memory would have been replaced, and its peak forgotten.
    assert client.run(os.getpid) == processes
    assert len(peaks) == 2
    assert max(peaks) < MEMORY_LIMIT

    in_memory = sc.read_h5ad(path)
    in_memory.X = sparse.csr_matrix(in_memory.X)
    analyse(sc.pp, in_memory)
    assert adata.shape == in_memory.shape
    assert 0 < adata.n_obs < N_OBS
    np.testing.assert_allclose(adata.obs["total_counts"], in_memory.obs["total_counts"])
    np.testing.assert_allclose(adata.obsm["X_pca"], in_memory.obsm["X_pca"], rtol=1e-2, atol=1e-2)
    np.testing.assert_allclose(
        adata.uns["pca"]["variance"], in_memory.uns["pca"]["variance"], rtol=1e-4
    )


@pytest.mark.usefixtures("client")
def test_a_cluster_computes_what_this_process_computes(tmp_path):
    path = tmp_path / "cells.zarr"
    scanpy_dask.write_synthetic(path, n_obs=700, n_vars=50, seed=2, density=0.5)
    on_cluster, here = (scanpy_dask.open_dataset(path, chunk_rows=100) for _ in range(2))
    pp.normalize_total(on_cluster)
    pp.pca(on_cluster, n_comps=4)
    with dask.config.set(scheduler="threads"):
        pp.normalize_total(here)
        pp.pca(here, n_comps=4)
    np.testing.assert_allclose(on_cluster.obsm["X_pca"], here.obsm["X_pca"], rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("client")
def test_what_the_workers_could_not_hold_is_declined():
    adata = AnnData(da.zeros((5000, 3000), chunks=(500, 3000)))
    (entry_point,) = importlib.metadata.entry_points(group="scanpy.backends", name="scanpy_dask")
    can_run = entry_point.load().can_run
    reason = can_run("pp.pca", {"data": adata})
    assert "multiplying 3000 genes with each other takes" in reason
    assert can_run("pp.pca", {"data": adata, "mask_var": np.arange(3000) < 300}) is True
    adata.X = adata.X.rechunk(-1)
    assert "centring 5000 rows" in can_run("pp.scale", {"data": adata})
    assert can_run("pp.normalize_total", {"adata": adata}) is True


def test_data_that_the_cluster_holds_already_are_declined(client):
    adata = AnnData(client.persist(da.ones((50, 5), chunks=(10, 5))))
    (entry_point,) = importlib.metadata.entry_points(group="scanpy.backends", name="scanpy_dask")
    reason = entry_point.load().can_run("pp.log1p", {"data": adata})
    assert "held by the cluster" in reason
