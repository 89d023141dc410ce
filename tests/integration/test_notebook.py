"""The notebook under examples/, run by a real kernel."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.examples

NOTEBOOK = Path(__file__).parents[2] / "examples" / "notebook.ipynb"


@pytest.fixture(scope="module")
def outputs():
    """Run it in a process of its own, and give what each cell of code showed."""
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "notebook", "--stdout"]
    done = subprocess.run(
        [*command, str(NOTEBOOK)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )
    assert done.returncode == 0, done.stderr
    cells = json.loads(done.stdout)["cells"]
    return [cell["outputs"] for cell in cells if cell["cell_type"] == "code"]


def pages(outputs):
    """Give what is shown as HTML, each with the text that stands for it elsewhere."""
    shown = [output["data"] for cell in outputs for output in cell if "data" in output]
    return [(data["text/html"], data["text/plain"]) for data in shown if "text/html" in data]


def test_every_record_shows_itself_as_a_page(outputs):
    titles = [plain[0].rstrip() for _, plain in pages(outputs)]
    assert titles == [
        "Settings of example_host",
        "kmeans runs on tiled (example-host-tiled 0.1.0)",
        "log1p runs on cpu, the host itself",
        "<trace of example_host: 9 calls>",
        "Settings of example_host",
        "BackendDispatcher of troubled_host",
        "<trace of troubled_host: 6 calls>",
    ]
    for html, _ in pages(outputs):
        assert "".join(html).startswith('<div class="scverse-backends">')
