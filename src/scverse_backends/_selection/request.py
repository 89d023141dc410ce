"""Requests: what users write to select backends, and which functions that is about.

A label that ends in ``?`` is optional. A mapping selects by function: its keys
are dispatch names, or patterns over them. A host may import parts of itself
late. So where a key fits no function, the host's attribute of that name is read
once, as ``host.tl.umap`` would read it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends import exceptions as kinds
from scverse_backends._ground.labels import CPU, fold, quoted
from scverse_backends._ground.safe_repr import attempt

from .selection import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .processes import HostAddress
    from .selection import Selection

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


def read_request(
    given: Iterable[Any], options: Mapping[str, Mapping[str, Any]] | None = None
) -> Request:
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


def names_host(label: Any) -> bool:
    """Whether a label is the host's own, however it is written."""
    return isinstance(label, str) and fold(label.removesuffix(OPTIONAL)) == CPU


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
    are_maps = all(isinstance(given, Mapping) for given in inner)
    if not (are_maps and all(isinstance(name, str) for given in inner for name in given)):
        msg = f"options must be {{function: {{option: value}}}} with names as keys, not {options!r}"
        raise TypeError(msg)
    return tuple((_text(function), tuple(given.items())) for function, given in options.items())


def _short(labels: tuple[Any, ...]) -> Any:
    return labels[0] if len(labels) == 1 else [*labels]


# Which functions the keys fit, and which options those have.


def unknown_keys(
    asked: Request, functions: Mapping[str, Any], address: HostAddress, origin: str | None = None
) -> Iterator[kinds.UnknownFunctionError]:
    """Give an error for each key that fits no dispatched function."""
    keys: list[tuple[str, Callable[[str], bool]]]
    keys = [(one.key, partial(_fits_any, functions)) for one in asked.by_function]
    keys += [(name, functions.__contains__) for name, _ in asked.options]
    for key, fits in keys:
        if not fits(key):
            _import_late(key, address.module.partition(".")[0])
        if not fits(key):
            known = sorted(functions)
            yield kinds.UnknownFunctionError(key, host=address.host, known=known, origin=origin)


def check_names(asked: Request, functions: Mapping[str, Any]) -> None:
    """Refuse options that give one parameter of a function by two of its names.

    Raises
    ------
    TypeError
        If a block has such options.
    """
    for function, given in asked.options:
        names_of = functions[function].function.names_of
        for option, _ in given:
            names = [name for name, _ in given if name in names_of(option)]
            if len(names) > 1:
                msg = (
                    f"The options for {function} give one parameter by two names, {quoted(names)}. "
                    "Give one of them."
                )
                raise TypeError(msg)


def rules_with_options(
    asked: Request, functions: Mapping[str, Any], selection: Selection
) -> tuple[Rule, ...]:
    """Add to a selection's rules the options of a block, beside those that there are already.

    Raises
    ------
    UnknownOptionError
        If no selected backend's function has one. Where an optional backend is left out, the
        option may be its own. A function that is not imported here yet is one of a block that
        another process made, which checked it.
    """
    rules = []
    for name, pairs in asked.options:
        chosen, options, known = selection.of(name), dict(pairs), functions.get(name)
        names: set[str] = set()
        if known is not None:
            names = {other for one in options for other in known.function.names_of(one)}
            if not chosen.omitted:
                _check_options(known, options, chosen)
        kept = {n: v for n, v in chosen.options if n in options or n not in names}
        rules.append(Rule(name, chosen.picks, chosen.origin, tuple({**kept, **options}.items())))
    return (*rules, *selection.rules)


def _check_options(dispatch: Any, options: Mapping[str, Any], chosen: Selection) -> None:
    backends = [backend for backend in chosen.backends if backend is not None]
    for option in options:
        if not any(dispatch.takes_option(backend, option) for backend in backends):
            raise kinds.UnknownOptionError(
                option,
                function=dispatch.function.name,
                host=dispatch.selector.configuration.host,
                backends=chosen.names,
                known=sorted({own for backend in backends for own in dispatch.options_of(backend)}),
            )


def _fits_any(functions: Mapping[str, Any], key: str) -> bool:
    return key in functions or any(fnmatchcase(name, key) for name in [*functions])


def _import_late(key: str, package: str) -> None:
    """Read what a key names in the host's package; of a pattern, all that its namespace lists."""
    found: Any = sys.modules.get(package)
    for part in key.split("."):
        if has_wildcard(part):
            for name in getattr(found, "__all__", ()):
                _attribute(found, name)
            return
        found = _attribute(found, part)


def _attribute(owner: Any, name: str) -> Any:
    return attempt(lambda: getattr(owner, name, None), lambda _: None)
