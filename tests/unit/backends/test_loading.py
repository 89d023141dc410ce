"""A backend that cannot be loaded says so itself, is tried again when it is named, hides no other."""

import importlib
import sys
import traceback

import pytest

from scverse_backends.exceptions import (
    BackendLoadError,
    BackendRegistrationWarning,
    UnknownBackendError,
)

BROKEN = {
    "an import that fails": ("import libcuda_that_is_missing", ModuleNotFoundError),
    "a system exit": ("raise SystemExit(3)", SystemExit),
    "an exception of its own": ("class Odd(BaseException): ...\nraise Odd", BaseException),
    "an exception that cannot be shown": (
        "class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd",
        Exception,
    ),
    "a syntax error": ("def (", SyntaxError),
    "a recursion": ("def f(): f()\nf()", RecursionError),
    "an attribute that fails": ("def __getattr__(name): raise OSError(name)", OSError),
}


def install(site, source, reference="broken_module", *, name="mine"):
    site.install(
        "broken-backend",
        version="2.1",
        entry_points={name: reference},
        modules={"broken_module": source},
    )


def failure(dispatcher, label="mine"):
    with pytest.raises(BackendLoadError) as caught:
        dispatcher.get_backend(label)
    return caught.value


@pytest.mark.parametrize(("source", "cause"), BROKEN.values(), ids=BROKEN)
def test_whatever_is_wrong_becomes_an_error_that_names_what_is_installed(
    site, dispatcher, source, cause
):
    install(site, source)
    error = failure(dispatcher)
    assert (error.backend, error.host) == ("mine", "example_host")
    assert (error.distribution, error.version) == ("broken-backend", "2.1")
    assert error.entry_point == "broken_module"
    assert isinstance(error.__cause__, cause)
    assert "broken-backend 2.1" in str(error)
    assert "is installed but could not be loaded" in str(error)
    assert "not installed" not in str(error)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "it has no `name`; give it one, such as name = 'mine'"),
        ("name = 3", "`name` is not valid: a backend name must be a string, not int"),
        ("name = 'no spaces'", "`name` is not valid: 'no spaces' is not a valid backend name"),
        ("name = 'mine'; aliases = 3", "`aliases` must be a list, tuple or set of strings, not 3"),
        ("name = 'mine'; renames = ['f']", "`renames` must be {function: "),
        ("name = 'mine'; renames = {'a': 'b'}", "`renames` must be {function: "),
        ("name = 'mine'; renames = {3: {}}", "`renames` must be {function: "),
        ("name = 'mine'; renames = {'f': {'a': 3}}", "`renames['f']` must map names to names"),
        ("name = 'mine'; renames = {'f': {'a': 'c', 'b': 'c'}}", "`renames['f']` give two"),
        ("name = 'mine'; can_run = True", "`can_run` must be callable, not True"),
    ],
)
def test_an_adapter_that_is_none_is_told_what_it_must_be(site, dispatcher, source, said):
    install(site, source)
    assert said in failure(dispatcher).problem


@pytest.mark.parametrize(
    ("reference", "cause"),
    [
        ("no_such_module", ModuleNotFoundError),
        ("broken_module.inner", ModuleNotFoundError),
        ("broken_module:Missing", AttributeError),
        ("broken_module:Adapter.missing", AttributeError),
        ("broken_module:Failing", RuntimeError),
        ("broken_module:Exiting", SystemExit),
        ("broken_module:Demanding", Exception),
        ("broken_module:Confused", TypeError),
        ("broken_module:nothing", Exception),
        ("broken_module:number", Exception),
        (":", Exception),
        ("not a module!", Exception),
    ],
)
def test_a_reference_that_leads_to_no_adapter_is_an_error_too(site, dispatcher, reference, cause):
    source = """
        nothing, number = None, 3
        class Adapter: name = "mine"
        class Failing:
            def __init__(self): raise RuntimeError("no device")
        class Exiting:
            def __init__(self): raise SystemExit
        class Demanding:
            def __init__(self, device): ...
        class Confused:
            def __init__(self): len(3)
    """
    install(site, source, reference)
    error = failure(dispatcher)
    assert isinstance(error.__cause__, cause)
    assert error.entry_point == reference


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("raise ImportError('libcuda.so.1 is missing')", "ImportError: libcuda.so.1 is missing."),
        ("raise OSError('one\\n   two\\n')", "OSError: one two."),
        ("raise OSError", "OSError."),
        ("name = 3", "its `name` is not valid: a backend name must be a string, not int."),
    ],
)
def test_the_message_says_in_one_line_what_went_wrong(site, dispatcher, source, shown):
    install(site, source)
    message = str(failure(dispatcher))
    assert shown in message
    assert "\n" not in message


@pytest.mark.parametrize("source", ["", "raise OSError", "import nothing_of_this_name"])
@pytest.mark.parametrize("module", ["mine_module", "mine_module.inner"])
def test_a_file_that_shadows_the_backends_module_is_named(
    site, dispatcher, tmp_path, monkeypatch, source, module
):
    site.install("mine", entry_points={"mine": module}, modules={module: "name = 'mine'"})
    shadow = tmp_path / "mine_module.py"
    shadow.write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    error = failure(dispatcher)
    sys.modules.pop("mine_module", None)
    assert f"(it imported {shadow}, which is no file of the package)" in error.problem


@pytest.mark.parametrize("reference", ["broken_module", "broken_module.inner", "elsewhere", "1/0"])
def test_no_file_is_named_where_none_shadows_the_backend(site, dispatcher, reference):
    install(site, "raise OSError", reference)
    assert "it imported" not in failure(dispatcher).problem


