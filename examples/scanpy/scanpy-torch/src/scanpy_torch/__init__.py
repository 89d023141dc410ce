"""Scanpy functions computed with PyTorch.

The functions of :mod:`scanpy_torch.pp` and :mod:`scanpy_torch.tl` take what their namesakes in
scanpy take, write what those write, and can be called directly. PyTorch is imported when the
first of them runs.
"""

from . import pp, tl

__all__ = ["pp", "tl"]
