"""A host with one function, and what its users may see of its backends."""

from html.parser import HTMLParser

import pytest

FAST = """
name = "fast"
aliases = ["swift"]
def scale(values, factor=2.0, *, tile=64):
    return [value * factor for value in values]
"""


@pytest.fixture
def dispatcher(make_dispatcher):
    """Give the dispatcher of a host that trusts one backend."""
    return make_dispatcher(
        trusted_backends={"fast": {"aliases": ["quick"], "package": "fast-backend"}},
        ignorable=("n_jobs",),
    )


@pytest.fixture
def settings(dispatcher):
    return dispatcher.settings


@pytest.fixture
def scale(dispatcher):
    @dispatcher.backend_dispatch
    def scale(values, factor=1.0, *, copy=True, n_jobs=1):
        return [value * factor for value in values]

    return scale


@pytest.fixture
def fast(site):
    """Install the backend that the host trusts."""
    return site.backend("fast", FAST, reference="fast_module", version="1.2")


class Reader(HTMLParser):
    """Reads a page as a browser does: which elements it has, and the text outside of its style."""

    EMPTY = frozenset({"br", "img", "meta", "link", "input", "hr"})

    def __init__(self):
        super().__init__()
        self.elements, self.open, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)


@pytest.fixture
def read():
    """Read HTML, which must be well formed; gives its elements and its text."""

    def read(html):
        reader = Reader()
        reader.feed(html)
        reader.close()
        assert reader.open == []
        return reader.elements, " ".join(reader.words)

    return read
