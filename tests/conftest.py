"""The world that tests build: a folder of real installed distributions, and hosts that look there."""

from __future__ import annotations

import importlib
import itertools
import sys
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from scverse_backends import BackendDispatcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

# A group of our own: the packages under examples/ may be installed beside the tests.
GROUP = "tests.example_host.backends"
_numbers = itertools.count()

# Choose the other with --hypothesis-profile=long.
settings.register_profile("fast", max_examples=50, deadline=None)
settings.register_profile("long", max_examples=4000, deadline=None)
settings.load_profile("fast")


@dataclass(frozen=True)
class Site:
    """A folder on ``sys.path`` in which distributions are installed as pip would install them."""

    folder: Path

    def write(self, path: str, text: str) -> Path:
        """Write one file, indented as is convenient in the test."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
        importlib.invalidate_caches()
        return file

    def install(
        self,
        distribution: str,
        *,
        version: str = "1.0",
        entry_points: Mapping[str, str] | None = None,
        group: str = GROUP,
        modules: Mapping[str, str] | None = None,
    ) -> Path:
        """Install a distribution: its metadata, its entry points, its modules.

        Returns the ``.dist-info`` folder. Modules are named with dots;
        ``"pkg"`` with another ``"pkg.sub"`` becomes a package.
        """
        info = f"{distribution.replace('-', '_')}-{version}.dist-info"
        self.write(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        lines = "".join(f"{name} = {value}\n" for name, value in (entry_points or {}).items())
        self.write(f"{info}/entry_points.txt", f"[{group}]\n{lines}")
        modules = dict(modules or {})
        packages = {name[:dot] for name in modules for dot in _dots(name)}
        for package in packages:
            modules.setdefault(package, "")
        for name, source in modules.items():
            path = name.replace(".", "/")
            self.write(f"{path}/__init__.py" if name in packages else f"{path}.py", source)
        return self.folder / info

    def imported(self) -> set[str]:
        """Name the modules of this site that are in ``sys.modules``."""
        return {
            name
            for name, module in [*sys.modules.items()]
            if any(str(place).startswith(str(self.folder)) for place in _places(module))
        }


def _dots(name: str) -> list[int]:
    return [index for index, letter in enumerate(name) if letter == "."]


def _places(module: Any) -> list[Any]:
    """List where a module comes from; a namespace package has no file."""
    # Not by getattr: a backend's own __getattr__ may do, or raise, anything.
    namespace = getattr(module, "__dict__", {})
    return [namespace.get("__file__"), *(namespace.get("__path__") or ())]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give an empty site; what is imported from it is forgotten afterwards."""
    made = Site(tmp_path / f"site{next(_numbers)}")
    made.folder.mkdir()
    monkeypatch.syspath_prepend(str(made.folder))
    yield made
    for name in made.imported():
        del sys.modules[name]


@pytest.fixture
def make_dispatcher() -> Callable[..., BackendDispatcher]:
    """Make dispatchers of ``example_host``, with whatever a test configures."""

    def make(**options: Any) -> BackendDispatcher:
        options.setdefault("entrypoint_group", GROUP)
        options.setdefault("host_name", "example_host")
        return BackendDispatcher(**options)

    return make


@pytest.fixture
def dispatcher(make_dispatcher: Callable[..., BackendDispatcher]) -> BackendDispatcher:
    """Give a dispatcher of ``example_host`` with nothing configured."""
    return make_dispatcher()
