"""Data in the states that scanpy's functions expect, opened as each backend wants them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scanpy as sc
import scanpy_dask
import scanpy_host
from anndata import AnnData
from comparison import pairs, share_of_largest
from scipy import sparse

from scverse_backends import BackendDispatcher

Opened = Callable[[str, str], AnnData]
PARTS = ("obs", "var", "uns", "obsm", "varm", "obsp", "layers")


@pytest.fixture(scope="session")
def dispatcher() -> BackendDispatcher:
    """What dispatches scanpy's functions."""
    return scanpy_host.dispatcher


@pytest.fixture(scope="session")
def states() -> Mapping[str, AnnData]:
    """400 cells in three groups: as counted, as logarithms, and with neighbors."""
    random = np.random.RandomState(0)
    rates = random.gamma(0.6, size=(3, 90)) + 0.05
    groups = random.randint(3, size=400)
    counts = AnnData(
        sparse.csr_matrix(random.poisson(rates[groups]).astype("float32")),
        obs=pd.DataFrame(
            {"group": pd.Categorical([f"group {group}" for group in groups])},
            index=[f"cell {cell}" for cell in range(400)],
        ),
        var=pd.DataFrame(index=[f"gene {gene}" for gene in range(90)]),
    )
    counts.layers["twice"] = 2 * counts.X
    logarithms = counts.copy()
    sc.pp.normalize_total(logarithms, target_sum=1e3)
    sc.pp.log1p(logarithms)
    embedded = logarithms.copy()
    sc.pp.pca(embedded, n_comps=8)
    sc.pp.neighbors(embedded)
    return {"counts": counts, "logarithms": logarithms, "embedded": embedded}


@pytest.fixture(scope="session")
def opened(states: Mapping[str, AnnData], tmp_path_factory) -> Opened:
    """Return a function that opens a state as a backend wants it: lazily for Dask."""
    folder = tmp_path_factory.mktemp("states")
    for state, data in states.items():
        data.write_h5ad(folder / f"{state}.h5ad")

    def open_for(state: str, backend: str) -> AnnData:
        if backend != "dask":
            return states[state].copy()
        return scanpy_dask.open_dataset(folder / f"{state}.h5ad", chunk_rows=130)

    return open_for


@pytest.fixture
def counts(opened: Opened) -> AnnData:
    """Counts in memory."""
    return opened("counts", "torch")


@pytest.fixture(scope="session")
def assert_close() -> Callable[..., None]:
    """Return a function that compares two results in all their parts."""
    return _assert_close


def _assert_close(expected: Any, result: Any, share: float) -> None:
    """Floats may be apart by a share of the largest; everything else is the same."""
    if isinstance(expected, AnnData):
        result = result.to_memory()
        _assert_close(expected.X, result.X, share)
        for part in PARTS:
            _assert_close(dict(getattr(expected, part)), dict(getattr(result, part)), share)
    elif isinstance(expected, Mapping):
        assert expected.keys() == result.keys()
        for key, value in expected.items():
            _assert_close(value, result[key], share)
    elif isinstance(expected, tuple):
        for one, other in zip(expected, result, strict=True):
            _assert_close(one, other, share)
    elif isinstance(expected, str | int | float | None):
        assert expected == result
    else:
        _assert_arrays_close(expected, result, share)


def _assert_arrays_close(expected: Any, result: Any, share: float) -> None:
    result = result.compute() if hasattr(result, "compute") else result
    assert sparse.issparse(expected) == sparse.issparse(result)
    for one, other in pairs(expected, result):
        assert one.shape == other.shape
        assert one.dtype.kind == other.dtype.kind
        if one.dtype.kind == "f":
            assert share_of_largest(one, other) <= share
        else:
            assert (one == other).all()
