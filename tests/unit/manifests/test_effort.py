"""How much `discover()` does: with manifests it does less, and no more than what is offered asks for."""

import shutil
import sys

import pytest

from scverse_backends import manifest

FUNCTION = """
def scale{function}(data, factor={backend}.5, *, copy=False, tiles{function}: int = 4):
    '''Scale.

    Parameters
    ----------
    tiles{function} : int
        How many.
    '''
"""


def install(site, backends, functions):
    """Install backends that offer the same functions, with defaults of their own."""
    names = [f"backend{number}" for number in range(backends)]
    for number, name in enumerate(names):
        offered = (FUNCTION.format(function=f, backend=number) for f in range(functions))
        code = f"name = {name!r}\n{''.join(offered)}"
        site.install(name, entry_points={name: name}, modules={name: code})
    return names


def effort(dispatcher, functions):
    """Count the calls of Python functions that `discover()` makes."""
    for number in range(functions):

        def scale(data, factor=1, *, copy=False):
            """Scale.

            Parameters
            ----------
            data, factor, copy
                What it is.
            """

        dispatcher.backend_dispatch(name=f"scale{number}")(scale)
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        dispatcher.discover()
    finally:
        sys.setprofile(before)
    return calls


@pytest.fixture
def effort_with_manifests(site, make_dispatcher):
    """Count for a number of backends and of functions, in place of any that was there before."""

    def count(backends, functions):
        shutil.rmtree(site.folder)
        site.folder.mkdir()
        for name in install(site, backends, functions):
            manifest.write(name)
        for name in site.imported():
            del sys.modules[name]
        found = effort(make_dispatcher(untrusted="allow"), functions)
        assert site.imported() == set()
        return found

    return count


def test_manifests_do_less_than_adapters_that_do_nothing_but_define_functions(
    site, make_dispatcher, effort_with_manifests
):
    effort_with_manifests(1, 1)  # whatever is done once in a process
    described = effort_with_manifests(5, 10)
    for file in site.folder.glob("*.toml"):
        file.unlink()
    assert described < effort(make_dispatcher(untrusted="allow"), 10)
    assert len(site.imported()) == 5


def test_twice_as_much_takes_twice_as_long(effort_with_manifests):
    effort_with_manifests(1, 1)
    once = effort_with_manifests(5, 10)
    assert effort_with_manifests(10, 10) < 2.1 * once
    assert effort_with_manifests(5, 20) < 2.1 * once
