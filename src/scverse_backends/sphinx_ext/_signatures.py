"""The signature of a function, where another extension would show that of the undecorated one."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from sphinx.util.inspect import stringify_signature

from scverse_backends._selection.blocks import DISPATCH

if TYPE_CHECKING:
    from sphinx.application import Sphinx

TYPEHINTS = "sphinx_autodoc_typehints"
"""It takes off all decorators before it reads a signature, and leaves out the types."""

BEFORE_OTHERS = 400
"""Sphinx takes the first answer; 500 is the usual place."""


def keep_signature(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, args: str, returns: str
) -> tuple[str, str] | None:
    """Show the signature that users see of what is dispatched, with types where they are wanted."""
    del what, name, options
    if TYPEHINTS not in app.extensions or not args or getattr(obj, DISPATCH, None) is None:
        return None
    if not app.config.typehints_use_signature:
        args = _without_types(obj, args)
    return args, returns if app.config.typehints_use_signature_return else ""


def _without_types(obj: Any, args: str) -> str:
    """Write a signature without types, and without the object of a method, as autodoc does."""
    signature = inspect.signature(obj)
    parameters = [*signature.parameters.values()]
    # Autodoc knows whether it is a method. Its text cannot be parsed: a default may be anything.
    first = re.search(r"\w+", args)
    if parameters and (first is None or first[0] != parameters[0].name):
        del parameters[0]
    return stringify_signature(signature.replace(parameters=parameters), show_annotation=False)
