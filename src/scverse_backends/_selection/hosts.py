"""Hosts: the dispatchers of this process, by what another process can know of them."""

from __future__ import annotations

from typing import Any

Home = tuple[str, str, str]
"""A host's name, its entry-point group, and the module whose import makes its dispatcher."""

# The main module of a spawned process is imported under the second of these names.
MAIN = {"__mp_main__": "__main__"}

_made: dict[Home, Any] = {}


def settle(host: str, group: str, module: str, selector: Any) -> Home:
    """Note the selector of a dispatcher that was made; a module imported anew makes a new one."""
    home = (host, group, MAIN.get(module, module))
    _made[home] = selector
    return home


def find(home: Home) -> Any:
    """Give the selector of a host that was made here; ``None`` if there is none."""
    return _made.get(home)


def find_elsewhere(home: Home) -> Any:
    """Give the selector of a host that another module made here than it does elsewhere."""
    made = [selector for found, selector in [*_made.items()] if found[:2] == home[:2]]
    return made[-1] if made else None
