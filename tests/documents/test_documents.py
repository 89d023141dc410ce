"""Every code block in README and docs runs, and shows what it really prints."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# These begin in a checkout and install packages from it.
SLOW = {"docs/tutorials/backend.md", "docs/tutorials/host.md"}


def pages():
    """Give README and docs, the slow ones marked."""
    paths = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        yield pytest.param(path, id=name, marks=[pytest.mark.slow] if name in SLOW else [])


@pytest.mark.examples
@pytest.mark.parametrize("path", [*pages()])
def test_the_page_does_what_it_shows(page, path):
    page.read(path)
