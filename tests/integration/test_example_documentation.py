"""The documentation of example-host, built as its maintainer would."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

pytestmark = pytest.mark.examples

SOURCE = Path(__file__).parents[2] / "examples" / "example-host" / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the pages, warnings being errors, away from the source."""
    folder = tmp_path_factory.mktemp("documentation")
    ignored = shutil.ignore_patterns("_build", "generated")
    shutil.copytree(SOURCE, folder / "docs", ignore=ignored)
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


def test_a_functions_page_says_what_each_backend_makes_of_it(site):
    page = text_of(site / "generated" / "example_host.kmeans.html")
    assert "example_accel (example-host-accel 0.1.0) ignores show_progress_bar" in page
    assert "tiled (example-host-tiled 0.1.0) adds tile_size=4096" in page
    assert "has other defaults: n_init=3 (not 10" in page


def test_the_class_has_one_too(site):
    page = text_of(site / "generated" / "example_host.NeighborIndex.html")
    assert "Backends : example_accel (example-host-accel 0.1.0)" in page


def test_the_table_leads_to_the_functions_and_to_the_backends(site):
    page = (site / "backends" / "index.html").read_text(encoding="utf-8")
    assert 'href="../generated/example_host.pca.html#example_host.pca"' in page
    assert 'href="accel.html"' in page
    assert 'href="#backend-tiled"' in page
    assert "pca partly no" in text_of(site / "backends" / "index.html")


def test_the_text_links_backends(site):
    page = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="backends/accel.html"' in page
    assert 'href="backends/index.html#backend-tiled"' in page