class TestOneBrokenBackend:
    @pytest.fixture(autouse=True)
    def installed(self, site):
        """One broken backend that comes first by name, one that works, and a count of imports."""
        site.write("counter.py", "imports = []")
        source = "import counter; counter.imports.append(1); raise RuntimeError('no device')"
        install(site, source, name="aaa")
        site.backend("fine", "name = 'fine'\naliases = ['good']", reference="fine_module")

    def test_is_listed_with_what_went_wrong_once_that_is_known(self, dispatcher):
        assert [info.state for info in dispatcher.backends()] == ["installed", "installed"]
        failure(dispatcher, "aaa")
        (broken, _) = dispatcher.backends()
        assert (broken.name, broken.state) == ("aaa", "broken")
        assert "RuntimeError: no device" in broken.reason

    def test_is_named_when_nobody_answers_to_a_label(self, dispatcher):
        with pytest.raises(UnknownBackendError, match=r"failing to load.*broken-backend") as caught:
            dispatcher.get_backend("cuda")
        assert len(caught.value.broken) == 1

    def test_is_tried_again_each_time_it_is_named(self, dispatcher):
        errors = [failure(dispatcher, "aaa") for _ in range(5)]
        assert sys.modules["counter"].imports == [1] * 5
        assert len({str(error) for error in errors}) == 1
        assert len({id(error.__cause__) for error in errors}) == 5
        depths = [len(traceback.extract_tb(error.__traceback__)) for error in errors]
        assert depths[1:] == depths[1:2] * 4

    @pytest.mark.parametrize(("label", "other"), [("aaa", "installed"), ("fast", "loaded")])
    def test_works_the_next_time_it_is_named_if_it_can(self, site, dispatcher, label, other):
        failure(dispatcher, "aaa")
        site.write("broken_module.py", "name = 'repaired'\naliases = ['fast']")
        assert dispatcher.get_backend(label).name == "repaired"
        assert [info.state for info in dispatcher.backends()] == ["loaded", other]

    def test_hides_no_other_and_is_not_tried_again_for_it(self, dispatcher):
        assert dispatcher.available_backend_names() == ["fine", "good"]
        tried = len(sys.modules["counter"].imports)
        failure(dispatcher, "aaa")
        assert dispatcher.get_backend("good").name == "fine"
        assert dispatcher.settings.available_backends() == ["fine"]
        assert dispatcher.available_backend_names() == ["fine", "good"]
        assert len(sys.modules["counter"].imports) == tried + 1

    def test_breaks_one_that_needs_it(self, site, dispatcher):
        site.write("stage.py", "asked = []")
        importlib.import_module("stage").dispatcher = dispatcher
        source = "import stage; stage.asked.append(1); stage.dispatcher.get_backend('aaa')"
        site.install("needy", entry_points={"needy": "needy"}, modules={"needy": source})
        errors = [failure(dispatcher, "needy") for _ in range(2)]
        assert all("broken-backend" in str(error) for error in errors)
        assert sys.modules["stage"].asked == [1, 1]

    def test_is_listed_as_installed_after_a_refresh(self, site, dispatcher):
        failure(dispatcher, "aaa")
        site.write("broken_module.py", "name = 'repaired'")
        dispatcher.refresh()
        assert [info.state for info in dispatcher.backends()] == ["installed", "installed"]
        assert dispatcher.get_backend("repaired").name == "repaired"


@pytest.mark.parametrize("fatal", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("where", ["module", "class", "hand-out"])
def test_an_interrupt_and_the_end_of_memory_pass_and_are_not_kept(site, dispatcher, fatal, where):
    site.write("switch.py", "on = True")
    raising = f"import switch\n            if switch.on: raise {fatal.__name__}"
    sources = {
        "module": ("broken_module", f"""
            {raising}
            name = "mine"
            def double(values): return "done"
        """),
        "class": ("broken_module:Adapter", f"""
        class Adapter:
          name = "mine"
          def __init__(self):
            {raising}
          def double(self, values): return "done"
        """),
        "hand-out": ("broken_module", f"""
        name = "mine"
        __all__ = ["double"]
        def __getattr__(name):
            if name != "double": raise AttributeError(name)
            {raising}
            return lambda values: "done"
        """),
    }  # fmt: skip
    reference, source = sources[where]
    install(site, source, reference)
    double = dispatcher.backend_dispatch(name="double")(lambda values: values)
    with pytest.raises(fatal):
        double([1], backend="mine")
    sys.modules["switch"].on = False
    assert double([1], backend="mine") == "done"


@pytest.mark.parametrize("aliases", ["None", "()", "[]", "['a', 'b']", "('a',)", "{'a'}"])
def test_aliases_may_be_left_out_or_come_in_any_usual_container(site, dispatcher, aliases):
    install(site, f"name = 'mine'\naliases = {aliases}")
    assert dispatcher.get_backend("mine").name == "mine"


def test_a_string_for_its_aliases_is_one_alias_with_a_warning(site, dispatcher):
    install(site, "name = 'mine'\naliases = 'cuda'")
    with pytest.warns(BackendRegistrationWarning, match=r"write aliases = \['cuda'\]"):
        assert dispatcher.get_backend("cuda").name == "mine"
    assert dispatcher.available_backend_names() == ["cuda", "mine"]


def test_a_class_that_needs_arguments_is_told_to_need_none(site, dispatcher):
    source = "class Adapter:\n    name = 'mine'\n    def __init__(self, device): ..."
    install(site, source, "broken_module:Adapter")
    assert failure(dispatcher).problem == (
        "its class must be one that can be made without arguments: "
        "Adapter.__init__() missing 1 required positional argument: 'device'"
    )
