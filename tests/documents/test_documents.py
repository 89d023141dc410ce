"""Every code block in README and docs runs, and shows what it really prints; links lead somewhere."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from scverse_backends import exceptions, records, testing

ROOT = Path(__file__).parents[2]
# These begin in a checkout and install packages from it.
SLOW = {"README.md", "docs/tutorials/backend.md", "docs/tutorials/host.md"}
# These need what Python 3.11, or this environment, does not have; see examples/scanpy/check.sh.
NEEDS = {"docs/guides/embed-settings.md": "scverse_misc", "docs/scanpy.md": "scanpy_host"}
LINK = re.compile(r"\]\(([^)\s]+)\)")
# The README is shown by the package index as well, where a relative link leads nowhere.
REPOSITORY = "https://github.com/scverse/scverse-backends/blob/main/"


def pages():
    """Give README and docs, the slow ones marked."""
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]:
        name = path.relative_to(ROOT).as_posix()
        marks = [pytest.mark.slow] if name in SLOW else [pytest.mark.timeout(100)]
        needed = NEEDS.get(name)
        if needed and find_spec(needed) is None:
            marks.append(pytest.mark.skip(f"needs {needed}"))
        yield pytest.param(path, id=name, marks=marks)


@pytest.mark.examples
@pytest.mark.parametrize("path", [*pages()])
def test_the_page_does_what_it_shows(page, path):
    page.read(path)


def outside_of_sphinx():
    """List the pages that no build of the documentation checks."""
    folders = ("examples", "benchmarks", "downstream")
    readmes = [path for folder in folders for path in (ROOT / folder).rglob("README.md")]
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(readmes)]


@pytest.mark.parametrize("path", outside_of_sphinx(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_what_is_there(path):
    targets = LINK.findall(path.read_text(encoding="utf-8").replace(REPOSITORY, f"{ROOT}/"))
    inside = [target.partition("#")[0] for target in targets if "://" not in target]
    assert [target for target in inside if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("name", exceptions.__all__)
def test_the_reference_says_what_to_do_about_each(name):
    page = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    assert f"`{name}`" in page


@pytest.mark.parametrize("module", [records, testing])
def test_the_reference_has_every_public_name(module):
    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    assert [name for name in module.__all__ if f"{module.__name__}.{name}\n" not in page] == []
