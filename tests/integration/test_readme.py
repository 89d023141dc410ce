"""The README's three files, written to disk as they stand there, work together."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
FILE = re.compile(r"^```\w+\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path):
    """The files of the README, the backend installed beside them."""
    files = dict(FILE.findall(README.read_text(encoding="utf-8")))
    for file, content in files.items():
        tmp_path.joinpath(file).write_text(content, encoding="utf-8")
    groups = tomllib.loads(files["pyproject.toml"])["project"]["entry-points"]
    installed = tmp_path / "fast_cells-1.0.dist-info"
    installed.mkdir()
    installed.joinpath("METADATA").write_text("Name: fast-cells\nVersion: 1.0\n")
    for group, entries in groups.items():
        lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
        installed.joinpath("entry_points.txt").write_text(f"[{group}]\n{lines}")
    return tmp_path


@pytest.fixture
def analysis(folder):
    return subprocess.run(
        [sys.executable, "-W", "always", "analysis.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_readmes_analysis_runs_on_the_readmes_backend(analysis):
    assert analysis.returncode == 0, analysis.stderr
    first, second, *explanation = analysis.stdout.splitlines()
    assert (first, second) == ("[10. 20.]", "[10. 20.]")
    assert "fast" in " ".join(explanation)


def test_the_readmes_user_is_told_once_that_nobody_vouched_for_the_backend(analysis):
    assert analysis.stderr.count("UntrustedBackendWarning") == 1
    assert "analysis.py" in analysis.stderr
