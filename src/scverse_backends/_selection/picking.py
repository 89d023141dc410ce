"""Picking: what labels name in this process, and what of it is had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends import exceptions as kinds
from scverse_backends._ground.labels import CPU
from scverse_backends.exceptions import BackendError

from .request import OPTIONAL
from .selection import Pick, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scverse_backends._backends.registry import Registry
    from scverse_backends._ground.records import LoadedBackend, Verdict

    from .request import Request


class Located(NamedTuple):
    """A label, and what it names here; the error says why that is not to be had."""

    label: str
    is_optional: bool
    found: LoadedBackend | Verdict | None = None
    error: BackendError | None = None


def locate(registry: Registry, label: Any, origin: str | None) -> Located:
    """Find what a label names, loading only what cannot be told otherwise."""
    is_optional = isinstance(label, str) and label.endswith(OPTIONAL)
    name = label.removesuffix(OPTIONAL) if is_optional else label
    return attempt_to_locate(name, lambda: registry.locate(name, origin), is_optional=is_optional)


def attempt_to_locate(
    label: str, find: Callable[[], LoadedBackend | Verdict | None], *, is_optional: bool
) -> Located:
    """Find a backend; where there is none and it is optional, say why.

    Raises
    ------
    BackendError
        If it is not optional; or if it is wrong wherever it is written, as a reserved name is.
    """
    try:
        return Located(label, is_optional, find())
    except BackendError as error:
        is_mistake = isinstance(error, kinds.UnknownBackendError) and not is_just_unknown(error)
        if is_mistake or not is_optional:
            raise
        return Located(label, is_optional, error=error)


def pick_all(
    located: Iterable[Located], use: Callable[[Any], Any]
) -> tuple[tuple[Pick, ...], BackendError | None]:
    """Load what was located, each backend once; give the first error too, if nothing remains."""
    picks: dict[Any, Pick] = {}
    errors: list[BackendError] = []
    for one in located:
        pick, error = _pick(one, use)
        picks.setdefault(pick.name if error else pick.backend, pick)
        errors += [error] if error else []
    nothing = bool(errors) and all(pick.left_out for pick in picks.values())
    return tuple(picks.values()), errors[0] if nothing else None


def pick_by_function(asked: Request, use: Callable[[Any], Any], origin: str | None) -> list[Rule]:
    """Load what is asked for some functions only.

    A key whose labels are all left out leaves its functions to what surrounds it.
    """
    return [
        Rule(key, pick_all(labels, use)[0], origin, options)
        for key, labels, options in asked.by_function
    ]


def _pick(located: Located, use: Callable[[Any], Any]) -> tuple[Pick, BackendError | None]:
    label, is_optional, found, error = located
    if error is None:
        try:
            backend = None if found is None else use(found)
            name = CPU if backend is None else backend.name
            return Pick(name, backend, is_optional), None
        except BackendError as failure:
            if not is_optional:
                raise
            error = failure
    failed = isinstance(error, kinds.BackendLoadError)
    return Pick(label, None, is_optional, why_left_out(error), failed), error


def why_left_out(error: BackendError) -> str:
    """Say why an optional backend is left out, to complete "backend ..."."""
    if isinstance(error, kinds.BackendNotInstalledError):
        return f"is not installed (pip install {error.package})"
    if isinstance(error, kinds.BackendLoadError):
        return f"could not be loaded: {error.problem}"
    if isinstance(error, kinds.UntrustedBackendError):
        return f"is refused: {error.reason}"
    if isinstance(error, kinds.BackendSnapshotError):
        return f"cannot be selected here: {error.problem}"
    return "is unknown"


def is_just_unknown(error: BackendError | None) -> bool:
    """Whether a label is valid and nothing here has it, though another process may."""
    return type(error) is kinds.UnknownBackendError and error.problem is None
