"""One settings object: fields of its own, and the selection that the dispatcher keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Annotated, Any

from pydantic import Field, computed_field
from scverse_misc import Settings

from ._backends import dispatcher

_SELECTION = dispatcher.settings


class HostSettings(Settings):
    """Settings of the host.

    ``backend`` and ``fallback`` are no fields: a field would be a second copy of what the
    dispatcher knows, and neither copy would hear of the other's changes.
    """

    n_jobs: Annotated[int, Field(ge=1)] = 1
    """How many processes share the work."""

    # Computed fields are shown and dumped with the others, and stored nowhere.
    @computed_field
    @property
    def backend(self) -> str:
        """Name of the backend that is asked first; ``"cpu"`` is this host's own code."""
        return _SELECTION.backend

    @backend.setter
    def backend(self, labels: str | Sequence[str]) -> None:
        _SELECTION.backend = labels

    @computed_field
    @property
    def fallback(self) -> str:
        """What happens when no selected backend can take a call."""
        return _SELECTION.fallback

    @fallback.setter
    def fallback(self, policy: Any) -> None:
        _SELECTION.fallback = policy

    def use_backend(
        self, *labels: str | Sequence[str], fallback: Any = None
    ) -> AbstractContextManager[None]:
        """Select backends for a block of code, in this thread or task only."""
        return _SELECTION.use_backend(*labels, fallback=fallback)

    @contextmanager
    def override(self, **overrides: Any) -> Iterator[None]:
        """Change settings for a block of code.

        Fields change for the whole process, as always; ``backend`` and ``fallback`` change
        where `use_backend` would change them: in this thread or task.
        """
        selection = {name: overrides.pop(name, None) for name in ("backend", "fallback")}
        with ExitStack() as stack:
            if any(selection.values()):
                stack.enter_context(_block(**selection))
            stack.enter_context(super().override(**overrides))
            yield

    def reset(self, *names: str) -> AbstractContextManager[frozenset[str]]:
        """Reset fields to their defaults.

        Raises
        ------
        ValueError
            For ``backend`` and ``fallback``, which are the dispatcher's.
        """
        for name in {"backend", "fallback"}.intersection(names):
            raise ValueError(f"{name!r} has no default to go back to; set it, or use override().")
        return super().reset(*names)


def _block(backend: str | Sequence[str] | None, fallback: Any) -> AbstractContextManager[None]:
    labels = () if backend is None else (backend,)
    return _SELECTION.use_backend(*labels, fallback=fallback)


settings = HostSettings()
