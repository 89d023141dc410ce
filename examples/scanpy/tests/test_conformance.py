"""Each function gives scanpy's result on each backend that implements it."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
import scanpy as sc
import scanpy_host

from scverse_backends.exceptions import BackendFallbackError

BACKENDS = {"torch": "scanpy-torch", "dask": "scanpy-dask"}


class Case(NamedTuple):
    """A call of one of scanpy's functions."""

    name: str
    state: str
    options: Mapping[str, Any] = MappingProxyType({})

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{key}={value}" for key, value in self.options.items())])

    @property
    def function(self):
        return attrgetter(self.name)(sc)


GENES = [f"gene {gene}" for gene in range(20, 40)]
CASES = [
    Case("pp.calculate_qc_metrics", "counts", {"percent_top": None}),
    Case("pp.calculate_qc_metrics", "counts", {"percent_top": [10], "inplace": True}),
    Case("pp.filter_cells", "counts", {"min_genes": 40}),
    Case("pp.filter_cells", "counts", {"max_counts": 80, "inplace": False}),
    Case("pp.filter_cells", "counts", {"min_genes": 40, "copy": True}),
    Case("pp.filter_genes", "counts", {"min_cells": 150}),
    Case("pp.filter_genes", "counts", {"max_counts": 300, "inplace": False}),
    Case("pp.filter_genes", "counts", {"min_cells": 150, "copy": True}),
    Case("pp.normalize_total", "counts"),
    Case("pp.normalize_total", "counts", {"layer": "twice", "target_sum": 100.0}),
    Case("pp.normalize_total", "counts", {"inplace": False}),
    Case("pp.normalize_total", "counts", {"key_added": "factor", "copy": True}),
    Case("pp.log1p", "counts"),
    Case("pp.log1p", "counts", {"layer": "twice"}),
    Case("pp.log1p", "counts", {"base": 2, "copy": True}),
    Case("pp.highly_variable_genes", "logarithms", {"n_top_genes": 20}),
    Case("pp.highly_variable_genes", "logarithms", {"inplace": False}),
    Case("pp.highly_variable_genes", "logarithms", {"n_top_genes": 20, "subset": True}),
    Case("pp.scale", "logarithms"),
    Case("pp.scale", "logarithms", {"max_value": 2, "zero_center": False}),
    Case("pp.scale", "logarithms", {"copy": True}),
    Case("pp.pca", "logarithms", {"n_comps": 3}),
    Case("pp.pca", "logarithms", {"n_comps": 3, "key_added": "mine", "copy": True}),
    Case("pp.neighbors", "embedded", {"n_neighbors": 8}),
    Case("pp.neighbors", "embedded", {"metric": "cosine", "copy": True}),
    Case("tl.score_genes", "logarithms", {"gene_list": GENES}),
    Case("tl.score_genes", "logarithms", {"gene_list": GENES, "ctrl_size": 5, "copy": True}),
    Case("tl.rank_genes_groups", "logarithms", {"groupby": "group"}),
    Case(
        "tl.rank_genes_groups",
        "logarithms",
        {"groupby": "group", "method": "t-test_overestim_var", "copy": True},
    ),
]
# The largest difference, as a share of the largest number. What is not here is 1e-5.
TOLERANCES = {
    ("torch", "pp.highly_variable_genes"): 1e-3,
    ("torch", "pp.neighbors"): 1e-4,
    ("torch", "pp.pca"): 1e-3,
    ("torch", "pp.scale"): 1e-4,
    ("torch", "tl.rank_genes_groups"): 1e-4,
    ("dask", "pp.highly_variable_genes"): 1e-4,
    ("dask", "pp.pca"): 1e-3,
    ("dask", "pp.scale"): 1e-4,
}
# What every function needs besides the data, for those that need anything.
NEEDED = {
    "get.aggregate": {"by": "group", "func": "mean"},
    "pp.regress_out": {"keys": "group"},
    "tl.embedding_density": {"basis": "pca"},
    "tl.rank_genes_groups": {"groupby": "group"},
    "tl.score_genes": {"gene_list": GENES},
    "tl.score_genes_cell_cycle": {"s_genes": GENES[:9], "g2m_genes": GENES[9:]},
}


def implements(backend: str, name: str) -> bool:
    namespace, _, function = name.partition(".")
    adapter = scanpy_host.dispatcher.get_backend(backend)
    return function in getattr(getattr(adapter, namespace, None), "__all__", ())


