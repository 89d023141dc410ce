"""What ran where, kept with the data."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import anndata
import pandas as pd
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


class Call(NamedTuple):
    """One call: where it ran and why, and how long it took."""

    decision: Any
    seconds: float

    @property
    def why(self) -> str:
        """Why it ran there, and what was not as on the host."""
        decision = self.decision
        if decision.backend == "cpu":
            return "; ".join(f"{refusal.backend} {refusal.reason}" for refusal in decision.refusals)
        return "; ".join(("selected", *(f"{name} is ignored" for name in decision.ignored)))

    def as_record(self) -> dict[str, str | float]:
        """Give it as strings and numbers, which any file format can hold."""
        decision = self.decision
        return {
            "function": decision.function,
            "backend": decision.backend,
            "distribution": decision.distribution or "scanpy",
            "version": decision.version or version("scanpy"),
            "reason": decision.reason,
            "refusals": json.dumps([tuple(refusal) for refusal in decision.refusals]),
            "ignored": json.dumps(decision.ignored),
            "differing_defaults": json.dumps(
                [[d.parameter, repr(d.host), repr(d.backend)] for d in decision.differing_defaults]
            ),
            "seconds": self.seconds,
        }


def versions() -> dict[str, str]:
    """Tell the versions of everything that may change a result."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def provenance(calls: list[Call]) -> dict[str, Any]:
    """Describe calls and versions in a form for ``adata.uns``."""
    return {"versions": versions(), "calls": pd.DataFrame([call.as_record() for call in calls])}


def save_and_read_back(adata: AnnData, calls: list[Call], path: Path) -> Path:
    """Save everything but the matrices, with the provenance, and check that it can be read.

    Raises
    ------
    RuntimeError
        If what is read is not what was written.
    """
    adata.uns[KEY] = written = provenance(calls)
    AnnData(obs=adata.obs, var=adata.var, obsm=dict(adata.obsm), uns=adata.uns).write_h5ad(path)
    found = anndata.read_h5ad(path).uns[KEY]
    same = (
        found["calls"]
        .astype(str)
        .equals(written["calls"].set_axis(found["calls"].index).astype(str))
    )
    if not same or dict(found["versions"]) != written["versions"]:
        raise RuntimeError(f"{path} does not hold the provenance that was written to it")
    return path
