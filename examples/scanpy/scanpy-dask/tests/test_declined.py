"""Calls that this package leaves to others, and the reason it gives."""

import importlib.metadata
import inspect

import anndata
import dask
import dask.array as da
import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

from scanpy_dask import pp


@pytest.fixture(scope="module")
def can_run():
    (adapter,) = importlib.metadata.entry_points(group="scanpy.backends", name="scanpy_dask")
    return adapter.load().can_run


@pytest.fixture
def lazy():
    return AnnData(
        da.from_array(np.arange(60.0).reshape(12, 5), chunks=(5, 5)),
        layers={"read": np.ones((12, 5)), "lazy": da.ones((12, 5), chunks=(5, 5))},
    )


def call_of(name, adata, **others):
    """The arguments of a call, with the dataset under the name that the function has for it."""
    return {next(iter(inspect.signature(getattr(pp, name)).parameters)): adata, **others}


@pytest.mark.parametrize("name", pp.__all__)
def test_data_on_disk_are_taken(can_run, stored, name):
    assert can_run(f"pp.{name}", call_of(name, stored.lazy())) is True


@pytest.mark.parametrize("name", pp.__all__)
@pytest.mark.parametrize("matrix", [np.eye(4), sparse.csr_matrix(np.eye(4))])
def test_data_in_memory_are_left_to_scanpy(can_run, name, matrix):
    reason = can_run(f"pp.{name}", call_of(name, AnnData(matrix)))
    assert "not a Dask array: open the file with scanpy_dask.open_dataset" in reason


def test_data_without_annotations_are_left_to_scanpy(can_run):
    assert (
        can_run("pp.log1p", {"data": np.eye(3)}) == "the data are a numpy.ndarray, not an AnnData"
    )


def test_the_layer_decides_where_one_is_named(can_run, lazy):
    assert can_run("pp.scale", {"data": lazy, "layer": "lazy"}) is True
    assert "adata.layers['read'] is a numpy.ndarray" in can_run(
        "pp.scale", {"data": lazy, "layer": "read"}
    )
    assert "no layer 'absent', only" in can_run("pp.scale", {"data": lazy, "layer": "absent"})


def test_annotations_that_are_not_read_are_declined(can_run, stored):
    adata = anndata.experimental.read_lazy(stored.path)
    reason = can_run("pp.calculate_qc_metrics", {"adata": adata})
    assert reason.startswith("adata.obs and adata.var are not read yet")


def test_blocks_of_a_few_genes_are_declined(can_run, lazy):
    lazy.X = lazy.X.rechunk((5, 2))
    reason = can_run("pp.pca", {"data": lazy})
    assert "split along genes into 3" in reason
    lazy.X = lazy.X.rechunk({1: -1})
    assert can_run("pp.pca", {"data": lazy}) is True


def test_blocks_of_an_unknown_kind_are_declined(can_run, lazy):
    lazy.X = lazy.X.map_blocks(sparse.csc_matrix, meta=sparse.csc_matrix((0, 0)))
    assert "are a scipy.csc_matrix, not arrays or CSR" in can_run("pp.log1p", {"data": lazy})


@pytest.mark.parametrize("name", ["normalize_total", "log1p", "scale"])
def test_a_view_is_declined_unless_a_copy_is_made(can_run, lazy, name):
    view = lazy[:6]
    assert "view of another dataset" in can_run(f"pp.{name}", call_of(name, view))
    assert can_run(f"pp.{name}", call_of(name, view, copy=True)) is True


@pytest.mark.parametrize("solver", ["arpack", "randomized", "full"])
def test_another_solver_is_declined_by_name(can_run, lazy, solver):
    assert f"svd_solver is '{solver}'" in can_run("pp.pca", {"data": lazy, "svd_solver": solver})
    assert can_run("pp.pca", {"data": lazy, "svd_solver": "covariance_eigh"}) is True


def test_a_mask_that_fits_no_gene_is_declined(can_run, lazy):
    reason = can_run("pp.pca", {"data": lazy, "mask_var": "absent"})
    assert reason == "mask_var is 'absent', and adata.var has no such column."


def test_another_flavor_is_declined_by_name(can_run, lazy):
    assert "'seurat_v3'" in can_run(
        "pp.highly_variable_genes", {"adata": lazy, "flavor": "seurat_v3"}
    )


def test_products_that_no_worker_could_hold_are_declined(can_run):
    wide = AnnData(da.zeros((10, 200_000), chunks=(5, 200_000)))
    reason = can_run("pp.pca", {"data": wide})
    assert "multiplying 200000 genes with each other takes" in reason
    assert "use fewer genes (mask_var)" in reason
    few = np.arange(200_000) < 50
    assert can_run("pp.pca", {"data": wide, "mask_var": few}) is True


def test_blocks_that_no_worker_could_hold_dense_are_declined(can_run):
    tall = AnnData(da.zeros((100_000, 100_000), chunks=-1))
    reason = can_run("pp.scale", {"data": tall})
    assert "centring 100000 rows at once" in reason
    assert "chunk_rows" in reason
    assert can_run("pp.scale", {"data": tall, "zero_center": False}) is True


@pytest.mark.parametrize("name", pp.__all__)
def test_asking_reads_nothing(can_run, stored, name):
    def read(*_, **__):
        raise AssertionError("the data were read")

    with dask.config.set(scheduler=read):
        assert can_run(f"pp.{name}", call_of(name, stored.lazy())) is True
