"""Aims: which parameters of implementations those of one host function are meant for.

They follow from the host's parameters and an adapter's renames alone, so that
any implementation, and any part of one, can be held against them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .parameters import alike

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .parameters import Parameters


class Aims:
    """Where the parameters of a host function go under some renames.

    Attributes
    ----------
    targets
        The name under which each of them would be received; ``None`` where that
        name is the implementation's for another of them.
    """

    def __init__(self, host: Parameters, renames: Mapping[str, str]) -> None:
        self._names, self._defaults = host.names, host.defaults
        meant = {theirs for ours, theirs in renames.items() if ours in host.names}
        self.targets = {
            name: None if name in meant and name not in renames else renames.get(name, name)
            for name in host.names
        }
        self._received = {target: name for name, target in self.targets.items() if target}

    def is_option(self, name: str) -> bool:
        """Whether a parameter of an implementation is one that the host's function has not."""
        return name not in self._received and name not in self._names

    def differing(self, name: str, default: Any) -> str | None:
        """Name the parameter of the host that a parameter receives, if its default is another."""
        ours = self._received.get(name)
        if ours is None or ours not in self._defaults or alike(self._defaults[ours], default):
            return None
        return ours
