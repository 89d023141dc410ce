"""Put decorated functions where scanpy holds the originals.

A decorator in scanpy's source would act before anything could import the
function. Afterwards every module that did holds a reference of its own:
``filter_genes`` is in the module that defines it, in ``scanpy.preprocessing``
and ``scanpy.pp``, and in the module that selects genes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

Function = Callable[..., Any]


def replace_everywhere(pairs: Iterable[tuple[Function, Function]]) -> None:
    """Replace originals by what decorates them, in every module of scanpy.

    Parameters
    ----------
    pairs
        An original and its replacement each.
    """
    replacements = {id(original): (original, public) for original, public in pairs}
    for module in _modules_of_scanpy():
        for name, value in list(vars(module).items()):
            original, public = replacements.get(id(value), (None, None))
            if value is original is not None:
                setattr(module, name, public)


def _modules_of_scanpy() -> list[ModuleType]:
    return [
        module
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == "scanpy" and isinstance(module, ModuleType)
    ]
