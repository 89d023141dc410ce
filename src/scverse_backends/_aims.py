"""Aims: which parameters of implementations those of one host function are meant for.

They follow from the host's parameters and an adapter's renames alone, so that
any implementation, and any part of one, can be held against them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._model import DefaultDifference
from ._parameters import alike

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._parameters import Parameters


class Aims:
    """Where the parameters of a host function go under some renames.

    Attributes
    ----------
    targets
        The name under which each of them would be received; ``None`` where that
        name is the implementation's for another of them.
    """

    def __init__(self, host: Parameters, renames: Mapping[str, str]) -> None:
        self._host = host
        meant = {theirs for ours, theirs in renames.items() if ours in host.names}
        self.targets = {
            name: None if name in meant and name not in renames else renames.get(name, name)
            for name in host.names
        }
        self._received = {target: name for name, target in self.targets.items() if target}

    def is_option(self, name: str) -> bool:
        """Whether a parameter of an implementation is one that the host's function has not."""
        return name not in self._received and name not in self._host.names

    def difference(self, name: str, default: Any) -> DefaultDifference | None:
        """Compare the default of a parameter with the one of the host's that it receives."""
        ours = self._received.get(name)
        if ours is None or ours not in self._host.defaults:
            return None
        host = self._host.defaults[ours]
        return None if alike(host, default) else DefaultDifference(ours, host, default)
