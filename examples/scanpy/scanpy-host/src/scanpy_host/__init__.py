"""Scanpy as it is installed, with functions that backends may run.

Importing this decorates scanpy's functions and extends ``scanpy.settings``.

Examples
--------
>>> import scanpy as sc
>>> import scanpy_host
>>> sc.settings.backend
'cpu'
>>> sc.settings.explain(sc.pp.pca, sc.datasets.pbmc68k_reduced()).reason
'nothing is selected'
"""

from __future__ import annotations

from ._backends import backend_dispatch, dispatcher
from ._functions import dispatch_all
from ._settings import extend_settings

__all__ = ["backend_dispatch", "dispatcher"]

# Python does this once and under a lock, however many modules and threads import us.
dispatch_all()
extend_settings(dispatcher.settings)
