"""The role ``backend`` links a backend."""

import re

import pytest


def link(documentation, name="index"):
    """Give the first link on a page that is about a backend, and what stands in it."""
    text = documentation.page(name, "html")
    found = re.search(r"<p>See (?:<a [^>]*href=\"([^\"]*)\"[^>]*>)?(.*?)(?:</a>)?\.</p>", text)
    return found[1], re.sub("<[^>]+>", "", found[2])


def with_urls(site, *lines):
    """Add lines to the metadata of the backend."""
    file = next(site.folder.glob("cells_fast-*.dist-info/METADATA"))
    file.write_text(file.read_text() + "".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("label", ["fast", "Fast", "quick"])
def test_the_configuration_has_the_first_word(fast, documentation, label):
    with_urls(fast, "Project-URL: Homepage, https://example.org/home")
    links = {"fast": "https://example.org/fast"}
    documentation.write(index=f"See :backend:`{label}`.")
    documentation.build("html", scverse_backends_links=links)
    assert link(documentation) == ("https://example.org/fast", label)


def test_a_backend_that_nobody_knows_can_be_linked(cells, documentation):
    links = {"future": "https://example.org/future"}
    documentation.write(index="See :backend:`future`.")
    documentation.build("html", scverse_backends_links=links)
    assert link(documentation) == ("https://example.org/future", "future")


def test_a_page_of_the_documentation_itself(fast, documentation):
    documentation.write(
        index=".. toctree::\n\n   backends/fast\n\nSee :backend:`the fast one <fast>`.\n",
        backends__fast="Fast\n====\n\nSee :backend:`fast`.\n",
    ).build("html", nitpicky=True, scverse_backends_links={"fast": "backends/fast"})
    assert link(documentation) == ("backends/fast.html", "the fast one")
    assert link(documentation, "backends/fast") == ("#", "fast")


def test_a_page_that_does_not_exist_is_a_mistake(fast, documentation):
    page = documentation.write(index="See :backend:`fast`.")
    page.build("html", strict=False, scverse_backends_links={"fast": "gone"})
    assert "'fast' is linked to 'gone', which is no page here and no URL" in documentation.warnings
    assert "[scverse_backends.links]" in documentation.warnings
    assert link(documentation) == (None, "fast")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Project-URL: Docs, https://example.org/d"], "https://example.org/d"),
        (["Home-page: https://example.org/h"], "https://example.org/h"),
        (
            [
                "Project-URL: Source Code, https://example.org/s",
                "Project-URL: home page, http://example.org/h",
                "Project-URL: Documentation,https://example.org/d",
            ],
            "https://example.org/d",
        ),
        (
            ["Project-URL: Repository, https://example.org/r", "Project-URL: Source, http://s.org"],
            "http://s.org",
        ),
        (
            ["Project-URL: GitHub, https://github.com/g", "Project-URL: Repository, http://r.org"],
            "http://r.org",
        ),
        (["Project-URL: GitHub, https://github.com/g"], "https://github.com/g"),
        (["Project-URL: Documentation, javascript:alert(1)"], None),
        (["Project-URL: Funding, https://example.org/money"], None),
        ([], None),
    ],
)
def test_without_configuration_the_url_of_the_project_is_linked(
    fast, documentation, lines, expected
):
    with_urls(fast, *lines)
    documentation.write(index="See :backend:`fast`.").build("html")
    assert link(documentation) == (expected, "fast")


def test_without_a_url_the_table_is_linked(fast, documentation):
    documentation.write(
        index=".. toctree::\n\n   table\n\nSee :backend:`quick`.",
        table="Table\n=====\n\n.. backend-matrix::\n",
    ).build("html")
    target, shown = link(documentation)
    assert (target, shown) == ("table.html#backend-fast", "quick")
    assert 'id="backend-fast"' in documentation.page("table", "html")


@pytest.mark.parametrize("label", ["cpu", "somethingelse"])
def test_what_has_no_page_is_only_named(fast, documentation, label):
    documentation.write(index=f"See :backend:`{label}`.").build("html", nitpicky=True)
    assert link(documentation) == (None, label)


@pytest.mark.parametrize(
    ("label", "hint"),
    [("fats", "did you mean 'fast'"), ("two words", "is not a valid backend name")],
)
def test_what_cannot_be_meant_is_a_mistake(fast, documentation, label, hint):
    page = documentation.write(index=f"See :backend:`{label}`.")
    page.build("html", strict=False)
    assert f"index.rst:1: WARNING: no backend is called {label!r}" in documentation.warnings
    assert hint in documentation.warnings
    page.build("html", suppress_warnings=["scverse_backends"])
    assert link(documentation) == (None, label)
