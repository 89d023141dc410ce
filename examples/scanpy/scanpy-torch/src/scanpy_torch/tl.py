"""Tools."""

from .gene_scores import score_genes
from .ranked_genes import rank_genes_groups

__all__ = ["rank_genes_groups", "score_genes"]
