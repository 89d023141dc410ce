"""Keys: which dispatched functions a selection by function names, and which options those have.

A host may import parts of itself late. So where a key fits no function, the
host's attribute of that name is read once, as ``host.tl.umap`` would read it.
"""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.labels import quoted
from scverse_backends._ground.safe_repr import attempt
from scverse_backends.exceptions import UnknownFunctionError, UnknownOptionError

from .request import has_wildcard
from .selection import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .hosts import HostAddress
    from .request import Request
    from .selection import Selection


def unknown_keys(
    asked: Request, functions: Mapping[str, Any], address: HostAddress, origin: str | None = None
) -> Iterator[UnknownFunctionError]:
    """Give an error for each key that fits no dispatched function."""
    patterns, names = [one.key for one in asked.by_function], [name for name, _ in asked.options]
    for key, fits in (*((one, _fits_any) for one in patterns), *((one, _is_one) for one in names)):
        if not fits(key, functions):
            _import_late(key, address.module.partition(".")[0])
        if not fits(key, functions):
            known = sorted(functions)
            yield UnknownFunctionError(key, host=address.host, known=known, origin=origin)


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
            raise UnknownOptionError(
                option,
                function=dispatch.function.name,
                host=dispatch.selector.configuration.host,
                backends=chosen.names,
                known=sorted({own for backend in backends for own in dispatch.options_of(backend)}),
            )


def _is_one(name: str, functions: Mapping[str, Any]) -> bool:
    return name in functions


def _fits_any(key: str, functions: Mapping[str, Any]) -> bool:
    return key in functions or any(fnmatchcase(name, key) for name in [*functions])


def _import_late(key: str, package: str) -> None:
    """Read what a key names in the host's package; of a pattern, all that its namespace lists."""
    found: Any = sys.modules.get(package)
    for part in key.split("."):
        if has_wildcard(part):
            for name in getattr(found, "__all__", ()):
                _read(found, name)
            return
        found = _read(found, part)


def _read(owner: Any, name: str) -> Any:
    return attempt(lambda: getattr(owner, name, None), lambda _: None)
