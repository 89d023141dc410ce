"""Datasets are written and opened a block at a time."""

import anndata
import dask.array as da
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import scanpy_dask


@pytest.fixture(params=["zarr", "h5ad"])
def path(request, tmp_path):
    return tmp_path / f"cells.{request.param}"


def write(adata, path):
    (adata.write_h5ad if path.suffix == ".h5ad" else adata.write_zarr)(path)


def test_matrices_stay_on_disk_and_annotations_are_read(stored):
    adata = stored.lazy()
    assert adata.X.chunks == adata.layers["counts"].chunks == ((130, 130, 130, 110), (120,))
    pd.testing.assert_frame_equal(adata.obs, stored.in_memory().obs)
    pd.testing.assert_frame_equal(adata.var, stored.in_memory().var)


def test_what_is_read_later_is_what_was_stored(stored, values):
    np.testing.assert_array_equal(values(stored.lazy().X), values(stored.in_memory().X))


def test_raw_and_everything_beside_the_matrices_is_there(path, values):
    adata = anndata.AnnData(
        sparse.random(30, 8, density=0.5, format="csr", rng=np.random.default_rng(0)),
        obsm={"place": np.arange(60).reshape(30, 2)},
        uns={"note": "kept"},
    )
    adata.raw = adata.copy()
    write(adata, path)
    opened = scanpy_dask.open_dataset(path, chunk_rows=7)
    assert isinstance(opened.raw.X, da.Array)
    np.testing.assert_array_equal(values(opened.raw.X), values(adata.raw.X))
    np.testing.assert_array_equal(opened.obsm["place"], adata.obsm["place"])
    assert opened.uns["note"] == "kept"


def test_a_matrix_stored_by_columns_is_split_by_columns(path, values):
    adata = anndata.AnnData(sparse.random(30, 8, density=0.5, format="csc"))
    write(adata, path)
    opened = scanpy_dask.open_dataset(path, chunk_rows=3)
    assert opened.X.chunks == ((30,), (3, 3, 2))
    np.testing.assert_array_equal(values(opened.X), values(adata.X))


def test_the_same_seed_writes_the_same_counts(tmp_path, values):
    paths = [tmp_path / name for name in ("one.zarr", "two.h5ad", "three.zarr")]
    for path, seed in zip(paths, (4, 4, 5), strict=True):
        scanpy_dask.write_synthetic(path, n_obs=90, n_vars=20, seed=seed, chunk_rows=40)
    one, two, three = (values(scanpy_dask.open_dataset(path).X) for path in paths)
    np.testing.assert_array_equal(one, two)
    assert (one != three).any()


@pytest.mark.parametrize("density", [0.02, 0.1, 0.6])
def test_as_many_counts_as_asked_for_are_not_zero(path, values, density):
    scanpy_dask.write_synthetic(path, n_obs=2000, n_vars=200, seed=0, density=density)
    counts = values(scanpy_dask.open_dataset(path).X)
    assert np.count_nonzero(counts) / counts.size == pytest.approx(density, rel=0.05)
    np.testing.assert_array_equal(counts, counts.round())


def test_made_up_cells_of_a_group_are_alike(path):
    scanpy_dask.write_synthetic(path, n_obs=600, n_vars=200, seed=0, density=0.5, n_groups=3)
    adata = scanpy_dask.open_dataset(path)
    scanpy_dask.pp.log1p(adata)
    scanpy_dask.pp.pca(adata, n_comps=2)
    frame = pd.DataFrame(adata.obsm["X_pca"]).groupby(adata.obs["group"].to_numpy())
    assert frame.ngroups == 3
    assert (frame.std().mean() < frame.mean().std()).all()


def test_what_cannot_be_opened_or_written_says_why(tmp_path):
    with pytest.raises(FileNotFoundError, match="no dataset at"):
        scanpy_dask.open_dataset(tmp_path / "nowhere.zarr")
    with pytest.raises(ValueError, match="at least one row"):
        scanpy_dask.open_dataset(tmp_path, chunk_rows=0)
    with pytest.raises(ValueError, match="density is 2"):
        scanpy_dask.write_synthetic(tmp_path / "x.zarr", n_obs=3, n_vars=3, density=2)
