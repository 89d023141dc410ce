"""Datasets on disk, opened lazily for this package and read whole for scanpy."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import anndata
import dask
import numpy as np
import pytest
import scanpy as sc
from anndata import AnnData
from scipy import sparse

import scanpy_dask
from scanpy_dask import pp


@dataclass(frozen=True)
class Stored:
    """A dataset on disk."""

    path: Path

    def lazy(self) -> AnnData:
        return scanpy_dask.open_dataset(self.path, chunk_rows=130)

    def in_memory(self) -> AnnData:
        read = anndata.read_h5ad if self.path.suffix == ".h5ad" else anndata.read_zarr
        return read(self.path)

    def both(self) -> tuple[AnnData, AnnData]:
        return self.lazy(), self.in_memory()

    def log_normalized(self) -> tuple[AnnData, AnnData]:
        """Both, each prepared by its own package."""
        lazy, in_memory = self.both()
        for preprocessing, adata in ((pp, lazy), (sc.pp, in_memory)):
            preprocessing.normalize_total(adata, target_sum=1e4)
            preprocessing.log1p(adata)
        return lazy, in_memory


STORED = ["csr.zarr", "dense.h5ad"]
if "EVERY_LAYOUT" in os.environ:
    STORED += ["csr.h5ad", "dense.zarr"]


@pytest.fixture(scope="session", params=STORED)
def stored(request, tmp_path_factory) -> Stored:
    """500 cells and 120 genes, in each layout and each format."""
    path = tmp_path_factory.mktemp("stored") / request.param
    layout = path.stem
    scanpy_dask.write_synthetic(
        path, n_obs=500, n_vars=120, seed=7, density=0.3, layout=layout, chunk_rows=200
    )
    adata = Stored(path).in_memory()
    counts = adata.X.toarray() if layout == "csr" else adata.X
    counts[:, 5] = 0  # as real data have: a gene that no cell expresses,
    counts[3] = 0  # and a cell in which nothing was counted
    adata.X = sparse.csr_matrix(counts) if layout == "csr" else counts
    adata.layers["counts"] = adata.X.copy()
    adata.var["marked"] = np.arange(120) % 7 == 0
    (adata.write_h5ad if path.suffix == ".h5ad" else adata.write_zarr)(path)
    return Stored(path)


@pytest.fixture(scope="session")
def values():
    """Write out a matrix of any kind."""

    def written_out(matrix):
        (matrix,) = dask.compute(matrix)
        return matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)

    return written_out


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    """Compute in this process, with two threads, unless a test starts a cluster."""
    with dask.config.set(num_workers=2):
        yield
