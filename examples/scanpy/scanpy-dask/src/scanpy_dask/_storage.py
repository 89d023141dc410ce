"""Data on disk: opened without being read, and written without being held."""

from contextlib import closing, nullcontext
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import dask
import dask.array as da
import h5py
import numpy as np
import pandas as pd
import zarr
from anndata import AnnData
from anndata.experimental import read_dispatched, read_elem_lazy
from scipy import optimize, sparse


def open_dataset(path: str | PathLike[str], *, chunk_rows: int = 1000) -> AnnData:
    """Open a dataset whose matrices stay on disk until a computation asks for their rows.

    ``X``, ``raw.X`` and every layer become Dask arrays of `chunk_rows` rows each; whatever
    describes cells and genes is read.

    Parameters
    ----------
    path
        A ``.h5ad`` file, or a Zarr store as ``AnnData.write_zarr`` makes it.
    chunk_rows
        Rows of a block. A worker holds a few blocks for each of its threads.

    Returns
    -------
    anndata.AnnData
        The dataset. A matrix stored by columns (CSC) is split by columns, for rows of it cannot
        be read one block at a time; the functions of this package decline it and say so.

    Raises
    ------
    FileNotFoundError
        If nothing is at `path`.
    ValueError
        If `chunk_rows` is not positive.

    Examples
    --------
    >>> import tempfile, pathlib, scanpy_dask
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "cells.h5ad"
    >>> scanpy_dask.write_synthetic(path, n_obs=250, n_vars=20, seed=0)
    >>> adata = scanpy_dask.open_dataset(path, chunk_rows=100)
    >>> adata.X.chunks
    ((100, 100, 50), (20,))
    """
    if chunk_rows < 1:
        raise ValueError(f"chunk_rows is {chunk_rows}: a block needs at least one row.")
    if not Path(path).exists():
        raise FileNotFoundError(f"There is no dataset at {path}.")
    with _opened(path) as store:
        return read_dispatched(store, partial(_read, chunk_rows=chunk_rows))


def write_synthetic(
    path: str | PathLike[str],
    *,
    n_obs: int,
    n_vars: int,
    seed: int = 0,
    density: float = 0.1,
    n_groups: int = 6,
    layout: Literal["csr", "dense"] = "csr",
    chunk_rows: int = 1000,
) -> None:
    """Write counts of made-up cells, a block at a time, however many there are.

    Each cell belongs to one of `n_groups` groups with expression profiles of their own; counts
    are Poisson distributed.

    Parameters
    ----------
    path
        Where to write: HDF5 where it ends in ``.h5ad``, Zarr otherwise.
    n_obs, n_vars
        Number of cells and of genes.
    seed
        The same seed, sizes and `chunk_rows` give the same counts.
    density
        Share of counts that are not zero, on average.
    n_groups
        Number of groups of cells; ``obs["group"]`` says which one a cell belongs to.
    layout
        How the counts are stored: ``"csr"`` keeps those that are not zero.
    chunk_rows
        Rows that are held at a time.

    Raises
    ------
    ValueError
        If `density` is not between 0 and 1.

    Examples
    --------
    >>> import tempfile, pathlib, scanpy_dask
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "cells.zarr"
    >>> scanpy_dask.write_synthetic(path, n_obs=300, n_vars=50, seed=1, density=0.2)
    >>> counts = scanpy_dask.open_dataset(path).X.compute()
    >>> bool(abs(counts.nnz / (300 * 50) - 0.2) < 0.05)
    True
    """
    if not 0 < density < 1:
        raise ValueError(f"density is {density}: a share between 0 and 1 is needed.")
    random = np.random.default_rng(seed)
    groups = random.integers(n_groups, size=n_obs)
    profiles = _profiles(random, n_groups, n_vars, density)
    adata = AnnData(
        X=_counts(groups, profiles, seed, layout, chunk_rows),
        obs=pd.DataFrame(
            {"group": pd.Categorical([f"group {group}" for group in groups])},
            index=[f"cell {cell}" for cell in range(n_obs)],
        ),
        var=pd.DataFrame(index=[f"gene {gene}" for gene in range(n_vars)]),
    )
    with dask.config.set(scheduler="threads"):  # one process writes a file
        (adata.write_h5ad if _is_hdf5(path) else adata.write_zarr)(path)


def _is_hdf5(path: str | PathLike[str]) -> bool:
    return Path(path).suffix == ".h5ad"


def _opened(path: str | PathLike[str]) -> Any:
    if _is_hdf5(path):
        return closing(h5py.File(path, mode="r"))
    return nullcontext(zarr.open_group(path, mode="r"))


def _read(read: Any, name: str, element: Any, *, chunk_rows: int, **_: Any) -> Any:
    """Read one element of a stored dataset: a matrix lazily, anything else at once."""
    match name.strip("/").split("/"):
        case ["X"] | ["raw", "X"] | ["layers", _]:
            by_columns = element.attrs.get("encoding-type") == "csc_matrix"
            chunks = (-1, chunk_rows) if by_columns else (chunk_rows, -1)
            return read_elem_lazy(element, chunks=chunks)
    return read(element)


def _profiles(
    random: np.random.Generator, n_groups: int, n_vars: int, density: float
) -> np.ndarray:
    """Mean counts of each group, scaled so that `density` of the counts is not zero."""
    common = random.lognormal(sigma=1.0, size=n_vars)
    profiles = common * random.lognormal(sigma=0.5, size=(n_groups, n_vars))

    def excess(log_scale: float) -> float:
        return float(np.mean(-np.expm1(-profiles * np.exp(log_scale))) - density)

    return profiles * np.exp(optimize.brentq(excess, -30, 30))


def _counts(
    groups: np.ndarray,
    profiles: np.ndarray,
    seed: int,
    layout: Literal["csr", "dense"],
    chunk_rows: int,
) -> da.Array:
    labels = da.from_array(groups[:, None], chunks=(chunk_rows, 1))
    empty = np.empty((0, 0), dtype=np.float32)
    return labels.map_blocks(
        partial(_count_block, profiles=profiles, seed=seed, layout=layout),
        chunks=(labels.chunks[0], (profiles.shape[1],)),
        dtype=empty.dtype,
        meta=sparse.csr_matrix(empty) if layout == "csr" else empty,
    )


def _count_block(
    labels: np.ndarray,
    *,
    profiles: np.ndarray,
    seed: int,
    layout: Literal["csr", "dense"],
    block_id: tuple[int, int],
) -> np.ndarray | sparse.csr_matrix:
    random = np.random.default_rng([seed, block_id[0]])
    counts = random.poisson(profiles[labels[:, 0]]).astype(np.float32)
    return sparse.csr_matrix(counts) if layout == "csr" else counts
