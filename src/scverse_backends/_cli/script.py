"""Scripts and modules, run as Python runs them: as ``__main__``, in place of this command."""

from __future__ import annotations

import builtins
import io
import os
import pkgutil
import sys
from functools import partial
from importlib.machinery import (
    BuiltinImporter,
    ExtensionFileLoader,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
)
from importlib.util import find_spec
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from scverse_backends._ground.messages import without_own_frames

from .arguments import MisuseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Program(NamedTuple):
    """What is to be run.

    Parameters
    ----------
    name
        What stands in ``sys.argv[0]``.
    code
        Makes the code; what is wrong with the source is raised when it is called.
    facts
        What its module says of itself: ``__file__``, ``__spec__`` and others.
    """

    name: str
    code: Callable[[], CodeType]
    facts: dict[str, Any]


def find_script(path: str) -> Program:
    """Find a script, or a folder or archive with a ``__main__``, and look for imports beside it.

    ``-`` is standard input, as Python has it.

    Raises
    ------
    MisuseError
        If it is not there.
    """
    if path == "-":
        _put_first("")
        typed = sys.stdin.buffer.read()
        return Program(
            path, lambda: _compiled(typed, "<stdin>"), _facts("<stdin>", BuiltinImporter)
        )
    # As Python, which follows no link here, and keeps the dots that were typed.
    here = os.getcwd()  # noqa: PTH109 - a text, as Python puts it
    place = here if path == "." else os.path.join(here, path)  # noqa: PTH118 - as above
    if pkgutil.get_importer(place) is not None:
        sys.path[: not sys.flags.safe_path] = [place]
        spec = PathFinder.find_spec("__main__", [place])
        if spec is None:
            msg = f"cannot find '__main__' module in {path!r}"
            raise MisuseError(msg)
        return Program(path, lambda: _code_of(spec), _facts_of(spec))
    _put_first(os.path.dirname(os.path.realpath(place)))  # noqa: PTH120 - as above
    try:
        with io.open_code(place) as file:
            source = file.read()
    except OSError as error:
        msg = f"cannot open {path!r}: {error.strerror}"
        raise MisuseError(msg) from error
    loader = SourceFileLoader("__main__", place)
    return Program(path, lambda: _compiled(source, place), _facts(place, loader))


def find_module(name: str) -> Program:
    """Find a module as ``python -m`` does.

    Raises
    ------
    MisuseError
        If it is not there, or cannot be run.
    """
    _put_first(os.getcwd())  # noqa: PTH109 - as above
    try:
        spec = _spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = _spec(f"{name}.__main__")
    except BaseException as error:  # noqa: BLE001 - of a package around it, which is of the program
        return Program(name, partial(_fail, error), _facts(None, None))
    if spec is None or spec.origin is None or _has_no_code(spec):
        msg = f"no module {name!r} that can be run"
        raise MisuseError(msg)
    return Program(spec.origin, lambda: _code_of(spec), _facts_of(spec))


def run(program: Program, arguments: Sequence[str]) -> int:
    """Run a program; what it raises is shown as Python shows it, without the frames of this command.

    Returns
    -------
    int
        The exit status.

    Raises
    ------
    SystemExit
        If the program does.
    KeyboardInterrupt
        If the program is interrupted, as Python ends it then: by the signal.
    """
    main = ModuleType("__main__")
    # Python says more of a main module in some versions than in others.
    said = vars(sys.modules["__main__"])
    vars(main).update({name: fact for name, fact in program.facts.items() if name in said})
    # It stays: threads and pickles of the program look for it until the process ends.
    sys.modules["__main__"] = main
    sys.argv[:] = [program.name, *arguments]
    try:
        exec(program.code(), vars(main))  # noqa: S102 - what this command is for
    except SystemExit:
        raise
    except BaseException as error:
        traceback = without_own_frames(error.__traceback__)
        sys.excepthook(type(error), error.with_traceback(traceback), traceback)
        if isinstance(error, KeyboardInterrupt):
            sys.excepthook = shown_already
            raise
        return 1
    return 0


def shown_already(*_: object) -> None:
    """Show nothing of an interrupt, when it ends the process."""


def _put_first(folder: str) -> None:
    """Look for imports here first, in place of where this command was found."""
    if not sys.flags.safe_path:
        sys.path[0] = folder


def _compiled(source: bytes, place: str) -> CodeType:
    return pkgutil.read_code(io.BytesIO(source)) or compile(
        source, place, "exec", dont_inherit=True
    )


def _spec(name: str) -> ModuleSpec | None:
    try:
        return find_spec(name)
    except ModuleNotFoundError as error:
        if f"{name}.".startswith(f"{error.name}."):
            return None
        raise


def _fail(error: BaseException) -> NoReturn:
    raise error


def _code_of(spec: ModuleSpec) -> CodeType:
    loader: Any = spec.loader
    code: CodeType = loader.get_code(spec.name)
    return code


def _has_no_code(spec: ModuleSpec) -> bool:
    loader: Any = spec.loader
    return loader is BuiltinImporter or isinstance(loader, ExtensionFileLoader)


def _facts_of(spec: ModuleSpec) -> dict[str, Any]:
    found = {"__cached__": spec.cached, "__package__": spec.parent, "__spec__": spec}
    return _facts(spec.origin, spec.loader) | found


def _facts(file: str | None, loader: object) -> dict[str, Any]:
    return {
        "__annotations__": {},
        "__builtins__": builtins,
        "__cached__": None,
        "__file__": file,
        "__loader__": loader,
        "__package__": None,
        "__spec__": None,
    }
