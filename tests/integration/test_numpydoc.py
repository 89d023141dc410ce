"""The numpydoc package reads the merged docstrings back."""

import sys
import warnings
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from numpydoc.docscrape import get_doc_object
from numpydoc.validate import validate

DATA = Path(__file__).parents[1] / "data" / "docstrings"
# The heading ``Params`` is napoleon's alone.
SHAPES = sorted({path.stem for path in DATA.glob("*.txt")} - {"pool"})

# The signature has the selector behind all of the host's own parameters. These docstrings cannot:
# two have parameters in a later section, one has described the selector itself, further up.
IN_ANOTHER_ORDER = {"solve", "indented", "own"}

# Where the host writes no types, what is added has none either.
WITHOUT_TYPES = {"embed", "indented"}


def loaded(name):
    spec = spec_from_file_location(f"numpydoc_{name}", DATA / f"{name}.py")
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def pair(make_dispatcher):
    """Give a host function, and the same dispatched, with a backend that is known."""
    dispatcher = make_dispatcher()
    before, after, backend = loaded("hosts"), loaded("hosts"), loaded("backend")

    def pair(name):
        shape = after.SHAPES[name]
        is_class = isinstance(shape, type)
        public = (dispatcher.backend_class if is_class else dispatcher.backend_dispatch)(shape)
        dispatcher.register(backend)
        dispatcher.discover()
        return before.SHAPES[name], public

    return pair


def complaints(public):
    """Give what numpydoc finds wrong: codes, each with what it is about."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return set(validate(get_doc_object(public))["errors"])


@pytest.mark.parametrize("name", SHAPES)
def test_numpydoc_finds_nothing_new_to_complain_about(pair, name):
    host, public = pair(name)
    new = {code for code, _ in complaints(public) - complaints(host)}
    # An option stands behind the host's ``**kwargs`` here, and before them in the signature.
    in_another_order = {"PR03"} if name in {*IN_ANOTHER_ORDER, "plot"} else set()
    assert new == in_another_order | ({"PR04"} if name in WITHOUT_TYPES else set())
