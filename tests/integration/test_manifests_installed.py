"""Manifests in real builds, each installed in each of its ways; no adapter can be imported."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from textwrap import dedent

import pytest

import scverse_backends

HATCHLING = """
    [build-system]
    requires = ["hatchling"]
    build-backend = "hatchling.build"

    [tool.hatch.build.targets.wheel]
    {options}
"""
SETUPTOOLS = """
    [build-system]
    requires = ["setuptools"]
    build-backend = "setuptools.build_meta"

    [tool.setuptools]
    {options}

    [tool.setuptools.package-data]
    "*" = ["*.toml"]
"""
PROJECT = """
    [project]
    name = "{name}"
    version = "1.0"

    [project.entry-points."tiny_host.backends"]
    {name} = "{module}"
"""
MANIFEST = """
    schema = 1
    name = "tiny-{name}"
    aliases = ["wee-{name}"]

    [functions.double]
    signature = "(values, *, tiles: int = 4)"
"""
HOST = """
    import json, site, sys
    for place in sys.argv[1:]:
        sys.path.insert(0, place) if place.endswith(".whl") else site.addsitedir(place)
    from scverse_backends import BackendDispatcher
    dispatcher = BackendDispatcher(entrypoint_group="tiny_host.backends", host_name="tiny_host")
    @dispatcher.backend_dispatch
    def double(values):
        '''Double.

        Parameters
        ----------
        values
            What to double.
        '''
    names = [info.name for info in dispatcher.backends()]
    block = dispatcher.settings.use_backend(*(name.replace("tiny", "wee") for name in names))
    dispatcher.discover()
    here = ("tiny_", "suite")
    print(json.dumps({
        "names": names,
        "labels": dispatcher.available_backend_names(),
        "shown": [line.strip() for line in double.__doc__.splitlines() if "tiles" in line],
        "imported": sorted(n for n in sys.modules if n.startswith(here) and "__editable" not in n),
    }))
"""
BUILD = """
    import importlib, json, sys
    module, hook, target, settings = sys.argv[1:]
    made = getattr(importlib.import_module(module), hook)(target, json.loads(settings))
    print(made)
