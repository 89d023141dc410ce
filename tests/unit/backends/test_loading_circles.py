"""Adapters that need one another, or what is being imported: nobody waits for ever."""

import importlib
import threading
from contextlib import suppress

import pytest

from scverse_backends.exceptions import BackendLoadError

pytestmark = pytest.mark.timeout(60)


@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize("kind", ["module", "class"])
def test_an_adapter_that_asks_for_itself_while_it_is_loaded_is_told_so(site, dispatcher, kind):
    sources = {
        "module": ("selfish", "import stage; stage.dispatcher.get_backend('mine')"),
        "class": (
            "selfish:Adapter",
            """
            import stage
            class Adapter:
                name = "mine"
                def __init__(self): stage.dispatcher.get_backend("mine")
            """,
        ),
    }
    reference, source = sources[kind]
    site.install("selfish", entry_points={"mine": reference}, modules={"selfish": source})
    for _ in range(2):
        with pytest.raises(BackendLoadError, match="asks for itself"):
            dispatcher.get_backend("mine")


@pytest.mark.usefixtures("stage")
def test_an_adapter_that_only_tries_itself_while_it_is_loaded_works(site, dispatcher):
    source = """
        import stage
        try:
            stage.dispatcher.get_backend("mine")
        except ImportError:
            pass
        name = "mine"
    """
    site.install("shy", entry_points={"mine": "shy"}, modules={"shy": source})
    assert dispatcher.get_backend("mine").name == "mine"
    assert dispatcher.get_backend("mine").name == "mine"


def side_by_side(*tasks):
    """Run tasks in a thread each that may be left behind, and give what they return."""
    results = [None] * len(tasks)

    def run(number):
        results[number] = tasks[number]()

    threads = [threading.Thread(target=run, args=[n], daemon=True) for n in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads), "they wait for each other"
    return results


def test_a_thread_in_the_midst_of_an_import_and_one_that_loads_do_not_wait_for_each_other(
    site, stage
):
    """`user` tries the backend while it is imported; the backend imports `user`."""
    stage.in_user, stage.in_adapter = threading.Event(), threading.Event()
    site.write(
        "user.py",
        """
        import stage
        stage.in_user.set()
        stage.in_adapter.wait(60)
        try:
            stage.dispatcher.get_backend("mine")
        except ImportError:
            pass
        """,
    )
    source = """
        import stage
        stage.in_adapter.set()
        stage.in_user.wait(60)
        import user
        name = "mine"
        aliases = ["cuda"]
    """
    site.install("mine", entry_points={"mine": "adapter"}, modules={"adapter": source})
    found = side_by_side(
        lambda: importlib.import_module("user").__name__,
        lambda: stage.dispatcher.get_backend("mine").name,
    )
    assert found == ["user", "mine"]
    assert stage.dispatcher.get_backend("cuda").name == "mine"


def test_a_thread_in_the_midst_of_an_import_waits_for_one_that_waits_for_a_third(site, stage):
    """`slow` is imported by a third thread, which needs nobody: waiting for it is safe."""
    stage.in_slow, stage.in_adapter, stage.go = (threading.Event() for _ in range(3))
    site.write("slow.py", "import stage; stage.in_slow.set(); stage.go.wait(60)")
    site.write(
        "user.py",
        """
        import stage
        stage.in_adapter.wait(60)
        found = stage.dispatcher.get_backend("mine")
        """,
    )
    source = "import stage; stage.in_adapter.set(); import slow; name = 'mine'"
    site.install("mine", entry_points={"mine": "adapter"}, modules={"adapter": source})

    def load():
        stage.in_slow.wait(60)
        return stage.dispatcher.get_backend("mine").name

    threading.Timer(0.3, stage.go.set).start()
    found = side_by_side(
        lambda: importlib.import_module("slow").__name__,
        load,
        lambda: importlib.import_module("user").found.name,
    )
    assert found == ["slow", "mine", "mine"]


def test_what_fails_because_of_another_thread_is_not_kept(site, stage):
    """`one` imports the adapter of `two`, which asks for `one`: fine, one after the other."""
    stage.both = threading.Barrier(2, timeout=5)
    stage.meet = stage.both.wait
    sources = {
        "one": """
            import stage
            class Adapter:
                name = "one"
                def __init__(self):
                    stage.meet()
                    import module_two
        """,
        "two": """
            import stage
            name = "two"
            stage.meet()
            stage.dispatcher.get_backend("one")
        """,
    }
    for name, reference in (("one", "module_one:Adapter"), ("two", "module_two")):
        module = f"module_{name}"
        site.install(name, entry_points={name: reference}, modules={module: sources[name]})

    def attempt(name):
        with suppress(BackendLoadError, threading.BrokenBarrierError):
            stage.dispatcher.get_backend(name)

    side_by_side(lambda: attempt("one"), lambda: attempt("two"))
    stage.meet = lambda: None
    assert stage.dispatcher.get_backend("two").name == "two"
    assert stage.dispatcher.get_backend("one").name == "one"


@pytest.mark.parametrize("attempt", range(5))  # which of them comes first is chance
def test_three_threads_that_need_one_another_in_a_circle_do_not_wait_for_ever(site, stage, attempt):
    """`user` tries `one` while it is imported, `one` asks for `two`, and `two` imports `user`."""
    stage.all_three = threading.Barrier(3, timeout=60)
    site.write(
        "user.py",
        """
        import stage
        stage.all_three.wait()
        try:
            stage.dispatcher.get_backend("one")
        except ImportError:
            pass
        """,
    )
    for name, need in (("one", "stage.dispatcher.get_backend('two')"), ("two", "import user")):
        source = f"""
            import stage
            class Adapter:
                name = {name!r}
                def __init__(self):
                    stage.all_three.wait()
                    {need}
        """
        module = f"module_{name}"
        site.install(name, entry_points={name: f"{module}:Adapter"}, modules={module: source})
    found = side_by_side(
        lambda: importlib.import_module("user").__name__,
        lambda: stage.dispatcher.get_backend("one").name,
        lambda: stage.dispatcher.get_backend("two").name,
    )
    assert found == ["user", "one", "two"]


def test_two_adapters_that_ask_for_each_other_from_two_threads_do_not_wait_for_ever(site, stage):
    stage.both = threading.Barrier(2, timeout=60)
    for name, other in (("one", "two"), ("two", "one")):
        source = f"""
            import stage
            class Adapter:
                name = {name!r}
                def __init__(self):
                    stage.both.wait()
                    try:
                        stage.dispatcher.get_backend({other!r})
                    except ImportError:
                        pass
        """
        module = f"module_{name}"
        site.install(name, entry_points={name: f"{module}:Adapter"}, modules={module: source})
    found = side_by_side(
        lambda: stage.dispatcher.get_backend("one").name,
        lambda: stage.dispatcher.get_backend("two").name,
    )
    assert found == ["one", "two"]
