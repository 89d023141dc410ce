"""Keys: which dispatched functions a selection by function names, and which options those have.

A host may import parts of itself late. So where a key fits no function, the
host's attribute of that name is read once, as ``host.tl.umap`` would read it.
"""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.safe_repr import attempt
from scverse_backends.exceptions import UnknownFunctionError, UnknownOptionError

from .asked import has_wildcard

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .asked import Asked
    from .hosts import HostAddress
    from .state import Selection


def misfits(
    asked: Asked, functions: Mapping[str, Any], address: HostAddress, origin: str | None = None
) -> Iterator[UnknownFunctionError]:
    """Give an error for each key that fits no dispatched function."""
    patterns, names = [one.key for one in asked.keyed], [name for name, _ in asked.options]
    for key, fits in (*((one, _fits_any) for one in patterns), *((one, _is_one) for one in names)):
        if not fits(key, functions):
            _import_late(key, address.module.partition(".")[0])
        if not fits(key, functions):
            known = sorted(functions)
            yield UnknownFunctionError(key, host=address.host, known=known, origin=origin)


def check_options(asked: Asked, functions: Mapping[str, Any], selection: Selection) -> None:
    """Refuse an option that no selected backend's function has.

    Where an optional backend is left out, the option may be its own.

    Raises
    ------
    UnknownOptionError
        If there is one.
    """
    for name, options in asked.options:
        chosen, function = selection.of(name), functions[name]
        backends = [backend for backend in chosen.backends if backend is not None]
        for option, _ in () if chosen.omitted else options:
            if not any(function.takes_option(backend, option) for backend in backends):
                known = [own for backend in backends for own in function.options_of(backend)]
                raise UnknownOptionError(
                    option,
                    function=name,
                    host=function.selector.configuration.host,
                    backends=chosen.names,
                    known=sorted(known),
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
