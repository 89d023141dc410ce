"""Which of scanpy's functions are dispatched, and under which names.

The names are those that users write, ``pp.pca`` and not ``pca``: adapters
keep them in namespaces, and none can be mistaken for ``pl.pca``.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import scanpy

from ._backends import backend_dispatch
from ._replacement import replace_everywhere

NAMES = (
    "get.aggregate",
    "pp.calculate_qc_metrics",
    "pp.filter_cells",
    "pp.filter_genes",
    "pp.harmony_integrate",  # in scanpy.external before it moved
    "pp.highly_variable_genes",
    "pp.log1p",
    "pp.neighbors",
    "pp.normalize_total",
    "pp.pca",
    "pp.regress_out",
    "pp.scale",
    "pp.scrublet",
    "pp.scrublet_simulate_doublets",
    "tl.diffmap",
    "tl.draw_graph",
    "tl.embedding_density",
    "tl.leiden",
    "tl.louvain",
    "tl.rank_genes_groups",
    "tl.score_genes",
    "tl.score_genes_cell_cycle",
    "tl.tsne",
    "tl.umap",
)


def dispatch_all() -> None:
    """Decorate every function that this version of scanpy has."""
    replace_everywhere(
        (original, backend_dispatch(name=name)(original))
        for name in NAMES
        if (original := find(name)) is not None
    )


def find(name: str) -> Callable[..., Any] | None:
    """Give scanpy's function of a name; ``None`` where this version has none."""
    try:
        return attrgetter(name)(scanpy)
    except AttributeError:
        return None
