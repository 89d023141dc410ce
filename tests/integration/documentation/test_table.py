"""The directive ``backend-matrix`` draws which backend implements which function."""

import re

from .conftest import install

OTHER = '''
    """Another host."""
    from scverse_backends import BackendDispatcher
    dispatcher = BackendDispatcher(entrypoint_group="tissues.backends", host_name="tissues")
    @dispatcher.backend_dispatch
    def align(images):
        """Align images."""
'''


LEGEND = (
    "*partly*: some calls run elsewhere, or use another default; nothing is dropped. "
    "The function's page says which."
)


def rows(documentation, name="index"):
    """Read the rows of a table of text."""
    lines = [line for line in documentation.lines(name) if line.startswith("|")]
    cells = [[cell.strip().strip('"') for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not re.fullmatch("=+", row[0])]


def test_a_row_for_each_function_and_a_column_for_each_backend(fast, documentation):
    install(fast, "brief", "name = 'brief'\ndef scale(values, factor=1.0, *, copy=True): pass")
    documentation.write(index=".. backend-matrix::").build()
    assert rows(documentation) == [
        ["Function", "brief", "fast"],
        ["Model", "no", "yes"],
        ["scale", "yes", "partly"],
        ["tools.rank", "no", "no"],
    ]


def test_below_it_stands_what_each_backend_is(fast, documentation):
    documentation.write(index=".. backend-matrix::").build()
    assert documentation.lines()[-3:] == [
        LEGEND,
        '* "cuda" or "gpu12": "pip install cells-cuda"',
        '* "fast" or "quick": cells-fast 1.0',
    ]


def test_functions_and_backends_are_chosen(fast, documentation):
    install(fast, "brief", "name = 'brief'\ndef scale(values): pass")
    page = """
        .. backend-matrix:: cells
           :functions: tools.*, Mod*
           :backends: quick, other
           :caption: What runs where
           :class: wide
    """
    documentation.write(index=page).build("html")
    text = documentation.page(builder="html")
    assert "What runs where" in text
    assert re.search('<table class="[^"]*wide', text)
    assert "tools.rank" in text
    assert "Model" in text
    assert ">scale" not in text
    assert "brief" not in text


def test_functions_link_to_their_pages(fast, documentation):
    documentation.write(
        index=".. toctree::\n\n   functions\n\n.. backend-matrix::\n",
        functions="Functions\n=========\n\n.. autofunction:: cells.scale\n",
    ).build("html")
    text = documentation.page(builder="html")
    assert re.search(
        '<a [^>]*href="functions.html#cells.scale"[^>]*><code[^>]*><span[^>]*>scale', text
    )
    # Documented nowhere.
    assert "tools.rank" in text
    assert "#cells.rank" not in text


def test_a_table_for_each_host_or_for_one(fast, documentation):
    fast.install("tissues", modules={"tissues": OTHER})
    hosts = ["cells:dispatcher", "tissues:dispatcher"]
    documentation.write(
        index=".. toctree::\n\n   one\n\n.. backend-matrix::\n",
        one="One\n===\n\n.. backend-matrix:: tissues\n",
    ).build(scverse_backends_dispatchers=hosts)
    assert ["scale", "partly"] in rows(documentation)
    assert "No backend of tissues is known." in documentation.lines()
    assert documentation.lines("one")[2:] == ["No backend of tissues is known."]


def test_an_unknown_host_is_a_mistake(fast, documentation):
    documentation.write(index=".. backend-matrix:: tissues").build(strict=False)
    assert "index.rst:1: WARNING: backend-matrix: no such host" in documentation.warnings
    assert "names cells [scverse_backends.host]" in documentation.warnings


def test_patterns_that_match_nothing_are_a_mistake(fast, documentation):
    page = documentation.write(index=".. backend-matrix::\n   :functions: pp.*, scael\n")
    page.build(strict=False)
    assert "cells dispatches nothing named pp.* or scael" in documentation.warnings
    page.build(suppress_warnings=["scverse_backends.function"])


def test_a_backend_that_cannot_be_meant_is_a_mistake(fast, documentation):
    page = documentation.write(index=".. backend-matrix::\n   :backends: fats, quick, absent\n")
    page.build(strict=False)
    assert documentation.warnings.count("WARNING") == 1
    assert "no backend is called 'fats': did you mean 'fast'?" in documentation.warnings
    assert rows(documentation)[0] == ["Function", "fast"]
