"""Many threads ask at once for backends whose imports take their time, and ask for others."""

import random
import sys
import threading
from collections import Counter

import pytest
from hypothesis import settings

NAMES = ("one", "two", "three")
THREADS = 8
REPETITIONS = 1000 if settings.default.max_examples > 100 else 25
PATIENCE = 20

ADAPTER = """
import random, time
import first_use
first_use.imported.append({name!r})
time.sleep(random.random() * 0.004)
if {later!r} and random.random() < 0.2:
    first_use.dispatcher.get_backend(random.choice({later!r}))
name = {name!r}
aliases = ["{name}-alias"]
def where():
    time.sleep(random.random() * 0.0005)
    return {name!r}
"""


@pytest.fixture
def host(site, make_dispatcher):
    """Make the host anew, with backends that nobody has imported."""
    for number, name in enumerate(NAMES, 1):
        # In no circle: those that need one another cannot be loaded, in one thread as in many.
        source = ADAPTER.format(name=name, later=NAMES[number:])
        site.install(f"first-{name}", entry_points={name: f"first_{name}"})
        site.write(f"first_{name}.py", source)
    site.write("first_use.py", "imported = []\n")

    def anew():
        for name in NAMES:
            sys.modules.pop(f"first_{name}", None)
        import first_use

        first_use.imported.clear()
        first_use.dispatcher = make_dispatcher(untrusted="allow")
        return first_use

    return anew


def ask_at_once(ask):
    """Run a function in many threads at the same moment; give what went wrong."""
    start, wrong = threading.Barrier(THREADS), []

    def run():
        start.wait(PATIENCE)
        try:
            ask()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
            wrong.append(repr(error))

    threads = [threading.Thread(target=run, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return wrong + [f"{thread.name} waits for ever" for thread in threads if thread.is_alive()]


@pytest.mark.timeout(600)
def test_each_is_imported_once_and_nobody_waits_for_ever(host):
    for _ in range(REPETITIONS):
        first_use = host()
        where = first_use.dispatcher.backend_dispatch(name="where")(lambda: "cpu")

        def ask(where=where):
            name = random.choice(NAMES)  # noqa: S311 - chance, not secrecy
            label = random.choice([name, f"{name}-alias", [name, "cpu"]])  # noqa: S311
            assert where(backend=label) == name

        assert ask_at_once(ask) == []
        assert max(Counter(first_use.imported).values()) == 1
