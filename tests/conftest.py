"""The world that tests build: a folder of real installed distributions, and hosts that look there."""

from __future__ import annotations

import copyreg
import importlib
import itertools
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

import scverse_backends
from scverse_backends import BackendDispatcher, exceptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

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
        # What was compiled of an earlier text passes for this one, if both are of one second and length.
        Path(cache_from_source(str(file))).unlink(missing_ok=True)
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

    def backend(self, name: str, source: str = "", *, reference: str = "", **more: Any) -> Path:
        """Install a backend of one module, ``NAME_backend`` of ``NAME-backend`` if nothing else is said."""
        reference = reference or f"{name.lower().replace('-', '_').replace('.', '_')}_backend"
        module = reference.partition(":")[0]
        distribution = more.pop("distribution", f"{name}-backend")
        modules = {module: source or f"name = {name!r}"}
        return self.install(distribution, entry_points={name: reference}, modules=modules, **more)

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


@pytest.fixture(autouse=True, scope="session")
def _options_of_this_run_alone() -> None:
    """Keep the options of this run from those that tests start, which inherit the environment."""
    os.environ.pop("PYTEST_ADDOPTS", None)


@pytest.fixture(autouse=True)
def _pickled_as_without_dask() -> None:
    """Let our errors pickle by themselves.

    Dask, once anything has imported it, has every class of exceptions that there is by then pickle
    its causes too.
    """
    for name in exceptions.__all__:
        copyreg.dispatch_table.pop(getattr(exceptions, name), None)


@pytest.fixture
def lines_of_ours() -> Callable[[Any], int]:
    """Count the lines of a caught error's traceback that are in this library."""
    package = Path(scverse_backends.__file__).parent

    def count(caught: Any) -> int:
        return sum(Path(entry.path).is_relative_to(package) for entry in caught.traceback)

    return count


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


@pytest.fixture
def offer(dispatcher: BackendDispatcher) -> Callable[..., Any]:
    """Register a backend of this process: ``offer(umap=function, renames={...})``."""

    def offer(name: str = "mine", **attributes: Any) -> Any:
        return dispatcher.register(SimpleNamespace(name=name, **attributes))

    return offer


CARRIED_HOST = """
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
    def ask_silently():
        with settings.use_backend(fallback="silent"): return where()
    def seen(): return settings.backends, settings.fallback
    async def ask_async(): return await where_async()
"""
CARRIED_BACKEND = """
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

    def install(self, name="fast", version="1.0", source=CARRIED_BACKEND):
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

    def write_host(self, source=CARRIED_HOST):
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
                "PYTHONPATH": os.pathsep.join(
                    [str(Path(scverse_backends.__file__).parents[1]), str(self.site.folder)]
                ),
                **environment,
            },
            stdout=subprocess.PIPE,
            check=True,
        )
        return pickle.loads(finished.stdout)


def found_world(site):
    """Write a host of its own name, for which ``fast`` is installed, 1.0, and ``other``."""
    made = World(site, f"carried_host_{next(_numbers)}")
    made.write_host()
    made.install("fast")
    made.install("other")
    return made


@pytest.fixture
def world(site):
    """Give a host of its own name, for which ``fast`` is installed, 1.0, and ``other``."""
    return found_world(site)


@pytest.fixture(scope="session")
def taken_elsewhere(tmp_path_factory):
    """Name a host, and give the text of a snapshot of it that another process took, once for all."""
    made = found_world(Site(tmp_path_factory.mktemp("taken")))
    select = "host.settings.backend = ['fast', 'other', 'cpu']"
    return made.name, made.elsewhere("host.settings.snapshot().to_json()", select)


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory):
    """Give such a world to all tests of a module."""
    with pytest.MonkeyPatch.context() as patch:
        made = Site(tmp_path_factory.mktemp("shared"))
        patch.syspath_prepend(str(made.folder))
        yield found_world(made)


DECORATED_HOST = """
    import functools
    from scverse_backends import BackendDispatcher
    dispatcher = BackendDispatcher(entrypoint_group="example.backends", host_name="example")
    def noted(func):
        @functools.wraps(func)
        def note(*args, **kwargs): return func(*args, **kwargs)
        return note
    @noted
    @dispatcher.backend_dispatch
    def scale(data, factor=2): return "host"
    @noted
    @noted
    @dispatcher.backend_dispatch
    def double(values): return "host"
    def twice(values): return double(values, backend="mine")
"""


@pytest.fixture
def decorated_host(site):
    """Give a host whose functions stand inside decorators of its own."""
    site.write("decorated_host.py", DECORATED_HOST)
    return importlib.import_module("decorated_host")