IMPLEMENTED = [
    pytest.param(backend, case, id=f"{backend}: {case}")
    for case in CASES
    for backend in BACKENDS
    if implements(backend, case.name)
]
PAIRS = [
    pytest.param(backend, name, id=f"{backend}: {name}")
    for name in scanpy_host.dispatcher.dispatched
    for backend in BACKENDS
]


@pytest.mark.parametrize(("backend", "case"), IMPLEMENTED)
def test_a_backend_gives_scanpys_result(backend, case, opened, assert_close):
    theirs, ours = opened(case.state, backend), opened(case.state, "cpu")
    assert (
        sc.settings.explain(case.function, theirs, **case.options, backend=backend).refusals == ()
    )
    with sc.settings.use_backend(backend, fallback="error"):
        result = case.function(theirs, **case.options)
    expected = case.function(ours, **case.options)
    share = TOLERANCES.get((backend, case.name), 1e-5)
    assert_close(expected, result, share)
    # What returns something leaves the data exactly as they were.
    assert_close(ours, theirs, share if expected is None else 0)


@pytest.mark.parametrize(("backend", "name"), PAIRS)
def test_a_call_runs_on_the_backend_or_says_why_not(backend, name, opened, dispatcher):
    data, options = opened("embedded", backend), NEEDED.get(name, {})
    function = dispatcher.dispatched[name]
    decision = sc.settings.explain(function, data, **options, backend=backend)
    if implements(backend, name):
        assert (decision.backend, decision.refusals) == (BACKENDS[backend], ())
    else:
        assert decision.backend == "cpu"
        assert [refusal.reason for refusal in decision.refusals] == ["does not implement it"]
        with (
            sc.settings.use_backend(backend, fallback="error"),
            pytest.raises(BackendFallbackError, match=rf"{name}.*does not implement it"),
        ):
            function(data, **options)


def test_every_function_that_a_backend_implements_is_compared():
    compared = {(parameters.values[0], parameters.values[1].name) for parameters in IMPLEMENTED}
    implemented = {
        (backend, f"{namespace}.{function}")
        for backend in BACKENDS
        for namespace in scanpy_host.dispatcher.get_backend(backend).__all__
        for function in getattr(scanpy_host.dispatcher.get_backend(backend), namespace).__all__
    }
    assert compared == implemented


@pytest.mark.parametrize(
    ("backend", "function", "options", "reason"),
    [
        ("torch", "pca", {"svd_solver": "lobpcg"}, "svd_solver='lobpcg'"),
        ("torch", "pca", {"chunked": True}, "'chunked'"),
        ("torch", "highly_variable_genes", {"flavor": "seurat_v3"}, "flavor='seurat_v3'"),
        ("dask", "scale", {"mask_obs": np.ones(400, dtype=bool)}, "'mask_obs'"),
        ("dask", "highly_variable_genes", {"batch_key": "group"}, "'batch_key'"),
        ("dask", "highly_variable_genes", {"flavor": "cell_ranger"}, "flavor is 'cell_ranger'"),
        ("dask", "pca", {"chunked": True}, "'chunked'"),
        ("dask", "pca", {"svd_solver": "randomized"}, "svd_solver is 'randomized'"),
        ("dask", "log1p", {"obsm": "X_pca"}, "'obsm'"),
        ("dask", "calculate_qc_metrics", {"use_raw": True}, "'use_raw'"),
    ],
)
def test_an_argument_a_backend_cannot_honour_keeps_the_call_away(
    backend, function, options, reason, opened
):
    data = opened("logarithms", backend)
    with (
        sc.settings.use_backend(backend, fallback="error"),
        pytest.raises(BackendFallbackError, match=reason),
    ):
        getattr(sc.pp, function)(data, **options)


def test_data_in_memory_stay_with_scanpy_if_dask_is_selected(counts):
    decision = sc.settings.explain(sc.pp.log1p, counts, backend="dask")
    assert decision.backend == "cpu"
    assert "scanpy_dask.open_dataset" in decision.refusals[0].reason


def test_of_several_backends_the_first_that_can_runs_the_call(opened):
    with sc.settings.use_backend("dask", "torch", fallback="error"):
        where = [
            sc.settings.explain(sc.pp.log1p, opened("counts", backend)).backend
            for backend in ("torch", "dask")
        ]
    assert where == ["scanpy-torch", "scanpy-dask"]
