"""The documentation of example-host, built as its maintainer would."""

import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

pytestmark = pytest.mark.examples

SOURCE = Path(__file__).parents[2] / "examples" / "example-host" / "docs"

# As on a machine that lacks what the backends need.
REFUSING = """
import sys
class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("example_host_accel", "example_host_tiled"):
            raise ImportError(f"this machine cannot import {name}")
sys.meta_path.insert(0, Refusing())
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the pages, warnings being errors, where no backend can be imported."""
    folder = tmp_path_factory.mktemp("documentation")
    shutil.copytree(SOURCE, folder / "docs", ignore=shutil.ignore_patterns("_build", "generated"))
    conf = folder / "docs" / "conf.py"
    conf.write_text(f"{conf.read_text(encoding='utf-8')}\n{REFUSING}", encoding="utf-8")
    command = ["-m", "sphinx", "-W", "-q", "-j", "2", "docs", "site"]
    run = subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return folder / "site"


def text_of(page):
    """Read a page without its markup."""
    found = re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8"))
    return " ".join(unescape(found).split())


def test_it_is_built_where_no_backend_can_be_imported_and_says_what_each_makes_of_a_function(site):
    page = text_of(site / "generated" / "example_host.kmeans.html")
    assert "example_accel (example-host-accel 0.1.0) ignores show_progress_bar" in page
    assert "tiled (example-host-tiled 0.1.0) has other defaults: n_init=3 (host: 10)" in page
    assert "adds tile_size=4096" in page
