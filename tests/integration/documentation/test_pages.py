"""A dispatched function's page lists the backends that implement it."""

import pytest

from .conftest import install

# What napoleon does is the same release of Sphinx's own affair.
pytestmark = pytest.mark.filterwarnings("ignore:The mapping interface for autodoc options")

FAST_ON_SCALE = [
    "Backends:",
    '* "fast" (cells-fast 1.0)',
    '* does not take "copy"; such calls run elsewhere',
    '* has other defaults: "factor=2.0" (host: 1.0)',
    '* adds "tiles=64"',
]

SCALE_BY_HAND = """
    .. py:module:: cells

    .. py:function:: scale(values, factor=1.0)

       Multiply every value.
"""


def backends_on(lines):
    """Take what stands of backends on a page, to the end of its list."""
    assert lines.count("Backends:") == 1
    start = lines.index("Backends:")
    rest = [number for number in range(start + 1, len(lines)) if not lines[number].startswith("*")]
    return lines[start : (rest or [len(lines)])[0]]


@pytest.mark.parametrize("extensions", [(), ("sphinx.ext.napoleon",), ("numpydoc",)])
def test_a_page_by_autodoc_whatever_reads_its_docstring(fast, documentation, extensions):
    documentation.write(index=".. autofunction:: cells.scale").build(extensions=extensions)
    assert backends_on(documentation.lines()) == FAST_ON_SCALE


def test_a_page_by_autosummary(fast, documentation):
    summary = ".. autosummary::\n   :toctree: generated\n\n   cells.scale\n   cells.Model\n"
    documentation.write(index=summary).build(extensions=["sphinx.ext.autosummary"])
    assert backends_on(documentation.lines("generated/cells.scale")) == FAST_ON_SCALE
    assert '* "fast" (cells-fast 1.0)' in documentation.lines("generated/cells.Model")
    assert "Backends:" not in documentation.lines()


@pytest.mark.parametrize("page", [SCALE_BY_HAND, ".. py:function:: cells.scale(values)"])
def test_a_page_written_by_hand(fast, documentation, page):
    documentation.write(index=page).build()
    assert backends_on(documentation.lines()) == FAST_ON_SCALE


def test_a_class_lists_them_and_its_methods_do_not(fast, documentation):
    documentation.write(index=".. autoclass:: cells.Model\n   :members:\n").build()
    assert backends_on(documentation.lines()) == ["Backends:", '* "fast" (cells-fast 1.0)']


def test_what_a_backends_class_lacks_is_listed(cells, documentation):
    install(cells, "brief", "name = 'brief'\nclass Model:\n    def __init__(self, layers=2): pass")
    documentation.write(index=".. autoclass:: cells.Model\n   :members:\n").build()
    lines = ["Backends:", '* "brief" (cells-brief 1.0)', '* lacks "fit"']
    assert backends_on(documentation.lines()) == lines


def test_a_name_within_a_namespace(cells, documentation):
    source = """
        from types import SimpleNamespace
        name = "fast"
        tools = SimpleNamespace(rank=lambda values, *, ties: values)
    """
    install(cells, "fast", source)
    documentation.write(index=".. autofunction:: cells.rank").build()
    assert '* requires "ties"; other calls run elsewhere' in documentation.lines()


def test_a_function_behind_another_decorator(fast, documentation):
    fast.write(
        "wrapped.py",
        """
        from functools import wraps
        import cells
        @wraps(cells.scale)
        def scale(*args, **kwargs):
            return cells.scale(*args, **kwargs)
        """,
    )
    documentation.write(index=".. autofunction:: wrapped.scale").build()
    assert backends_on(documentation.lines()) == FAST_ON_SCALE


@pytest.mark.parametrize("extension", ["sphinx.ext.napoleon", "numpydoc"])
def test_backends_stand_between_the_parameters_and_the_examples(fast, documentation, extension):
    documentation.write(index=".. autofunction:: cells.scale").build(extensions=[extension])
    lines = documentation.lines()
    assert lines.index("Raises:") < lines.index("Backends:")
    assert lines.index("Backends:") < lines.index(">>> scale([1, 2])")


def test_every_backend_is_listed_in_the_order_of_names(fast, documentation):
    install(fast, "brief", "name = 'brief'\ndef scale(values, factor=1.0, *, copy=True): pass")
    documentation.write(index=".. autofunction:: cells.scale").build()
    assert backends_on(documentation.lines()) == [
        "Backends:",
        '* "brief" (cells-brief 1.0)',
        '* ignores "n_jobs"',
        *FAST_ON_SCALE[1:],
    ]


def test_what_every_call_must_give_is_said(cells, documentation):
    install(cells, "strict", "name = 'strict'\ndef scale(values, factor, *, key, **other): pass")
    documentation.write(index=".. autofunction:: cells.scale").build()
    line = '* requires "factor", "key"; other calls run elsewhere'
    assert line in documentation.lines()


def test_what_only_the_backends_author_can_change_is_left_out(cells, documentation):
    source = (
        "name = 'fast'\nrenames = {'scale': {'zzz': 'x'}}\n"
        "def scale(values, factor=1.0, *, copy=True, n_jobs=1): pass"
    )
    install(cells, "fast", source)
    documentation.write(index=".. autofunction:: cells.scale").build()
    assert backends_on(documentation.lines()) == ["Backends:", '* "fast" (cells-fast 1.0)']


def test_keywords_without_a_name(site, documentation):
    host = """
        from scverse_backends import BackendDispatcher
        dispatcher = BackendDispatcher(entrypoint_group="cells.backends", host_name="cells")
        @dispatcher.backend_dispatch
        def scale(values, **options):
            pass
    """
    site.install("cells", modules={"cells": host})
    install(site, "fast", "name = 'fast'\ndef scale(values): pass")
    documentation.write(index=".. autofunction:: cells.scale").build()
    line = "* does not take other keywords; such calls run elsewhere"
    assert line in documentation.lines()


@pytest.mark.parametrize(
    "page",
    [
        ".. autofunction:: cells.rank",
        ".. autofunction:: cells.plain",
        ".. py:function:: cells.gone(values)",
        ".. py:function:: nowhere.scale(values)",
        ".. py:function:: scale(values)",
        ".. js:function:: cells.scale(values)",
        ".. c:function:: int scale(int values)",
    ],
)
def test_what_no_backend_implements_has_no_list(fast, documentation, page):
    documentation.write(index=page).build()
    assert "Backends:" not in documentation.lines()


def test_a_description_that_is_no_python_is_left_to_sphinx(fast, documentation):
    documentation.write(index=".. py:function:: cells.scale(((\n").build(strict=False)
    assert "Backends:" not in documentation.lines()


def test_functions_of_other_hosts_are_left_alone(fast, documentation):
    page = documentation.write(index=".. autofunction:: cells.scale")
    page.build(scverse_backends_dispatchers=[])
    assert "Backends:" not in documentation.lines()


@pytest.mark.parametrize(("builder", "page"), [("latex", "documentation.tex"), ("html", "index")])
def test_other_builders_draw_it_too(fast, documentation, builder, page):
    pages = documentation.write(index=".. autofunction:: cells.scale\n\n.. backend-matrix::\n")
    pages.build(builder, project="documentation")
    folder = documentation.folder / "_build" / builder
    text = next(folder.glob(f"{page}*")).read_text(encoding="utf-8")
    assert "tiles=64" in text
    assert "Backends" in text
