"""What manifests show of functions is what the adapters themselves would show."""

import inspect
import sys
from math import inf

import pytest

from scverse_backends import manifest
from scverse_backends.exceptions import BackendRegistrationWarning

DOC = '''"""Scale.

        Parameters
        ----------
        tiles : int
            How many, as {name} says.
        """'''
ADAPTERS = {
    "first": "def scale(data, factor=2.0, *, copy=False, tiles: int = 4): {doc}",
    "second": "def scale(data, factor=2.0, *, copy=False, tiles: int = 4, own=print): {doc}",
    "third": "fixed = {{'scale': {{'factor': 2, 'seed': print}}}}\n"
    "renames = {{'scale': {{'factor': 'by', 'seed': 'rng'}}}}\n"
    "def scale(data, by=(1, 2), *, copy=False, rng=7, factor='other', **more): {doc}",
    "fourth": "def scale(data, /, factor=1, tiles=None, *args, _hidden=2, backend=3): {doc}",
    "fifth": "async def scale(data, tiles=9): {doc}",
    "sixth": "def other(data, tiles=9): {doc}",
    "seventh": "scale = type('scale', (), {{}})",
    "eighth": "def scale(data, tiles): {doc}\nasync def later(data, tiles=1): {doc}\n"
    "class Model:\n    def __init__(self, layers=2, device='gpu'): {doc}",
}


def install(site, *names):
    """Install adapters."""
    for name in names:
        code = f"name = {name!r}\n{ADAPTERS[name].format(doc=DOC.format(name=name))}"
        site.install(name, entry_points={name: name}, modules={name: code})


def describe(site, *names):
    """Write manifests, and forget that the adapters were imported for it."""
    for name in names:
        manifest.write(name)
    for name in site.imported():
        del sys.modules[name]


def shown(dispatcher, *, host_defaults):
    """Decorate functions, discover, and give everything that their users see."""

    @dispatcher.backend_dispatch(host_defaults=host_defaults)
    def scale(data, factor=1, *, copy=False, seed=0):
        """Scale values.

        Parameters
        ----------
        data
            The values.
        factor
            By how much.
        seed
            Where chance begins.
        """

    @dispatcher.backend_dispatch
    async def later(data, tiles=2):
        """Scale values later.

        Parameters
        ----------
        data, tiles
            As ever.
        """

    @dispatcher.backend_class
    class Model:
        """A model.

        Parameters
        ----------
        layers
            How many.
        """

        def __init__(self, layers=1):
            pass

    with pytest.warns(BackendRegistrationWarning) as warned:
        dispatcher.discover()
    found = [(list(inspect.signature(f).parameters), f.__doc__) for f in (scale, later, Model)]
    return found, sorted(str(warning.message) for warning in warned)


@pytest.mark.parametrize("host_defaults", [False, True])
def test_manifests_show_what_adapters_show(site, make_dispatcher, host_defaults):
    install(site, *ADAPTERS)
    imported = shown(make_dispatcher(untrusted="allow"), host_defaults=host_defaults)
    assert site.imported() == {*ADAPTERS}
    describe(site, *ADAPTERS)
    assert shown(make_dispatcher(untrusted="allow"), host_defaults=host_defaults) == imported
    assert site.imported() == set()
    (parameters, doc), *_ = imported[0]
    assert parameters[-2:] == ["tiles", "own"]
    assert "Only with backends ``'eighth'``, ``'first'``, ``'fourth'``, ``'second'``." in doc
    assert "How many, as eighth says." in doc


def test_a_name_that_means_the_same_to_the_host_is_no_option(site, make_dispatcher):
    """A backend says ``rng`` where its host says ``seed``, and its manifest says so too."""
    code = "name = 'first'\ndef scale(data, *, rng=7, tiles=4): ..."
    site.install("first", entry_points={"first": "first"}, modules={"first": code})
    describe(site, "first")
    dispatcher = make_dispatcher(parameter_aliases={"seed": "rng"}, untrusted="allow")

    @dispatcher.backend_dispatch
    def scale(data, *, seed=0):
        """Scale values.

        Parameters
        ----------
        seed
            Where to begin.
        """

    dispatcher.discover()
    assert [*inspect.signature(scale).parameters] == ["data", "seed", "backend", "tiles"]
    assert "With backend ``'first'``" in scale.__doc__
    assert site.imported() == set()


def test_infinity_is_written_as_a_number_that_reads_as_infinity():
    text = manifest.write_signature(inspect.signature(lambda least=-inf, most=inf: None))
    assert text == "(least=-1e999, most=1e999)"
    found = manifest.read_signature(text).parameters
    assert [parameter.default for parameter in found.values()] == [-inf, inf]
