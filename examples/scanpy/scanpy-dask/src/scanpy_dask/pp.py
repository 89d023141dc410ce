"""The functions of ``scanpy.pp`` that this package offers, under their names there."""

from ._filtering import filter_cells, filter_genes
from ._highly_variable import highly_variable_genes
from ._normalization import log1p, normalize_total
from ._pca import pca
from ._quality import calculate_qc_metrics
from ._scaling import scale

__all__ = [
    "calculate_qc_metrics",
    "filter_cells",
    "filter_genes",
    "highly_variable_genes",
    "log1p",
    "normalize_total",
    "pca",
    "scale",
]
