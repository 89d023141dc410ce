"""The command line among hostile packages: it ends in time, as documented, and names the culprit.

Many packages share a site, and each command has a process of its own: ``doctor`` meets all of them,
the others share them out. On the long profile every command meets all, and each alone as well.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

import scverse_backends

from .conftest import FINE
from .corpus import members
from .host import NAME

LONG = settings.default.max_examples > 100
PATIENCE = 110
LONGEST = 2500  # characters of a line about one package
SOURCE = Path(scverse_backends.__file__).parents[1]
WHERE = f"{NAME}:dispatcher"
OVERVIEWS = (["list"], ["list", WHERE], ["doctor", WHERE], ["matrix", WHERE], ["verify", WHERE])

HOST = f"""
from importlib.util import module_from_spec, spec_from_file_location
from scverse_backends import BackendDispatcher
spec = spec_from_file_location("functions", {str(Path(__file__).with_name("host.py"))!r})
functions = module_from_spec(spec)
spec.loader.exec_module(functions)
dispatcher = BackendDispatcher(
    entrypoint_group="tests.example_host.backends",
    host_name="example_host",
    trusted_backends={{"vouched": {{"package": "vouched-backend"}}}},
    reserved_backends={{"gpu": "Say which one."}},
)
functions.serve(dispatcher)
"""

# These are met alone: they change the interpreter that they are in, or interrupt it.
APART = [m for m in members() if m.alone or m.load == "KeyboardInterrupt"]
TOGETHER = [m for m in members() if m not in APART]


@pytest.fixture
def command(site):
    """Install packages beside one that is fine, and run commands among them."""
    site.backend("fine", FINE)
    site.write(f"{NAME}.py", HOST)

    def command(installed, *words):
        for member in installed:
            member.install(site)
        places = [SOURCE, site.folder, *site.folder.glob("*.zip")]
        finished = subprocess.run(
            [sys.executable, "-m", "scverse_backends", *words],
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("EXAMPLE_HOST")},
                "PYTHONPATH": os.pathsep.join(map(str, places)),
                "SCVERSE_BACKENDS_BLOCK": "blocked",
            },
            cwd=site.folder,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        finished.stdout, finished.stderr = finished.stdout.decode(), finished.stderr.decode()
        return finished

    return command


def check(finished, statuses):
    """It ended by a documented status, with no traceback, and wrote what a terminal only shows."""
    assert finished.returncode in statuses, finished.stderr
    for text in (finished.stdout, finished.stderr):
        assert "Traceback" not in text
        assert text.replace("\n", "").isprintable()


def check_overview(words, finished, installed):
    """What cannot be loaded is called broken, and nothing else is."""
    check(finished, {0, 1})
    assert "fine" in finished.stdout
    if words[0] != "doctor":
        return
    assert all(len(line) < LONGEST for line in finished.stdout.splitlines())
    rows = [row for row in map(str.split, finished.stdout.splitlines()) if len(row) > 3]
    health = [(row[0], {row[1], row[2]}) for row in rows]
    assert ("ok", {"fine", "fine-backend"}) in health
    for member in installed:
        names = {member.id, member.name, member.known_as or member.distribution}
        found = {state for state, who in health if who & names}
        expected = {"loads": {"ok", "warning"}, "BackendLoadError": {"broken"}}.get(
            member.load, found
        )
        assert not expected or found & expected, member.id


@pytest.mark.timeout(300)
@pytest.mark.parametrize("words", OVERVIEWS, ids=" ".join)
def test_many_at_once(command, words):
    first, step = (0, 1) if LONG or "doctor" in words else (OVERVIEWS.index(words), len(OVERVIEWS))
    met = TOGETHER[first::step]
    check_overview(words, command(met, *words), met)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("package", TOGETHER if LONG else TOGETHER[::20], ids=lambda m: m.id)
def test_a_call_on_one_is_explained(command, package):
    words = ("explain", WHERE, package.function, "--backend", package.name)
    finished = command([package], *words, *(f"{k}={v!r}" for k, v in package.arguments.items()))
    check(finished, {0, 1, 2})
    told = finished.stdout + finished.stderr
    if finished.returncode:
        assert package.name in told
    if finished.returncode == 0:
        assert package.load == "loads"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("package", members() if LONG else APART, ids=lambda m: m.id)
def test_each_alone(command, package):
    for words in OVERVIEWS if LONG else OVERVIEWS[2:3]:
        finished = command([package], *words)
        if package.load == "KeyboardInterrupt" and words[0] != "list":
            # The user wants to stop, as far as anybody can tell.
            check(finished, {130})
        else:
            check_overview(words, finished, [package])
