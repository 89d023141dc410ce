"""While the interpreter goes down, calls still run where they should, and nothing complains."""

import pytest

BEGINNING = """
import atexit, sys, threading, time
from scverse_backends import BackendDispatcher
dispatcher = BackendDispatcher(entrypoint_group="nobody.backends", host_name="example_host")
@dispatcher.backend_dispatch
def where(): return "cpu"
class Adapter:
    name = "mine"
    def where(self): return "mine"
dispatcher.register(Adapter)
settings = dispatcher.settings
say = lambda *words: print(*words, flush=True)
"""


@pytest.fixture
def run(run_python):
    """Run a program to its end, and give what it printed; it must have nothing to complain of."""

    def run(program):
        finished = run_python("-X", "dev", "-W", "error", "-c", BEGINNING + program)
        assert (finished.returncode, finished.stderr) == (0, "")
        return finished.stdout.splitlines()

    return run


EXIT_HANDLER = """
settings.backend = "mine"
atexit.register(lambda: say(where(), settings.backend))
"""
LATE_THREAD = """
def work():
    threading.main_thread().join()
    with settings.use_backend("mine"): say(where())
    say(where())
threading.Thread(target=work).start()
"""


@pytest.mark.parametrize(
    ("program", "printed"),
    [(EXIT_HANDLER, ["mine mine"]), (LATE_THREAD, ["mine", "cpu"])],
    ids=["exit handler", "thread that outlives the main one"],
)
def test_calls_go_where_they_always_went(run, program, printed):
    assert run(program) == printed
