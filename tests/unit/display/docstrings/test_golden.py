"""Docstrings of real shapes, merged with what one backend adds; the results are files to read."""

from inspect import cleandoc
from pathlib import Path

import pytest

DATA = Path(__file__).parents[3] / "data" / "docstrings"
SHAPES = sorted(path.stem for path in DATA.glob("*.txt"))


@pytest.fixture
def merged(make_dispatcher, hosts, backend):
    """Give the merged docstring of one shape."""
    dispatcher = make_dispatcher(trusted_backends={"cuda": {"package": "example-cuda"}})

    def merged(name):
        shape = hosts.SHAPES[name]
        is_class = isinstance(shape, type)
        public = (dispatcher.backend_class if is_class else dispatcher.backend_dispatch)(shape)
        with dispatcher.register(backend):
            dispatcher.discover()
            return public.__doc__

    return merged


@pytest.mark.parametrize("name", SHAPES)
def test_a_merged_docstring_reads_as_recorded(merged, name):
    recorded = DATA.joinpath(f"{name}.txt").read_text(encoding="utf-8")
    assert cleandoc(merged(name)) + "\n" == recorded


def test_what_is_not_recorded_is_left_alone(merged, hosts):
    assert hosts.SHAPES.keys() - set(SHAPES) == hosts.LEFT_ALONE
    for name in hosts.LEFT_ALONE:
        before = hosts.SHAPES[name].__doc__
        assert merged(name) == before
