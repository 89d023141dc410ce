"""Manifests: files that say what a backend offers, read without importing the backend.

A backend ships one beside its adapter module. These functions write it and
check that it is up to date, as the commands ``scverse-backends manifest
write`` and ``scverse-backends manifest check`` do. Hosts find and read it by
themselves.
"""

from __future__ import annotations

import difflib
from pathlib import Path

from ._backends.facts import AdapterError
from ._backends.manifest import Manifest, ManifestError, Offer, beside, loads
from ._backends.offers import describe_adapter as describe
from ._backends.offers import dumps
from ._backends.signature_text import Opaque, read_signature, write_signature

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
        If the module cannot be found, or is not in a folder.

    Examples
    --------
    >>> place("xml.dom.minidom").name
    'minidom.toml'
    """
    module = adapter.partition(":")[0].strip()
    found = beside(module)
    if found is None:
        msg = f"no folder holds the module {module!r}; check its name, or name the file"
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
        If it is not an adapter.
    ManifestError
        If it offers so much that no host would read the file.
    """
    target = place(adapter) if file is None else Path(file)
    text = dumps(describe(adapter))
    loads(text.encode())
    target.write_text(text, encoding="utf-8", newline="\n")
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
        adapter is; empty where the file is up to date.

    Raises
    ------
    AdapterError
        If it is not an adapter.
    ManifestError
        If the file is not a manifest.
    OSError
        If it cannot be read.
    """
    target = place(adapter) if file is None else Path(file)
    found, said = dumps(describe(adapter)), dumps(loads(target.read_bytes()))
    lines = difflib.unified_diff(
        said.splitlines(), found.splitlines(), str(target), f"{adapter}, imported", lineterm=""
    )
    return "\n".join(lines)
