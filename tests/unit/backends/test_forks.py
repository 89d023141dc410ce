"""A fork while another thread loads a backend or reads metadata: parent and child can do both."""

import importlib
import os
import threading

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
    site, dispatcher, stage, monkeypatch
):
    site.install("mine", entry_points={"mine": "mine"}, modules={"mine": "name = 'mine'"})

    class Slow:
        def find_spec(self, name, path=None, target=None):
            return None

        def find_distributions(self, context):
            stage.begun.set()
            stage.go.wait(60)
            return []

    monkeypatch.setattr("sys.meta_path", [Slow(), *importlib.import_module("sys").meta_path])

    def call():
        stage.go.set()
        return dispatcher.get_backend("mine").name == "mine"

    thread = while_another_thread_does(dispatcher.backends, stage)
    assert in_a_child(call)
    assert call()
    thread.join()
