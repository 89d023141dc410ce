"""Data to compute on, and what it means that two results agree."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest
import scanpy as sc
import torch
from anndata import AnnData
from scipy import sparse

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
FORMATS = {"dense": np.asarray, "csr": sparse.csr_matrix, "csc": sparse.csc_matrix}

Agree = Callable[..., None]


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    """Every device that this machine has."""
    return request.param


@pytest.fixture(params=FORMATS if "EVERY_LAYOUT" in os.environ else ["dense", "csr"])
def layout(request: pytest.FixtureRequest) -> str:
    """Ways to store a matrix; a whole analysis of columns is among the tests of sparse arrays."""
    return request.param


@pytest.fixture
def counts(layout: str) -> AnnData:
    """Counts of 300 cells and 120 genes, some of them never seen, with groups and a layer."""
    random = np.random.RandomState(0)
    seen = random.rand(300, 120) < random.uniform(0.2, 0.9, 120)
    x = random.negative_binomial(2, 0.3, (300, 120)) * seen
    x[:100, :10] *= 3
    x[:, 7] = 0
    x[:, 3] = random.permutation(x[:, 2])  # two genes with the same mean
    adata = AnnData(FORMATS[layout](x.astype("float32")))
    adata.layers["twice"] = FORMATS[layout](2 * x.astype("float32"))
    adata.obs["group"] = pd.Categorical(np.repeat(["one", "two", "three"], 100))
    adata.obs["kept"] = random.rand(300) < 0.5
    adata.var["chosen"] = np.arange(120) % 3 > 0
    return adata


@pytest.fixture
def logs(counts: AnnData) -> AnnData:
    """The logarithms of normalized counts, in X and in the layer."""
    for layer in (None, "twice"):
        sc.pp.normalize_total(counts, target_sum=1000, layer=layer)
        counts.uns.pop("log1p", None)
        sc.pp.log1p(counts, layer=layer)
    return counts


@pytest.fixture
def pbmc() -> AnnData:
    """700 blood cells that ship with scanpy: scaled values in X, logarithms in raw."""
    return sc.datasets.pbmc68k_reduced()


@pytest.fixture
def agree() -> Agree:
    """Return a function that compares two results in every part, types included."""
    return _agree


def _agree(one: object, other: object, *, rtol: float = 1e-6, atol: float = 1e-8) -> None:
    if isinstance(one, AnnData):
        for part in ("obs", "var", "uns", "obsm", "varm", "obsp", "layers"):
            _agree_mappings(getattr(one, part), getattr(other, part), rtol, atol)
        _agree(one.X, other.X, rtol=rtol, atol=atol)
    elif isinstance(one, Mapping | pd.DataFrame):
        _agree_mappings(one, other, rtol, atol)
    elif isinstance(one, pd.Series):
        assert one.index.equals(other.index)
        _agree_arrays(one.to_numpy(), other.to_numpy(), rtol, atol)
    elif sparse.issparse(one):
        assert type(one) is type(other)
        _agree_arrays(one.toarray(), other.toarray(), rtol, atol)
    elif isinstance(one, np.ndarray):
        _agree_arrays(one, other, rtol, atol)
    else:
        assert one == other


def _agree_mappings(one, other, rtol: float, atol: float) -> None:
    assert list(one.keys()) == list(other.keys())
    for key in one.keys():  # noqa: SIM118  a DataFrame iterates over something else in a view
        _agree(one[key], other[key], rtol=rtol, atol=atol)


def _agree_arrays(one: np.ndarray, other: np.ndarray, rtol: float, atol: float) -> None:
    assert isinstance(other, np.ndarray)
    assert one.dtype == other.dtype
    for field in one.dtype.names or ():
        _agree_arrays(one[field], other[field], rtol, atol)
    if one.dtype.names is None and one.dtype.kind in "fc":
        np.testing.assert_allclose(other, one, rtol=rtol, atol=atol)
    elif one.dtype.names is None:
        assert one.tolist() == other.tolist()
