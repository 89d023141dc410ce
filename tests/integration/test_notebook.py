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


def written(outputs):
    lines = [output.get("text", "") for cell in outputs for output in cell]
    return "".join("".join(text) for text in lines)


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


def test_the_settings_inside_a_block_say_where_each_choice_was_made(outputs):
    text = " ".join("".join(pages(outputs)[4][1]).split())
    assert "calls run on tiled, else cpu selected by the block fallback error" in text
    assert "process example_accel warn settings.backend" in text


def test_the_log_says_what_fell_back_and_what_ran(outputs):
    text = written(outputs)
    assert "DEBUG example_host: standardize runs on example_accel (example-host-accel" in text
    assert "INFO log1p: 'example_accel' does not implement it. It runs on example_host" in text


def test_everything_that_is_wrong_with_the_troubled_backends_is_said(outputs):
    text = " ".join("".join(pages(outputs)[5][1]).split())
    for told in (
        "blocked refused no it-is-blocked",
        "driverless broken no its-library-is-missing",
        "libcuda_of_no_machine.so.1",
        "late loaded no its-alias-is-taken 1.0 late",
        "careful loaded no careful 1.0 careful, cuda",
        "No module named 'misspeltt'",
        "it claims the trusted name 'trusted'",
    ):
        assert told in text
    html = "".join(pages(outputs)[6][0])
    assert "default factor=2.0 (host: 1.0)" in html
    assert "skipped renaming: does not implement it" in html


def test_every_error_says_what_is_the_matter(outputs):
    lines = written(outputs).splitlines()
    told = [
        line.partition(":")[0]
        for line in lines
        if "Error: " in line and line.startswith(("Backend", "Un"))
    ]
    assert told == [
        "BackendLoadError",
        "BackendLoadError",
        "UntrustedBackendError",
        "BackendNotInstalledError",
        "UnknownBackendError",
    ]
