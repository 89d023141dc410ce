"""Requests: what users write to select backends, and what it names in this process.

A label that ends in ``?`` is optional. A mapping selects by function: its keys
are dispatch names, or patterns over them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from .selection import Pick

if TYPE_CHECKING:
    from collections.abc import Callable

    from scverse_backends._backends.registry import Registry
    from scverse_backends._ground.records import LoadedBackend, Verdict
    from scverse_backends.exceptions import BackendError

OPTIONAL = "?"
"""Ends a label whose backend is left out where it cannot be had."""

WILDCARDS = frozenset("*?[")

ALTERNATIVES = ":"
"""Stands between the labels of one key in an environment variable, as between folders in PATH."""


class FunctionRequest(NamedTuple):
    """What is asked for the functions that a key fits; options only where a snapshot carries them."""

    key: str
    labels: tuple[Any, ...]
    options: tuple[tuple[str, Any], ...] = ()


class Request(NamedTuple):
    """What somebody asks for.

    Parameters
    ----------
    labels
        In order of preference; empty to keep what surrounds it.
    by_function
        The same for some functions only; the first key that fits a function holds.
    options
        By dispatch name, the options that calls are given.
    """

    labels: tuple[Any, ...] = ()
    by_function: tuple[FunctionRequest, ...] = ()
    options: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...] = ()

    @property
    def written(self) -> tuple[Any, ...]:
        """The labels and mappings, as one would write them."""
        mapping = {one.key: _short(one.labels) for one in self.by_function}
        return (mapping, *self.labels) if mapping else self.labels

    @property
    def every_label(self) -> tuple[Any, ...]:
        """The labels, those of functions too."""
        return (*self.labels, *(label for one in self.by_function for label in one.labels))

    @property
    def written_options(self) -> dict[str, dict[str, Any]]:
        """The options, as one would write them."""
        return {function: dict(given) for function, given in self.options}

    def without_options_of_others(self) -> Request:
        """Leave out the options of functions whose backends are those of what surrounds it."""
        if self.labels:
            return self
        keys = [one.key for one in self.by_function]
        own = (one for one in self.options if any(fnmatchcase(one[0], key) for key in keys))
        return self._replace(options=tuple(own))

    def map(self, change: Callable[[Any], Any]) -> Request:
        """Change every label."""
        keyed = (one._replace(labels=tuple(map(change, one.labels))) for one in self.by_function)
        return self._replace(labels=tuple(map(change, self.labels)), by_function=tuple(keyed))


class Located(NamedTuple):
    """A label, and what it names here; the error says why that is not to be had."""

    label: str
    is_optional: bool
    found: LoadedBackend | Verdict | None = None
    error: BackendError | None = None


def read(given: Iterable[Any], options: Mapping[str, Mapping[str, Any]] | None = None) -> Request:
    """Read labels, several in order of preference, and mappings from functions to those."""
    labels: list[Any] = []
    mapping: dict[str, tuple[Any, ...]] = {}
    for one in given:
        if isinstance(one, Mapping):
            mapping.update((_text(key), tuple(listed(value))) for key, value in one.items())
        else:
            labels += listed(one)
    if not (labels or mapping) and any(isinstance(one, Mapping) for one in given):
        msg = "Name at least one function, as in {'pp.neighbors': 'cuda'}."
        raise ValueError(msg)
    return Request(tuple(labels), _by_length(mapping), _options(options or {}))


def parse(text: str) -> Request:
    """Read what an environment variable selects: ``pp.neighbors=cuda?:torch, tl.*=torch, cpu``."""
    parts = [part.strip() for part in text.split(",")]
    pairs = [part.partition("=") for part in parts if "=" in part]
    mapping = {
        key.strip(): tuple(label.strip() for label in labels.split(ALTERNATIVES))
        for key, _, labels in pairs
    }
    return Request(tuple(part for part in parts if "=" not in part), _by_length(mapping))


def listed(labels: Any) -> list[Any]:
    """Read one label, or several in order of preference."""
    if isinstance(labels, (str, bytes)) or not isinstance(labels, Sequence):
        return [labels]
    if not labels:
        msg = "Name at least one backend; 'cpu' is the host itself."
        raise ValueError(msg)
    return list(labels)


def has_wildcard(key: str) -> bool:
    """Whether a key, or a part of one, is a pattern."""
    return not WILDCARDS.isdisjoint(key)


def _by_length(mapping: Mapping[str, tuple[Any, ...]]) -> tuple[FunctionRequest, ...]:
    """Order keys: names before patterns, the longest first."""
    keys = sorted(mapping, key=lambda key: (has_wildcard(key), -len(key)))
    return tuple(FunctionRequest(key, mapping[key]) for key in keys)


def _text(key: Any) -> str:
    if isinstance(key, str):
        return key
    msg = f"Functions are selected by their dispatch names, such as 'pp.neighbors', not by {key!r}"
    raise TypeError(msg)


def _options(
    options: Mapping[str, Mapping[str, Any]],
) -> tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]:
    """Copy ``{function: {option: value}}``."""
    found: Any = options
    inner = found.values() if isinstance(found, Mapping) else (found,)
    if not all(isinstance(given, Mapping) for given in inner):
        msg = f"options must be {{function: {{option: value}}}}, not {options!r}"
        raise TypeError(msg)
    return tuple((_text(function), tuple(given.items())) for function, given in options.items())


def _short(labels: tuple[Any, ...]) -> Any:
    return labels[0] if len(labels) == 1 else [*labels]


# What the labels name here.


def locate(registry: Registry, label: Any, origin: str | None) -> Located:
    """Find what a label names, loading only what cannot be told otherwise."""
    if not (isinstance(label, str) and label.endswith(OPTIONAL)):
        return Located(label, is_optional=False, found=registry.locate(label, origin))
    label = label.removesuffix(OPTIONAL)
    return attempt_optional(label, lambda: registry.locate(label, origin))


def attempt_optional(label: str, find: Callable[[], LoadedBackend | Verdict | None]) -> Located:
    """Find an optional backend; where there is none, say why."""
    from scverse_backends.exceptions import BackendError

    try:
        return Located(label, is_optional=True, found=find())
    except BackendError as error:
        if _is_mistake(error):
            raise
        return Located(label, is_optional=True, error=error)


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


def _pick(located: Located, use: Callable[[Any], Any]) -> tuple[Pick, BackendError | None]:
    from scverse_backends.exceptions import BackendError, BackendLoadError

    label, is_optional, found, error = located
    if error is None:
        try:
            backend = None if found is None else use(found)
            name = "cpu" if backend is None else backend.name
            return Pick(name, backend, is_optional), None
        except BackendError as failure:
            if not is_optional:
                raise
            error = failure
    failed = isinstance(error, BackendLoadError)
    return Pick(label, None, is_optional, why_left_out(error), failed), error


def why_left_out(error: BackendError) -> str:
    """Say why an optional backend is left out, to complete "backend ..."."""
    from scverse_backends import exceptions as kinds

    if isinstance(error, kinds.BackendNotInstalledError):
        return f"is not installed (pip install {error.package})"
    if isinstance(error, kinds.BackendLoadError):
        return f"could not be loaded: {error.problem}"
    if isinstance(error, kinds.UntrustedBackendError):
        return f"is refused: {error.reason}"
    if isinstance(error, kinds.BackendSnapshotError):
        return f"cannot be selected here: {error.problem}"
    return "is unknown"


def _is_mistake(error: BackendError) -> bool:
    """Whether an optional label is wrong wherever it is written: reserved, ambiguous, no label."""
    from scverse_backends.exceptions import UnknownBackendError

    is_unknown = isinstance(error, UnknownBackendError)
    return is_unknown and not is_just_unknown(error)


def is_just_unknown(error: BackendError | None) -> bool:
    """Whether a label is valid and nothing here has it, though another process may."""
    from scverse_backends.exceptions import UnknownBackendError

    return type(error) is UnknownBackendError and error.problem is None
