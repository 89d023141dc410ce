"""The registration of an adapter, from which it is removed again."""

from __future__ import annotations

from typing import Self

from scverse_backends._ground.records import LoadedBackend  # noqa: TC001 - typing.get_type_hints finds it here

from .registry import Registry  # noqa: TC001 - typing.get_type_hints finds it here


class Registration:
    """An adapter registered in this process; made by `BackendDispatcher.register`.

    Attributes
    ----------
    name
        Canonical name of the backend.
    """

    def __init__(self, registry: Registry, backend: LoadedBackend) -> None:
        self._registry = registry
        self._backend = backend
        self.name = backend.name

    def remove(self) -> None:
        """End the registration; doing so twice does no harm."""
        self._registry.remove(self._backend)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()
