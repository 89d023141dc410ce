"""The data sets that are analysed, and the steps of each analysis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import scanpy as sc
import scanpy_dask
from anndata import AnnData


def keep(adata: AnnData, _: Any) -> AnnData:
    """Go on with the data that were changed in place."""
    return adata


@dataclass(frozen=True)
class Step:
    """One call of the analysis, and the parts of the data it is there to write.

    Parameters
    ----------
    name
        Name of the function in scanpy.
    options
        Everything it is given besides the data.
    writes
        Where its results are, such as ``"X"``, ``"obs"`` or ``"obsm/X_pca"``.
    finish
        What is done with the data afterwards, outside of the time taken.
    """

    name: str
    options: Mapping[str, Any]
    writes: tuple[str, ...]
    finish: Callable[[AnnData, Any], AnnData] = keep

    @property
    def function(self) -> Callable[..., Any]:
        """What users call; looked up late, once it is dispatched."""
        namespace, _, name = self.name.partition(".")
        return getattr(getattr(sc, namespace), name)


@dataclass(frozen=True)
class Data:
    """A data set.

    Parameters
    ----------
    name
        What tables and files call it.
    write
        Writes it to a path, at the size asked for if it can have any.
    chunk_rows
        Rows of a block where it is opened lazily.
    steps
        How it is analysed.
    embeddings
        What is drawn of it.
    """

    name: str
    write: Callable[[Path, int], None]
    chunk_rows: int
    steps: tuple[Step, ...]
    embeddings: tuple[str, ...]

    @property
    def small(self) -> bool:
        """Whether it is analysed quickly enough to do so several times."""
        return self is SHIPPED

    def written_to(self, folder: Path, n_obs: int) -> Path:
        """Write it to a folder and give the path."""
        path = folder / f"{self.name}.h5ad"
        self.write(path, n_obs)
        return path

    def opened(self, path: Path, *, lazily: bool) -> AnnData:
        """Open it, or read it into memory."""
        if lazily:
            return scanpy_dask.open_dataset(path, chunk_rows=self.chunk_rows)
        return anndata.read_h5ad(path)


def write_shipped(path: Path, _: int) -> None:
    """Write the cells that ship with scanpy, as they were before their logarithms were taken."""
    shipped = sc.datasets.pbmc68k_reduced()
    adata = shipped.raw.to_adata()
    adata.X = adata.X.expm1()
    AnnData(adata.X, obs=shipped.obs[["bulk_labels"]], var=adata.var[[]]).write_h5ad(path)


def write_synthetic(path: Path, n_obs: int) -> None:
    """Write made-up counts, a block at a time."""
    scanpy_dask.write_synthetic(path, n_obs=n_obs, n_vars=1000, density=0.1, chunk_rows=5000)


def keep_logarithms(adata: AnnData, _: None) -> AnnData:
    """Keep the logarithms for the steps that compare groups of cells."""
    adata.layers["logarithms"] = adata.X.copy()
    return adata


def load(adata: AnnData, _: None) -> AnnData:
    """Bring what was opened lazily into memory, once it is small."""
    return adata.to_memory()


def store_means(adata: AnnData, means: AnnData) -> AnnData:
    """Keep what was returned."""
    adata.uns["means"] = np.asarray(means.layers["mean"])
    return adata


QUALITY = Step("pp.calculate_qc_metrics", {"percent_top": None, "inplace": True}, ("obs", "var"))
NORMALIZE = Step("pp.normalize_total", {"target_sum": 1e4}, ("X",))
SCALE = Step("pp.scale", {"max_value": 10}, ("X", "var/mean", "var/std"))
PCA = Step("pp.pca", {"n_comps": 30}, ("obsm/X_pca", "varm/PCs", "uns/pca/variance"))
SELECTED = ("var/highly_variable", "var/means", "var/dispersions", "var/dispersions_norm")
RANKED = tuple(f"uns/rank_genes_groups/{part}" for part in ("names", "scores", "logfoldchanges"))
GENES = ["CD3D", "CD3E", "IL32", "LCK", "CD2"]

SHIPPED = Data(
    name="pbmc68k_reduced",
    write=write_shipped,
    chunk_rows=200,
    embeddings=("pca", "umap"),
    steps=(
        QUALITY,
        Step("pp.filter_cells", {"min_genes": 50}, ("X", "obs/n_genes")),
        Step("pp.filter_genes", {"min_cells": 5}, ("X", "var/n_cells")),
        NORMALIZE,
        Step("pp.log1p", {}, ("X",), keep_logarithms),
        Step("pp.highly_variable_genes", {"n_top_genes": 300}, SELECTED),
        SCALE,
        replace(PCA, finish=load),
        Step("pp.neighbors", {"n_neighbors": 15}, ("obsp/distances", "obsp/connectivities")),
        Step("tl.umap", {}, ("obsm/X_umap",)),
        Step("tl.score_genes", {"gene_list": GENES, "layer": "logarithms"}, ("obs/score",)),
        Step(
            "tl.rank_genes_groups",
            {"groupby": "bulk_labels", "method": "t-test", "layer": "logarithms"},
            RANKED,
        ),
        Step(
            "get.aggregate",
            {"by": "bulk_labels", "func": "mean", "layer": "logarithms"},
            ("uns/means",),
            store_means,
        ),
    ),
)

# No neighbors: scanpy 1.11 with pynndescent 0.7 fails from 8192 cells on, and nothing here may
# decide which of the two gives way.
SYNTHETIC = Data(
    name="synthetic",
    write=write_synthetic,
    chunk_rows=5000,
    embeddings=("pca",),
    steps=(
        QUALITY,
        Step("pp.filter_cells", {"min_genes": 50}, ("obs/n_genes",)),
        Step("pp.filter_genes", {"min_cells": 100}, ("var/n_cells",)),
        NORMALIZE,
        Step("pp.log1p", {}, ("X",)),
        Step("pp.highly_variable_genes", {"n_top_genes": 300, "subset": True}, SELECTED),
        SCALE,
        PCA,
    ),
)
