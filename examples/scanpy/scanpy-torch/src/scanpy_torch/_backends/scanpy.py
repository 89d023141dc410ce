"""What scanpy finds when it looks for backends."""

from scanpy_torch import pp, tl
from scanpy_torch.refusals import can_run  # noqa: F401  asked by the dispatcher

name = "scanpy-torch"
aliases = ["torch"]

# `can_run`, `name` and `aliases` are about the backend; only these two hold implementations.
__all__ = ["pp", "tl"]
