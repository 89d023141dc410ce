"""Preprocessing."""

from .logarithm import log1p
from .neighbors import neighbors
from .normalization import normalize_total
from .pca import pca
from .scaling import scale
from .variable_genes import highly_variable_genes

__all__ = ["highly_variable_genes", "log1p", "neighbors", "normalize_total", "pca", "scale"]