"""


class Project:
    """A backend's source tree, built without the network."""

    def __init__(self, folder, builder, options, module, sources):
        self.folder, self.name = folder, folder.name
        self.backend = "hatchling.build" if builder is HATCHLING else "setuptools.build_meta"
        text = dedent(builder.format(options=options))
        text += dedent(PROJECT.format(name=self.name, module=module))
        self.write("pyproject.toml", text)
        path = f"{sources}/{module.partition(':')[0].replace('.', '/')}"
        self.write(f"{path}.py", "raise RuntimeError('nobody was to import this')")
        self.write(f"{path}.toml", dedent(MANIFEST.format(name=self.name)))

    def write(self, path, text):
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def wheel(self, hook="build_wheel", **settings):
        target = self.folder / "dist"
        target.mkdir(exist_ok=True)
        command = [sys.executable, "-c", dedent(BUILD), self.backend, hook, str(target)]
        run = subprocess.run(
            [*command, json.dumps(settings)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return target / run.stdout.splitlines()[-1]


@pytest.fixture
def install(tmp_path):
    """Unpack wheels into a folder of their own, which is what installing them is."""

    def install(*wheels):
        target = tmp_path / "site-packages"
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(target)
        return target

    return install


def see(*places):
    """Tell what a host finds in these places, in a process of its own."""
    library = str(Path(scverse_backends.__file__).parents[1])
    run = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", dedent(HOST), *map(str, places)],
        env={**os.environ, "PYTHONPATH": library},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def check(seen, *names):
    """Check that everything of these backends is known, and none was imported."""
    assert seen["names"] == [f"tiny-{name}" for name in names]
    assert seen["labels"] == sorted(
        label for name in names for label in (f"tiny-{name}", f"wee-{name}", name)
    )
    assert seen["shown"] == ["tiles"]
    assert seen["imported"] == []


def packaged(folder, builder, *, flat=False, name="one"):
    """Make a project whose adapter is inside a package."""
    sources = "." if flat else "src"
    options = {
        (HATCHLING, False): 'packages = ["src/tiny_one"]',
        (HATCHLING, True): 'packages = ["tiny_one"]',
        (SETUPTOOLS, False): 'package-dir = {"" = "src"}',
        (SETUPTOOLS, True): 'packages = ["tiny_one", "tiny_one.backends"]',
    }[builder, flat]
    project = Project(folder / name, builder, options, "tiny_one.backends.host:adapter", sources)
    for package in ("tiny_one", "tiny_one/backends"):
        project.write(f"{sources}/{package}/__init__.py", "raise RuntimeError('nor this')")
    return project


@pytest.mark.parametrize("builder", [HATCHLING, SETUPTOOLS], ids=["hatchling", "setuptools"])
@pytest.mark.parametrize("flat", [False, True], ids=["src", "flat"])
class TestPackage:
    def test_in_a_wheel_unpacked_and_as_a_zip_file(self, tmp_path, install, builder, flat):
        wheel = packaged(tmp_path, builder, flat=flat).wheel()
        check(see(install(wheel)), "one")
        check(see(wheel), "one")

    def test_in_an_editable_install(self, tmp_path, install, builder, flat):
        project = packaged(tmp_path, builder, flat=flat)
        target = install(project.wheel("build_editable"))
        assert not [*target.rglob("host.*")]
        check(see(target), "one")


def test_an_editable_install_of_hatchling_that_redirects_imports(tmp_path, install):
    project = packaged(tmp_path, HATCHLING)
    text = (project.folder / "pyproject.toml").read_text(encoding="utf-8")
    project.write("pyproject.toml", text + "\n[tool.hatch.build]\ndev-mode-exact = true\n")
    target = install(project.wheel("build_editable"))
    assert [*target.glob("_editable_impl_*.py")]
    check(see(target), "one")


def test_a_strict_editable_install_of_setuptools(tmp_path, install):
    wheel = packaged(tmp_path, SETUPTOOLS).wheel("build_editable", editable_mode="strict")
    check(see(install(wheel)), "one")


def spaced(folder, builder, name):
    """Make a project whose package lies in a namespace that it shares with others."""
    hatchling = 'packages = ["src/suite"]'
    options = hatchling if builder is HATCHLING else 'package-dir = {"" = "src"}'
    project = Project(folder / name, builder, options, f"suite.tiny_{name}.host", "src")
    project.write(f"src/suite/tiny_{name}/__init__.py", "raise RuntimeError('nor this')")
    return project


@pytest.mark.parametrize("hook", ["build_wheel", "build_editable"])
@pytest.mark.parametrize("builder", [HATCHLING, SETUPTOOLS], ids=["hatchling", "setuptools"])
def test_packages_in_one_namespace(tmp_path, install, builder, hook):
    wheels = [spaced(tmp_path, builder, name).wheel(hook) for name in ("one", "two")]
    check(see(install(*wheels)), "one", "two")


def test_a_namespace_over_a_zip_file_a_folder_and_a_finder(tmp_path, install):
    one, two = (
        spaced(tmp_path, builder, n) for n, builder in [("one", HATCHLING), ("two", SETUPTOOLS)]
    )
    check(see(one.wheel(), install(two.wheel("build_editable"))), "one", "two")


@pytest.mark.parametrize("hook", ["build_wheel", "build_editable"])
def test_a_module_that_is_in_no_package(tmp_path, install, hook):
    options = 'py-modules = ["tiny_single"]\ndata-files = {"" = ["tiny_single.toml"]}'
    project = Project(tmp_path / "single", SETUPTOOLS, options, "tiny_single", ".")
    target = install(project.wheel(hook))
    for file in target.rglob("*.data/data/*.toml"):
        file.rename(target / file.name)
    check(see(target), "single")
