"""A fork while another thread loads a backend or reads metadata: parent and child can do both."""

import importlib
import inspect
import os
import threading
from sysconfig import get_config_var

import pytest

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no process can be forked here"),
    # Python 3.12 and later warn of every fork beside a thread.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def stage(site):
    site.write("stage.py", "import threading; begun = threading.Event(); go = threading.Event()")
    return importlib.import_module("stage")


def in_a_child(work):
    """Run something in a forked child, and tell whether it was true there within ten seconds."""
    child = os.fork()
    if child == 0:
        try:
            threading.Timer(10, os._exit, [2]).start()
            os._exit(0 if work() else 1)
        finally:
            os._exit(3)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def while_another_thread_does(work, stage):
    thread = threading.Thread(target=work)
    thread.start()
    assert stage.begun.wait(60)
    return thread


def test_the_child_loads_what_another_thread_of_the_parent_was_loading(site, dispatcher, stage):
    source = """
        import stage
        class Adapter:
            name = "mine"
            def __init__(self):
                stage.begun.set()
                stage.go.wait(60)
            def whoami(self): return "mine"
    """
    site.install("mine", entry_points={"mine": "mine:Adapter"}, modules={"mine": source})
    importlib.import_module("mine")
    whoami = dispatcher.backend_dispatch(name="whoami")(lambda: "host")

    def call():
        stage.go.set()
        return whoami(backend="mine") == "mine"

    thread = while_another_thread_does(lambda: dispatcher.get_backend("mine"), stage)
    assert in_a_child(call)
    assert call()
    thread.join()


def test_the_child_reads_metadata_that_another_thread_of_the_parent_was_reading(
    site, dispatcher, stage, find_distributions
):
    def find(context):
        stage.begun.set()
        stage.go.wait(60)
        return []

    def call():
        stage.go.set()
        return dispatcher.get_backend("mine").name == "mine"

    site.install("mine", entry_points={"mine": "mine"}, modules={"mine": "name = 'mine'"})
    find_distributions(find)
    thread = while_another_thread_does(dispatcher.backends, stage)
    assert in_a_child(call)
    assert call()
    thread.join()


HOST = """
import os, sys, threading, time
from scverse_backends import BackendDispatcher

dispatcher = BackendDispatcher(entrypoint_group="nobody.backends", host_name="example_host")

@dispatcher.backend_dispatch
def where():
    return "cpu"

class Mine:
    name = "mine"
    def where(self): return "mine"

dispatcher.register(Mine)
"""

FIRST_USE = """
begun = threading.Event()

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name in ("scverse_backends._routing.resolution", "importlib.metadata"):
            begun.set()
            time.sleep(0.1)

sys.meta_path.insert(0, Slow())
thread = threading.Thread(target=WORK)
thread.start()
begun.wait()
child = os.fork()
if child == 0:
    os._exit(0 if where(backend="mine") == "mine" and not dispatcher.backends()[1:] else 1)
thread.join()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize("work", ['lambda: where(backend="mine")', "dispatcher.backends"])
def test_the_child_imports_what_another_thread_of_the_parent_was_importing(run_python, work):
    assert run_python("-W", "ignore", "-c", HOST + FIRST_USE.replace("WORK", work)).returncode == 0


BUSY = """
settings = dispatcher.settings

def select():
    for backend in ("cpu", "mine"):
        with settings.trace(every_thread=True):
            settings.backend = backend
            where()
    return where() == "mine"

def select_on_and_on():
    while not is_over:
        select()

def in_a_child():
    child = os.fork()
    if child == 0:
        threading.Timer(10, os._exit, [2]).start()
        os._exit(0 if select() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

is_over = []
select()  # a child waits for ever for a module that another thread was importing
thread = threading.Thread(target=select_on_and_on)
sys.setswitchinterval(1e-6)
thread.start()
went_well = all(in_a_child() for _ in range(40))
is_over.append(True)
thread.join()
sys.exit(not went_well)
"""


@pytest.mark.skipif(
    bool(get_config_var("Py_GIL_DISABLED")), reason="Python's own locks may stay closed in a child"
)
def test_the_child_selects_and_traces_while_another_thread_of_the_parent_does(run_python):
    # Without `site`, which starts coverage: where that follows every line, it takes too long.
    assert run_python("-S", "-W", "ignore", "-c", HOST + BUSY).returncode == 0


def test_the_child_shows_what_a_backend_takes_while_another_thread_of_the_parent_asks_it(
    dispatcher, stage
):
    class Adapter:
        name = "mine"

        @property
        def scale(self):
            stage.begun.set()
            stage.go.wait(60)
            return lambda data, tiles=1: "mine"

    scale = dispatcher.backend_dispatch(name="scale")(lambda data: "host")
    dispatcher.register(Adapter())

    def look():
        stage.go.set()
        dispatcher.discover()
        return "tiles" in inspect.signature(scale).parameters

    thread = while_another_thread_does(dispatcher.discover, stage)
    assert in_a_child(look)
    stage.go.set()
    thread.join()
    assert look()


def test_the_child_compares_classes_that_another_thread_of_the_parent_was_comparing(
    dispatcher, offer, stage
):
    class Slow:
        def __get__(self, instance, owner):
            stage.begun.set()
            stage.go.wait(60)
            return lambda model: None

    class Theirs:
        fit = Slow()

    @dispatcher.backend_class
    class Model:
        fit = Slow()

        def save(self): ...

    def compare():
        return dispatcher.settings.explain(Model, backend="mine").missing_members == ("save",)

    def compare_at_once():
        stage.go.set()
        return compare()

    offer(Model=Theirs)
    thread = while_another_thread_does(compare, stage)
    assert in_a_child(compare_at_once)
    stage.go.set()
    thread.join()
