"""Each adapter is loaded once, however many ask."""

import importlib
import random
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from hypothesis import settings

from scverse_backends.exceptions import BackendLoadError, UntrustedBackendWarning

pytestmark = pytest.mark.timeout(60)
THREADS = 64
REPETITIONS = 1000 if settings.default.max_examples > 100 else 25
NEEDY = """
import random, time, stage
stage.imported.append({name!r})
time.sleep(random.random() * 0.004)
if {later!r} and random.random() < 0.2:
    stage.dispatcher.get_backend(random.choice({later!r}))
name = {name!r}
aliases = ["{name}-alias"]
def where():
    time.sleep(random.random() * 0.0005)
    return {name!r}
"""


@pytest.fixture
def counted(site):
    """A class adapter that counts its imports and instances, and takes its time for both."""
    site.write("counter.py", "imports, instances = [], []")
    site.install(
        "my-backend",
        entry_points={"mine": "my_adapter:Adapter"},
        modules={
            "my_adapter": """
                import counter, time
                counter.imports.append(1)
                time.sleep(0.005)
                class Adapter:
                    name = "mine"
                    aliases = ["cuda"]
                    def __init__(self):
                        time.sleep(0.005)
                        counter.instances.append(self)
                    def double(self, values):
                        return self
            """
        },
    )
    return importlib.import_module("counter")


def together(*tasks):
    """Start all tasks at the same moment, in a thread each, and give their results."""
    barrier = threading.Barrier(len(tasks))

    def run(task):
        barrier.wait()
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(run, task) for task in tasks]]


@pytest.mark.parametrize("labels", [["mine"], ["cuda"], ["mine", "cuda"]])
def test_the_first_calls_of_many_threads_load_the_adapter_once(dispatcher, counted, labels):
    double = dispatcher.backend_dispatch(name="double")(lambda values: "host")
    results = together(*[partial(double, [1], backend=label) for label in labels * THREADS])
    assert (len(counted.imports), len(counted.instances)) == (1, 1)
    assert set(results) == set(counted.instances)


def test_many_threads_that_only_look_load_the_adapter_once(dispatcher, counted):
    results = together(*[dispatcher.settings.available_backends] * THREADS)
    assert results == [["mine"]] * THREADS
    assert (len(counted.imports), len(counted.instances)) == (1, 1)


def test_threads_that_wait_while_a_broken_adapter_is_tried_share_its_error(site, dispatcher):
    site.write("counter.py", "imports = []")
    source = """
        import counter, time
        counter.imports.append(1)
        time.sleep(1)
        raise RuntimeError('no device')
    """
    site.install("broken", entry_points={"mine": "broken"}, modules={"broken": source})

    def ask():
        with pytest.raises(BackendLoadError) as caught:
            dispatcher.get_backend("mine")
        return str(caught.value)

    assert len(set(together(*[ask] * 8))) == 1
    assert sys.modules["counter"].imports == [1]


@pytest.mark.usefixtures("stage")
def test_threads_in_the_midst_of_imports_load_the_adapter_once(site, counted):
    for number in range(8):
        site.write(f"user{number}.py", "import stage; found = stage.dispatcher.get_backend('mine')")
    modules = together(*[partial(importlib.import_module, f"user{n}") for n in range(8)])
    assert {module.found for module in modules} == set(counted.instances)
    assert (len(counted.imports), len(counted.instances)) == (1, 1)


def test_the_first_look_of_many_threads_reads_metadata_once(site, make_dispatcher):
    site.install("evil", entry_points={"fast": "evil"}, modules={"evil": "name = 'fast'"})
    dispatcher = make_dispatcher(trusted_backends={"fast": {"package": "fast-backend"}})
    with pytest.warns(UntrustedBackendWarning, match="refuses") as caught:
        together(*[dispatcher.backends] * THREADS)
    assert len(caught) == 1


def test_calls_run_where_they_were_meant_while_another_thread_changes_what_is_there(
    site, dispatcher
):
    for name in ("one", "two", "three"):
        source = f"name = {name!r}\naliases = ['{name}-alias']\ndef whoami(): return {name!r}"
        module = f"module_{name}"
        site.install(f"{name}-backend", entry_points={name: module}, modules={module: source})
    whoami = dispatcher.backend_dispatch(name="whoami")(lambda: "host")

    def call(name):
        with dispatcher.settings.use_backend(name):
            return {answer for _ in range(100) for answer in (whoami(), whoami(backend=name))}

    def change():
        for _ in range(30):
            dispatcher.refresh()
            with dispatcher.register(type("Other", (), {"name": "other"})):
                dispatcher.settings.available_backends()
        return set()

    callers = [partial(call, name) for name in ("one", "two", "three-alias")]
    answers = together(*callers, change, *callers)
    assert answers == [{"one"}, {"two"}, {"three"}, set(), {"one"}, {"two"}, {"three"}]


@pytest.mark.timeout(600)
def test_backends_that_need_others_are_each_imported_once_whoever_comes_first(
    site, stage, make_dispatcher
):
    names = ("one", "two", "three")
    for number, name in enumerate(names, 1):
        # In no circle: those that need one another cannot be loaded, in one thread as in many.
        site.backend(name, NEEDY.format(name=name, later=names[number:]))

    def ask():
        name = random.choice(names)  # noqa: S311 - chance, not secrecy
        label = random.choice([name, f"{name}-alias", [name, "cpu"]])  # noqa: S311
        return where(backend=label) == name

    for _ in range(REPETITIONS):
        for name in names:
            sys.modules.pop(f"{name}_backend", None)
        stage.imported, stage.dispatcher = [], make_dispatcher(untrusted="allow")
        where = stage.dispatcher.backend_dispatch(name="where")(lambda: "cpu")
        assert all(together(*[ask] * 8))
        assert max(Counter(stage.imported).values()) == 1
