"""A later build reads again what shows something that changed, and nothing else."""

import re
import sys

import pytest

from .conftest import FAST, install

PAGES = {
    "index": "Index\n=====\n\n.. toctree::\n   :glob:\n\n   *\n",
    "a_plain": "Plain\n=====\n\n.. autofunction:: cells.plain\n",
    "b_scale": "Scale\n=====\n\n.. autofunction:: cells.scale\n",
    "c_rank": "Rank\n====\n\n.. autofunction:: cells.rank\n",
    "d_table": "Table\n=====\n\n.. backend-matrix::\n",
    "e_role": "Role\n====\n\n:backend:`quick`\n",
    "f_model": "Model\n=====\n\n.. autoclass:: cells.Model\n",
}
SHOWING = {"b_scale", "c_rank", "d_table", "e_role", "f_model"}


@pytest.fixture
def pages(documentation):
    """Give a documentation of several pages."""
    return documentation.write(**PAGES)


def forget(site):
    """Make the next build begin as another process does."""
    for name in site.imported():
        del sys.modules[name]


def read_in(documentation):
    """Tell which pages the last build read."""
    status = re.sub("\x1b.*?m", "", documentation.status)
    return set(re.findall(r"reading sources\.\.\. \[ *\d+%\] (\w+)", status))


def test_nothing_changed_and_nothing_is_read(fast, pages):
    assert read_in(pages.build()) == set(PAGES)
    forget(fast)
    assert read_in(pages.build()) == set()


def test_pages_that_show_backends_are_read_again_when_one_comes(cells, pages):
    pages.build()
    assert "tiles" not in pages.page("b_scale")
    forget(cells)
    install(cells, "fast", FAST)
    assert read_in(pages.build()) == SHOWING
    assert '"tiles=64"' in pages.page("b_scale")


def test_pages_that_show_backends_are_read_again_when_one_changes(fast, pages):
    pages.build()
    forget(fast)
    install(fast, "fast", FAST.replace("tiles=64", "tiles=128"))
    assert read_in(pages.build()) == SHOWING
    assert '"tiles=128"' in pages.page("b_scale")


def test_a_page_that_went_is_linked_no_more(fast, pages):
    pages.build("html")
    assert "b_scale.html#cells.scale" in pages.page("d_table", "html")
    (pages.folder / "b_scale.rst").unlink()
    pages.write(d_table=PAGES["d_table"] + "\nMore.\n").build("html")
    assert "#cells.scale" not in pages.page("d_table", "html")


def test_pages_read_by_several_processes_are_the_same(fast, pages):
    expected = {name: pages.build("html").page(name, "html") for name in ["d_table", "b_scale"]}
    for file in (pages.folder / "_build").rglob("*"):
        if file.is_file():
            file.unlink()
    forget(fast)
    pages.build("html", parallel=2)
    assert {name: pages.page(name, "html") for name in expected} == expected
    assert "b_scale.html#cells.scale" in expected["d_table"]
    forget(fast)
    install(fast, "brief", "name = 'brief'\ndef scale(values): pass")
    pages.build("html", parallel=2)
    assert "brief" in pages.page("b_scale", "html")
