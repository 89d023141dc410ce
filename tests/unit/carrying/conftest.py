"""A host that can be imported, backends for it, and a second process that takes snapshots."""

from __future__ import annotations

import itertools
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import scverse_backends

if TYPE_CHECKING:
    from types import ModuleType

SOURCE = Path(scverse_backends.__file__).parents[1]
_numbers = itertools.count()

HOST = """
    import asyncio
    from scverse_backends import BackendDispatcher

    dispatcher = BackendDispatcher(
        entrypoint_group="{name}.backends", host_name="{name}",
        trusted_backends={{"fast": {{"package": "fast-backend"}}}}, untrusted="allow",
    )
    settings = dispatcher.settings

    @dispatcher.backend_dispatch
    def where(): return "cpu"

    @dispatcher.backend_dispatch
    async def where_async():
        await asyncio.sleep(0)
        return "cpu"

    @dispatcher.backend_dispatch
    def rows(): yield "cpu"

    @dispatcher.backend_class
    class Model:
        def __init__(self, layers=2): self.layers = layers

    class Plain:
        def ask(self): return where()

    def ask(): return where()

    async def ask_async(): return await where_async()
"""
BACKEND = """
    import asyncio
    name = {name!r}
    aliases = ["quick-{name}"]
    __all__ = ["where", "where_async", "rows", "Model"]
    def where(): return "{name} {version}"
    async def where_async():
        await asyncio.sleep(0)
        return "{name} {version}"
    def rows(): yield "{name} {version}"
    class Model:
        def __init__(self, layers=2): self.backend = "{name} {version}"
"""


@dataclass(frozen=True)
class World:
    """A host as a module, in a site; what is installed for it may change."""

    site: Any
    name: str

    def install(self, name="fast", version="1.0", source=BACKEND):
        """Install a version of a backend, in place of any other."""
        self.uninstall(name)
        module = f"{self.name}_{name}"
        self.site.install(
            f"{name}-backend",
            version=version,
            group=f"{self.name}.backends",
            entry_points={name: module},
            modules={module: source.format(name=name, version=version)},
        )

    def uninstall(self, name="fast"):
        for folder in self.site.folder.glob(f"{name}_backend-*.dist-info"):
            shutil.rmtree(folder)

    def write_host(self, source=HOST):
        self.site.write(f"{self.name}.py", source.format(name=self.name))

    def load(self) -> ModuleType:
        return __import__(self.name)

    def elsewhere(self, expression, *before, **environment) -> Any:
        """Evaluate an expression about ``host`` in a process of its own; give the result as it pickled."""
        lines = [
            "import pickle, sys",
            f"import {self.name} as host",
            *before,
            f"sys.stdout.buffer.write(pickle.dumps({expression}))",
        ]
        finished = subprocess.run(
            [sys.executable, "-c", "\n".join(lines)],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(SOURCE), str(self.site.folder)]),
                **environment,
            },
            stdout=subprocess.PIPE,
            check=True,
        )
        return pickle.loads(finished.stdout)


@pytest.fixture
def world(site):
    """A host of its own name, for which ``fast`` is installed, 1.0, and ``other``."""
    made = World(site, f"carried_host_{next(_numbers)}")
    made.write_host()
    made.install("fast")
    made.install("other")
    return made


@pytest.fixture
def host(world):
    """The host, imported."""
    return world.load()
