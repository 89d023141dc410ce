"""What tests of several rooms share: distributions without a folder, and Python in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import Distribution
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

GROUP = "tests.example_host.backends"


@pytest.fixture
def find_distributions(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """Have a function asked for distributions too, before any other finder of Python's."""

    def find_distributions(find: Callable[..., Any]) -> None:
        finder = SimpleNamespace(find_spec=lambda *_: None, find_distributions=find)
        monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])

    return find_distributions


class Packed(Distribution):
    """A distribution that has no folder, as one in a frozen application."""

    def __init__(self, name: str, version: str, point: str, locate: Callable[..., Any]) -> None:
        self.locate = locate
        self.texts = {
            "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            "entry_points.txt": f"[{GROUP}]\n{point}\n",
        }

    def read_text(self, filename: Any) -> str | None:
        return self.texts.get(filename)

    def locate_file(self, path: Any) -> Any:
        return self.locate(path)


@pytest.fixture
def pack() -> type[Packed]:
    """Make a distribution that has no folder: ``pack("name", "1.0", "point = module", locate)``."""
    return Packed


@pytest.fixture
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python to its end, where what this process could import can be imported."""

    def run_python(*arguments: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run_python
