"""Backends as pip installs them: from a wheel, upgraded, uninstalled, and editable."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from textwrap import dedent

import pytest

import scverse_backends

pytestmark = pytest.mark.slow

PROJECT = {
    "pyproject.toml": """
        [build-system]
        requires = ["hatchling"]
        build-backend = "hatchling.build"

        [project]
        name = "Tiny_Backend"
        version = "1.0"

        [project.entry-points."tiny_host.backends"]
        tiny = "tiny_backend._backends.tiny_host"

        [tool.hatch.build.targets.wheel]
        packages = ["src/tiny_backend"]
    """,
    "src/tiny_backend/__init__.py": "",
    "src/tiny_backend/heavy.py": "raise RuntimeError('nobody asked for this')",
    "src/tiny_backend/_backends/__init__.py": "",
    "src/tiny_backend/_backends/tiny_host.py": """
        name = "tiny"
        aliases = ["wee"]
        __all__ = ["double"]
        def double(values):
            return [value * 2.0 for value in values]
    """,
}

HOST = """
    import json
    import sys
    from scverse_backends import BackendDispatcher
    dispatcher = BackendDispatcher(
        entrypoint_group="tiny_host.backends",
        host_name="tiny_host",
        trusted_backends={"tiny": {"aliases": ["small"], "package": "tiny-backend"}},
        untrusted="refuse",
    )
    @dispatcher.backend_dispatch
    def double(values):
        return [value * 2 for value in values]
    def imported():
        return sorted(name for name in sys.modules if name.startswith("tiny_backend"))
    listed, before = dispatcher.backends(), imported()
    results = {label: double([1], backend=label) for label in ("small", "tiny", "wee")}
    decision = dispatcher.settings.explain(double, [1], backend="small")
    print(json.dumps({
        "listed": [info._asdict() for info in listed],
        "before": before,
        "after": imported(),
        "results": {label: repr(result) for label, result in results.items()},
        "decided": [decision.backend, decision.distribution, decision.version],
    }))
"""

# With the build tool that is here, rather than in an environment that pip makes for each build.
AS_IT_IS = ("--no-deps", "--no-build-isolation")


def pip(*arguments):
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    command += map(str, arguments)
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def replace(file, old, new):
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


class Environment:
    """A virtual environment with nothing in it, and our library beside it."""

    def __init__(self, folder):
        venv.create(folder, with_pip=False)
        self.python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"

    def pip(self, *arguments):
        pip("--python", self.python, *arguments)

    def run_host(self):
        """Run the host there, in a process of its own."""
        library = str(Path(scverse_backends.__file__).parents[1])
        # Without -P, the folder in which the tests run would be a place to import from.
        return subprocess.run(
            [self.python, "-P", "-c", dedent(HOST)],
            env={**os.environ, "PYTHONPATH": library},
            capture_output=True,
            text=True,
            check=False,
        )

    def see(self):
        """Tell what a host finds and does there."""
        finished = self.run_host()
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout)


@pytest.fixture
def environment(tmp_path):
    return Environment(tmp_path / "environment")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny-backend")
    for path, text in PROJECT.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def wheels(project, tmp_path_factory):
    """A wheel of version 1.0 and one of version 2.0."""
    folder = tmp_path_factory.mktemp("wheels")
    settings = project / "pyproject.toml"
    pip("wheel", *AS_IT_IS, "--wheel-dir", folder, project)
    replace(settings, 'version = "1.0"', 'version = "2.0"')
    pip("wheel", *AS_IT_IS, "--wheel-dir", folder, project)
    replace(settings, 'version = "2.0"', 'version = "1.0"')
    return sorted(folder.glob("*.whl"))


def check(seen, version):
    """Check what must hold wherever the backend is installed."""
    (listed,) = seen["listed"]
    assert (listed["name"], listed["state"], listed["trusted"]) == ("tiny", "installed", True)
    assert listed["distribution"].lower().replace("_", "-") == "tiny-backend"
    assert listed["version"] == version
    assert listed["entry_point"] == "tiny_backend._backends.tiny_host"
    assert seen["before"] == []
    assert seen["after"] == [
        "tiny_backend",
        "tiny_backend._backends",
        "tiny_backend._backends.tiny_host",
    ]
    assert seen["decided"] == ["tiny", listed["distribution"], version]


def test_a_backend_comes_from_a_wheel_is_upgraded_and_goes(environment, wheels):
    for wheel, version in zip(wheels, ("1.0", "2.0"), strict=True):
        environment.pip("install", "--no-deps", wheel)
        seen = environment.see()
        check(seen, version)
        assert seen["results"] == {"small": "[2.0]", "tiny": "[2.0]", "wee": "[2.0]"}

    environment.pip("uninstall", "--yes", "tiny-backend")

    said = environment.run_host().stderr
    assert "BackendNotInstalledError" in said
    assert "pip install tiny-backend" in said


def test_an_editable_install_runs_the_code_as_it_is_now(environment, project):
    environment.pip("install", "--no-deps", "--editable", project)
    first = environment.see()
    replace(project / "src/tiny_backend/_backends/tiny_host.py", "value * 2.0", "value * 2.5")
    second = environment.see()

    check(first, "1.0")
    check(second, "1.0")
    assert (first["results"]["small"], second["results"]["small"]) == ("[2.0]", "[2.5]")
