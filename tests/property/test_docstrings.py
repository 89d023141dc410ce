"""Docstrings drawn at random, merged with what drawn backends add."""

import inspect
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
from numpydoc.docscrape import NumpyDocString

from scverse_backends import BackendDispatcher

NAMES = ["data", "rate", "size"]
OPTIONS = ["tiles", "device", "chunk"]
TYPES = ["", " : int", " : {'a', 'b'}, default='a'", " : dict[str, int] | None, optional"]
BODIES = [
    [],
    ["What it is."],
    ["What it is.", "", "- one", "", "  - nested", "- two"],
    ["A table:", "", "=== ===", "a   b", "=== ===", "1   2", "=== ==="],
    ["Code::", "", "    x = 1", ""],
    [".. versionadded:: 1.2", "", "What it is."],
]
LATER = ["Returns", "Raises", "See Also", "Notes", "References", "Examples"]
PROSE = ["Scale values.", "", "    More, indented.", "Parameters", "----------", "Args:", "**rest"]
PROSE += ["Parameters: none.", ":param data: The values.", "backend", "    * one"]
PROSE += ["Other Parameters", "-" * 16, "Returns", "tiles", "data", "    What.", " : int"]
# What some functions take for the end of a line is among the letters.
letters = st.text("ab -=*:`\n\t\\\r\x0c\x85\u2028é", max_size=12) | st.text(max_size=5)
texts = st.lists(st.sampled_from(PROSE) | letters, max_size=8)


@st.composite
def sections(draw):
    """Draw a docstring that numpydoc understands."""
    lines = [draw(st.sampled_from(["Scale values.", ""])), "", "Parameters", "----------"]
    names = draw(st.permutations(NAMES))
    heads = names if draw(st.booleans()) else [f"{names[0]}, {names[1]}", names[2]]
    for head in [*heads, *(["**rest"] if draw(st.booleans()) else [])]:
        body = draw(st.sampled_from(BODIES))
        lines += [head + draw(st.sampled_from(TYPES)), *(line and f"    {line}" for line in body)]
        lines += [""] * draw(st.integers(0, 2))
    for title in LATER:
        if draw(st.integers(0, 3)) == 0:
            lines += ["", title, "-" * len(title), "something"]
    indent = draw(st.sampled_from(["", "  ", "    ", "\t"]))
    first, *rest = lines
    return "\n".join([first, *(line and indent + line for line in rest)]) + draw(
        st.sampled_from(["", "\n", f"\n{indent}"])
    )


docstrings = sections() | texts.map("\n".join) | st.none()


def scale(data, rate=0.1, size=2, **rest):
    return data


@st.composite
def backends(draw):
    """Draw adapters that implement the function, each with options and defaults of its own."""
    found = []
    for name in draw(st.lists(st.sampled_from(["one", "two", "three"]), unique=True)):
        options = draw(st.lists(st.sampled_from(OPTIONS), unique=True))
        rate = draw(st.sampled_from([0.1, 0.5, "x\ny"]))

        def implementation(**given):
            return given

        keyword = inspect.Parameter.KEYWORD_ONLY
        implementation.__signature__ = inspect.Signature(
            [
                inspect.Parameter("data", keyword),
                inspect.Parameter("rate", keyword, default=rate),
                *(inspect.Parameter(option, keyword, default=1) for option in options),
            ]
        )
        implementation.__doc__ = draw(docstrings)
        found.append(SimpleNamespace(name=name, scale=implementation))
    return found


def dispatched(doc):
    host = inspect.unwrap(lambda data, rate=0.1, size=2, **rest: data)
    host.__doc__ = doc
    dispatcher = BackendDispatcher(entrypoint_group="nobody.is.here", host_name="example_host")
    return dispatcher, dispatcher.backend_dispatch(name="scale")(host)


def is_subsequence(short, long):
    letters = iter(long)
    return all(letter in letters for letter in short)


@given(docstrings, backends())
def test_the_hosts_text_is_all_there_in_its_order(doc, adapters):
    dispatcher, public = dispatched(doc)
    for adapter in adapters:
        dispatcher.register(adapter)
    dispatcher.discover()
    if doc is None:
        assert public.__doc__ is None
    else:
        assert is_subsequence(doc, public.__doc__)


@given(docstrings, backends())
def test_merging_twice_is_merging_once(doc, adapters):
    dispatcher, public = dispatched(doc)
    for adapter in adapters:
        dispatcher.register(adapter)
    dispatcher.discover()
    once = public.__doc__
    dispatcher.discover()
    assert public.__doc__ == once
    again, merged = dispatched(once)
    assert merged.__doc__ == once
    for adapter in adapters:
        again.register(adapter)
    again.discover()
    assert merged.__doc__ == once


@given(docstrings)
def test_without_backends_nothing_changes_but_the_selector(doc):
    dispatcher, public = dispatched(doc)
    before = public.__doc__
    dispatcher.discover()
    assert public.__doc__ == before
    added = (before or "").split("\n")
    for line in (doc or "").split("\n"):
        added.remove(line)
    assert [line.strip() for line in added] in ([], [line.strip() for line in added[:3]])
    assert not added or added[0].strip() in {
        "backend",
        "backend : str or sequence of str, optional",
    }


@given(docstrings, backends())
def test_a_backend_that_goes_leaves_nothing_behind(doc, adapters):
    dispatcher, public = dispatched(doc)
    before = public.__doc__
    for registration in [dispatcher.register(adapter) for adapter in adapters]:
        dispatcher.discover()
        registration.remove()
    assert public.__doc__ == before


@given(sections(), backends())
def test_numpydoc_finds_every_parameter_once(doc, adapters):
    dispatcher, public = dispatched(doc)
    for adapter in adapters:
        dispatcher.register(adapter)
    dispatcher.discover()
    read = NumpyDocString(inspect.cleandoc(public.__doc__))
    documented = [name for entry in read["Parameters"] for name in entry.name.split(", ")]
    assert sorted(documented) in (
        sorted([*NAMES, "backend"]),
        sorted([*NAMES, "backend", "**rest"]),
    )
    others = [entry.name.partition(" (")[0] for entry in read["Other Parameters"]]
    shown = [*inspect.signature(public).parameters]
    assert others == [option for option in shown if option in OPTIONS]
