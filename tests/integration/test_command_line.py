"""What every command prints, kept in ``tests/data/cli`` and shown in the documentation.

To write the files anew after a change that is meant: ``python tests/integration/test_command_line.py``.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

import pytest

import scverse_backends

pytestmark = pytest.mark.examples

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "data" / "cli"
HOST = "example_host._backends:dispatcher"
SHOWN_FOLDER = "/site-packages"

EXAMPLES = ("example-host", "example-host-accel", "example-host-tiled")

TRANSCRIPTS = {
    "list.txt": ["list"],
    "list-host.txt": [f"list {HOST}"],
    "list.json": [f"list {HOST} --json"],
    "doctor.txt": [f"doctor {HOST}"],
    "doctor-troubles.txt": [f"doctor {HOST}"],
    "doctor.json": [f"doctor {HOST} --json"],
    "explain.txt": [
        f"explain {HOST} kmeans --backend accelerated n_clusters=4",
        f"explain {HOST} kmeans --backend accelerated show_progress_bar=True",
    ],
    "explain-refused.txt": [
        f"explain {HOST} pca --backend accelerated solver=randomized",
        f"explain {HOST} kmeans --backend accelerated n_cluster=4",
        f"explain {HOST} kmean --backend accelerated",
    ],
    "explain.json": [f"explain {HOST} pca --backend accelerated solver=randomized --json"],
    "matrix.txt": [f"matrix {HOST}"],
    "matrix.md": [f"matrix {HOST} --format markdown"],
    "matrix.html": [f"matrix {HOST} --format html"],
    "verify.txt": [f"verify {HOST} --backend tiled"],
    "verify-troubles.txt": [f"verify {HOST} --backend renamed"],
    "verify.json": [f"verify {HOST} --backend accelerated --json"],
    "verify.xml": [f"verify {HOST} --backend tiled --format junit --fail-on warning"],
}
TROUBLES = {
    # distribution: entry point, module, source
    "example-host-cuda": (
        "cuda",
        "example_host_cuda",
        'import ctypes\n\nctypes.CDLL("libcuda_13.so")\n',
    ),
    "example-host-misspelt": ("misspelt", "example_host_mispelt", None),
    "example-host-fake": ("accelerated", "example_host_fake", "raise SystemExit\n"),
    "example-host-renamed": (
        "renamed",
        "example_host_renamed",
        (
            'name = "renamed"\n'
            'aliases = ["accelerated", "tiled"]\n'
            '__all__ = ["k_means", "pca"]\n\n\n'
            "def k_means(data, n_clusters=8): ...\n\n\n"
            "def pca(X, n_components=30, *, batch_size=1000): ...\n"
        ),
    ),
}


def write_metadata(folder, name, version, entry_points):
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")


def write_world(folder):
    """Install this library, the example host and two of its backends; nothing else is found."""
    for module in ("scverse_backends", "numpy", "scipy", *map(named, EXAMPLES)):
        place = Path(find_spec(module).origin).parent
        (folder / module).symlink_to(place)
        libraries = place.with_name(f"{module}.libs")
        (folder / libraries.name).symlink_to(libraries)
    for name in EXAMPLES:
        version = distribution(name).version
        write_metadata(folder, name, version, entry_points(name))


def entry_points(example):
    """Write the entry points of an example as pip would, whichever version of it is installed."""
    text = (ROOT / "examples" / example / "pyproject.toml").read_text(encoding="utf-8")
    groups = tomllib.loads(text)["project"].get("entry-points", {})
    lines = [
        line
        for group, points in groups.items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
    ]
    return "".join(f"{line}\n" for line in lines)


def named(distribution):
    return distribution.replace("-", "_")


def write_troubles(folder):
    for name, (point, module, source) in TROUBLES.items():
        write_metadata(folder, name, "2.0", f"[example_host.backends]\n{point} = {module}\n")
        if source is not None:
            (folder / f"{module}.py").write_text(source, encoding="utf-8")


def printed(file, folder):
    """Run the commands of one file in a world of its own, made in a folder."""
    write_world(folder)
    if "troubles" in file:
        write_troubles(folder)
    turns = [(words, *turn(words, ["-S"], folder)) for words in TRANSCRIPTS[file]]
    if Path(file).suffix == ".txt":
        texts = [f"$ scverse-backends {words}\n{text}{status}" for words, text, status in turns]
    else:
        texts = [text for _, text, _ in turns]
    return "\n".join(texts).replace(str(folder), SHOWN_FOLDER)


def turn(words, flags, folder):
    """Run one command; give what it printed, and its status if that is not 0."""
    environment = {
        **{name: value for name, value in os.environ.items() if "BACKEND" not in name},
        "PYTHONPATH": str(folder),
        "COLUMNS": "80",
        "PYTHONUNBUFFERED": "1",
    }
    ran = subprocess.run(
        [sys.executable, *flags, "-m", "scverse_backends", *shlex.split(words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        encoding="utf-8",
        check=False,
    )
    return ran.stdout, f"(exit status {ran.returncode})\n" if ran.returncode else ""


@pytest.mark.parametrize("file", TRANSCRIPTS)
def test_a_command_prints_what_is_documented(file, tmp_path):
    assert printed(file, tmp_path) == (GOLDEN / file).read_text(encoding="utf-8")


def test_the_script_is_installed():
    script = Path(sys.executable).with_name("scverse-backends")
    ran = subprocess.run([script, "--help"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0
    assert "doctor" in ran.stdout


def test_nothing_is_kept_that_no_command_prints():
    assert {path.name for path in GOLDEN.iterdir()} == set(TRANSCRIPTS)


@pytest.mark.parametrize("backend", ["example_accel", "tiled", "dask"])
def test_the_example_backends_are_verified(backend):
    words = f"verify {HOST} --backend {backend} --fail-on error"
    text, status = turn(words, [], Path(scverse_backends.__file__).parents[1])
    assert "no errors" in text
    assert status == ""


if __name__ == "__main__":
    for made in TRANSCRIPTS:
        with tempfile.TemporaryDirectory() as scratch:
            (GOLDEN / made).write_text(printed(made, Path(scratch)), encoding="utf-8")
