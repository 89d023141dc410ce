"""Manifests: files that say what a backend offers, for whoever must not import it to know.

A backend ships one beside its adapter module. These functions write it and
keep it true, as the commands ``scverse-backends manifest write`` and
``scverse-backends manifest check`` do. Hosts find and read it by themselves.
"""

from __future__ import annotations

import difflib
from pathlib import Path

from ._backends.facts import AdapterError
from ._backends.manifest.outlines import Opaque
from ._backends.manifest.places import beside
from ._backends.manifest.reading import loads
from ._backends.manifest.record import Manifest, ManifestError, Offer
from ._backends.manifest.signature_text import read as read_signature
from ._backends.manifest.signature_text import write as write_signature
from ._backends.manifest.toml import dumps
from ._backends.offers import describe_adapter as describe

__all__ = [
    "AdapterError",
    "Manifest",
    "ManifestError",
    "Offer",
    "Opaque",
    "check",
    "describe",
    "dumps",
    "loads",
    "place",
    "read_signature",
    "write",
    "write_signature",
]


def place(adapter: str) -> Path:
    """Tell where the manifest of an adapter belongs.

    Parameters
    ----------
    adapter
        As an entry point names it, ``package.module`` or ``package.module:attribute``.

    Returns
    -------
    Path
        Beside its module, with its name.

    Raises
    ------
    AdapterError
        If the module is nowhere to be found, or in no folder.

    Examples
    --------
    >>> place("xml.dom.minidom").name
    'minidom.toml'
    """
    module = adapter.partition(":")[0].strip()
    found = beside(module)
    if found is None:
        msg = f"no folder holds the module {module!r}; name the file"
        raise AdapterError(msg)
    return found


def write(adapter: str, file: str | Path | None = None) -> Path:
    """Write the manifest of an adapter, which is imported for that.

    Parameters
    ----------
    adapter
        As an entry point names it.
    file
        Where to write; beside the adapter's module if left out.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    AdapterError
        If it is no adapter.
    """
    target = place(adapter) if file is None else Path(file)
    target.write_text(dumps(describe(adapter)), encoding="utf-8", newline="\n")
    return target


def check(adapter: str, file: str | Path | None = None) -> str:
    """Compare the manifest of an adapter with the adapter, which is imported for that.

    Parameters
    ----------
    adapter
        As an entry point names it.
    file
        What to compare; the file beside the adapter's module if left out.

    Returns
    -------
    str
        A difference in the unified format, from what the file says to what the
        adapter is; empty where the file is true.

    Raises
    ------
    AdapterError
        If it is no adapter.
    ManifestError
        If the file is no manifest.
    OSError
        If it cannot be read.
    """
    target = place(adapter) if file is None else Path(file)
    found, said = dumps(describe(adapter)), dumps(loads(target.read_bytes()))
    lines = difflib.unified_diff(
        said.splitlines(), found.splitlines(), str(target), f"{adapter}, imported", lineterm=""
    )
    return "\n".join(lines)
