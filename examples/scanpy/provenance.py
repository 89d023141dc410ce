"""What ran where, kept with the data."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anndata
import numpy as np
from anndata import AnnData

KEY = "scverse_backends"
PACKAGES = (
    "scverse-backends",
    "scanpy",
    "scanpy-torch",
    "scanpy-dask",
    "anndata",
    "dask",
    "numpy",
    "scikit-learn",
    "torch",
)


def why(record: Any) -> str:
    """Tell why a call ran where it did, and what was not as on the host."""
    if record.backend == "cpu":
        return "; ".join(f"{refusal.backend} {refusal.reason}" for refusal in record.refusals)
    return "; ".join(("selected", *(f"{name} is ignored" for name in record.ignored)))


def versions() -> dict[str, str]:
    """Tell the versions of everything that may change a result."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def provenance(trace: Any) -> dict[str, Any]:
    """Describe calls and versions in a form for ``adata.uns``: in short, and every call whole."""
    return {"versions": versions(), **trace.provenance(), "calls": trace.to_json(indent=None)}


def save_and_read_back(adata: AnnData, trace: Any, path: Path) -> Path:
    """Save everything but the matrices, with the provenance, and check that it can be read.

    Raises
    ------
    RuntimeError
        If what is read is not what was written.
    """
    adata.uns[KEY] = written = provenance(trace)
    AnnData(obs=adata.obs, var=adata.var, obsm=dict(adata.obsm), uns=adata.uns).write_h5ad(path)
    if plain(anndata.read_h5ad(path).uns[KEY]) != written:
        raise RuntimeError(f"{path} does not hold the provenance that was written to it")
    return path


def plain(found: Any) -> Any:
    """Give what was read as it was before it was written: a list comes back as an array."""
    if isinstance(found, Mapping):
        return {key: plain(value) for key, value in found.items()}
    return found.tolist() if isinstance(found, np.ndarray) else found
