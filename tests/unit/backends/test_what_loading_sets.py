"""What a backend sets while it is imported, constructed or asked stays, but for the selection."""

import decimal
import importlib

import pytest

HOST_CONTEXT = decimal.Context(prec=28)


@pytest.fixture(autouse=True)
def own_context():
    """Put the context of `decimal` back afterwards."""
    with decimal.localcontext(HOST_CONTEXT):
        yield


@pytest.fixture
def settings(site, dispatcher):
    """A host that backends can reach, and a second backend named `other`."""
    site.write("stage.py", "")
    importlib.import_module("stage").dispatcher = dispatcher
    site.install("other", entry_points={"other": "other"}, modules={"other": "name = 'other'"})
    return dispatcher.settings


SOURCES = {
    "imported": ("mine", """
        import stage
        name = "mine"
        __all__ = ["third"]
        {work}
        def third(): return "mine"
    """),
    "constructed": ("mine:Adapter", """
        import stage
        class Adapter:
          name = "mine"
          def __init__(self):
            {work}
          def third(self): return "mine"
    """),
    "asked for a function": ("mine", """
        import stage
        name = "mine"
        __all__ = ["third"]
        def __getattr__(name):
            if name != "third": raise AttributeError(name)
            {work}
            return lambda: "mine"
    """),
    "asked whether it can run": ("mine", """
        import stage
        name = "mine"
        def can_run(function, arguments):
            {work}
            return True
        def third(): return "mine"
    """),
}  # fmt: skip


@pytest.fixture(params=SOURCES)
def install(request, site, settings):
    """Install `mine`, which does some work when it is imported, constructed or asked."""

    def install(work):
        reference, source = SOURCES[request.param]
        source = source.format(work=work)
        site.install("mine", entry_points={"mine": reference}, modules={"mine": source})

    return install


@pytest.fixture
def third(dispatcher):
    return dispatcher.backend_dispatch(name="third")(lambda: "host")


def test_a_context_variable_keeps_its_value(install, third):
    install("import decimal; decimal.getcontext().prec = 50")
    assert third(backend="mine") == "mine"
    assert decimal.getcontext().prec == 50


def test_a_backend_that_is_loaded_finds_the_host_selected(install, settings, third):
    install("stage.found = stage.dispatcher.settings.backend")
    with settings.use_backend("other"):
        assert third(backend="mine") == "mine"
    assert importlib.import_module("stage").found == "cpu"


@pytest.mark.parametrize("selects", ["use_backend('other').__enter__()", "backend = 'other'"])
def test_what_it_leaves_selected_is_undone(install, settings, third, selects):
    install(f"stage.dispatcher.settings.{selects}")
    with settings.use_backend("other"):
        assert third(backend="mine") == "mine"
        assert settings.backend == "other"
    assert settings.backend == "cpu"


def test_a_block_around_it_that_it_leaves_still_holds(install, settings, third):
    install("stage.block.__exit__(None, None, None)")
    importlib.import_module("stage").block = block = settings.use_backend("other")
    block.__enter__()
    assert third(backend="mine") == "mine"
    assert settings.backend == "other"


def test_a_trace_that_it_leaves_open_sees_no_later_call(install, settings, third):
    install("stage.trace = stage.dispatcher.settings.trace(); stage.trace.__enter__()")
    assert third(backend="mine") == "mine"
    assert third() == "host"
    assert "cpu" not in {
        record.backend for record in importlib.import_module("stage").trace.records
    }


def test_a_trace_around_it_goes_on(install, settings, third):
    install("pass")
    with settings.trace() as trace:
        assert third(backend="mine") == "mine"
        assert third(backend="mine") == "mine"
    assert [record.backend for record in trace.records] == ["mine", "mine"]


def test_an_error_of_it_leaves_the_selection_as_it_was(site, settings, dispatcher):
    source = "import stage; stage.dispatcher.settings.use_backend('other').__enter__(); 1 / 0"
    site.install("mine", entry_points={"mine": "mine"}, modules={"mine": source})
    with pytest.raises(ImportError):
        dispatcher.get_backend("mine")
    assert settings.backend == "cpu"
