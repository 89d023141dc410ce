import json
import re
import sys
from html.parser import HTMLParser

import pytest

FAST = """
name = "fast"
__all__ = ["scale", "cluster"]
def scale(values, factor=1.0): ...
def cluster(values, n_clusters=5, *, batch_size=10):
    '''Group.

    Parameters
    ----------
    batch_size
        How many.
    '''
"""


@pytest.fixture(autouse=True)
def installed(site, host):
    modules = {"fast_cells": FAST}
    site.install("fast-cells", entry_points={"fast": "fast_cells"}, group=host, modules=modules)
    modules = {"torn_cells": "raise OSError('no <device> | here')"}
    site.install("torn-cells", entry_points={"torn": "torn_cells"}, group=host, modules=modules)


def test_functions_stand_against_backends_with_what_to_know_in_notes(run):
    ran = run("matrix", "cells:dispatcher")
    assert ran.status == 0
    table, sources, legend, notes, absences = ran.out.split("\n\n")
    assert table == (
        "             fast\ncluster      partly (1)\nscale        yes (2)\nimplemented  2 of 2"
    )
    assert sources == "fast  fast-cells 1.0"
    assert legend.startswith("partly: some calls run elsewhere")
    assert notes == (
        "(1)  cluster on fast: does not take seed; has other defaults: n_clusters=5\n"
        "     (host: 8); adds batch_size=10\n"
        "(2)  scale on fast: ignores n_jobs"
    )
    assert absences.startswith("torn is broken: ")


def test_the_markdown_is_a_table_that_names_cannot_break(run):
    out = run("matrix", "cells:dispatcher", "--format", "markdown").out
    table = out.split("\n\n")[0]
    assert {line.count("|") for line in table.splitlines()} == {3}
    assert "\\<device> \\| here" in out


def test_everything_is_in_the_json(run):
    value = json.loads(run("matrix", "cells:dispatcher", "--json").out)
    assert [column["name"] for column in value["backends"]] == ["fast"]
    assert [column["name"] for column in value["unknown"]] == ["torn"]
    cluster = value["functions"][0]["backends"]["fast"]
    assert cluster["implemented"]
    assert "differing-default" in {finding["kind"] for finding in cluster["findings"]}


def test_what_a_registered_backend_has_is_shown_too(run, site):
    site.write(
        "more.py",
        "import cells, types\na = types.SimpleNamespace(name='here', scale=lambda values: 0)\n"
        "cells.dispatcher.register(a)\n",
    )
    out = run("matrix", "cells:dispatcher", "-i", "more").out
    assert out.startswith("             here        fast\n")
    assert "\n\nhere  this process\nfast  fast-cells 1.0\n\n" in out


def test_an_installed_backend_whose_metadata_has_no_name_is_not_said_to_be_of_this_process(
    run, site, host
):
    modules = {"bare_cells": "name = 'bare'"}
    site.install("bare-cells", entry_points={"bare": "bare_cells"}, group=host, modules=modules)
    site.write("bare_cells-1.0.dist-info/METADATA", "Metadata-Version: 2.1\n")
    out = run("matrix", "cells:dispatcher").out
    assert "\nbare  an unnamed distribution\n" in out


def test_more_backends_than_fit_beside_one_another_are_cut_into_tables(run, site, host):
    for number in range(9):
        name = f"backend_number_{number}"
        site.backend(name, f"name = {name!r}\ndef scale(values): ...", group=host)
    tables = [
        part for part in run("matrix", "cells:dispatcher").out.split("\n\n") if "impl" in part
    ]
    assert len(tables) > 1
    assert all(max(map(len, table.splitlines())) <= 80 for table in tables)
    assert {table.splitlines()[2].split()[0] for table in tables} == {"scale"}
    heads = " ".join(table.splitlines()[0] for table in tables).split()
    assert len(heads) == len(set(heads)) == 10


def test_errors_are_shown_in_its_cell(run, site):
    site.write("fast_cells.py", "name = 'fast'\ndef scale(values, factor=1.0, *, device): ...\n")
    out = run("matrix", "cells:dispatcher").out
    assert "scale on fast: requires device" in out
    assert "<td class='partly'" in run("matrix", "cells:dispatcher", "--format", "html").out


def test_an_option_that_is_not_documented_is_no_exception(run, site):
    source = "name = 'fast'\ndef scale(values, factor=1.0, *, n_jobs=1, size=2): ...\n"
    site.write("fast_cells.py", source)
    assert "scale        yes\n" in run("matrix", "cells:dispatcher").out


def test_a_backend_is_known_by_its_manifest_and_not_imported(run, site):
    site.write(
        "torn_cells.toml",
        """
        schema = 1
        name = "torn"
        offers = 1

        [functions.scale]
        signature = "(values)"
        """,
    )
    out = run("matrix", "cells:dispatcher").out
    assert "scale on torn: does not take factor; ignores n_jobs" in out
    assert "broken" not in out
    assert "torn_cells" not in sys.modules


class Page(HTMLParser):
    """Everything a page would fetch, and whether its elements are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.fetched, self.text = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.fetched += [value for name, value in attrs if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


class TestPage:
    """The HTML."""

    @pytest.fixture
    def html(self, run, tmp_path):
        file = tmp_path / "backends.html"
        ran = run("matrix", "cells:dispatcher", "--format", "html", "--output", str(file))
        assert ran.err == f"wrote {file}\n"
        return file.read_text(encoding="utf-8")

    def test_what_packages_say_of_themselves_is_text(self, site, host, run):
        site.install(
            "odd-cells",
            version="1<b>",
            entry_points={"odd": "odd_cells"},
            group=host,
            modules={"odd_cells": "name = 'odd'"},
        )
        assert "odd-cells 1&lt;b&gt;" in run("matrix", "cells:dispatcher", "--format", "html").out

    def test_the_page_needs_nothing_else(self, html):
        page = Page(html)
        assert (page.open, page.fetched) == ([], [])
        assert not re.search(r"url\(|@import|<script", html)


def test_a_host_without_backends_has_a_page_too(run, bare):
    markdown = run("matrix", "bare:dispatcher", "--format", "markdown").out
    assert markdown == "|  |\n| --- |\n| from |\n| scale |\n| implemented |\n"
    assert run("matrix", "bare:dispatcher").out == "x has no backend that can be compared.\n"
    assert "There is no backend" in run("matrix", "bare:dispatcher", "--format", "html").out


def test_what_a_backends_class_lacks_is_an_exception(run, site):
    site.write(
        "classes.py",
        "import cells\n@cells.dispatcher.backend_class\nclass Model:\n    def fit(self): ...\n",
    )
    site.write("fast_cells.py", "name = 'fast'\nclass Model: ...\n")
    assert "Model on fast: lacks fit\n" in run("matrix", "cells:dispatcher", "-i", "classes").out


def test_what_else_is_wrong_is_told_in_full(run, site):
    source = (
        "name = 'fast'\nrenames = {'scale': {'zzz': 'x'}}\n"
        "def scale(values, factor=1.0, *, n_jobs=1): ...\n"
    )
    site.write("fast_cells.py", source)
    out = run("matrix", "cells:dispatcher").out
    assert "scale on fast: renames 'zzz', which the host does not have\n" in out
