"""An adapter may hand out its functions when they are asked for, and fail only then."""

import pytest

from scverse_backends.exceptions import BackendLoadError

LAZY = """
    name = "mine"
    __all__ = ["double", "triple"]
    def triple(values): return "tripled"
    def __getattr__(name):
        if name == "double":
            {problem}
        raise AttributeError(name)
"""


@pytest.fixture
def host(dispatcher):
    double = dispatcher.backend_dispatch(name="double")(lambda values: "host")
    triple = dispatcher.backend_dispatch(name="triple")(lambda values: "host")
    return double, triple


def install(site, source):
    site.backend("mine", source, reference="lazy", distribution="lazy-backend", version="2.1")


def test_what_a_function_needs_is_imported_when_that_function_is_first_called(site, host):
    site.write("heavy.py", "def double(values): return 'doubled'")
    install(site, LAZY.format(problem="import heavy; return heavy.double"))
    double, triple = host
    assert triple([1], backend="mine") == "tripled"
    assert "heavy" not in site.imported()
    assert double([1], backend="mine") == "doubled"


@pytest.mark.parametrize(
    ("problem", "cause"),
    [
        ("import libcuda_that_is_missing", ModuleNotFoundError),
        ("raise RuntimeError('no device')", RuntimeError),
        ("raise SystemExit", SystemExit),
        ("None.double", Exception),
        ("pass", Exception),
    ],
)
def test_a_function_that_cannot_be_fetched_is_an_error_and_the_others_work(
    site, host, problem, cause
):
    install(site, LAZY.format(problem=problem))
    double, triple = host
    with pytest.raises(BackendLoadError, match=r"lazy-backend 2\.1") as caught:
        double([1], backend="mine")
    assert (caught.value.backend, caught.value.entry_point) == ("mine", "lazy")
    assert isinstance(caught.value.__cause__, cause)
    assert triple([1], backend="mine") == "tripled"


def test_an_error_of_a_registered_adapter_names_the_backend_alone(dispatcher, host):
    class Lazy:
        name = "lazy"
        __all__ = ("double",)
        aliases, renames, fixed, can_run, should_run = (), {}, {}, None, None

        def __getattr__(self, name):
            raise OSError(name)

    double, _ = host
    told = pytest.raises(BackendLoadError, match="an unnamed distribution")
    with dispatcher.register(Lazy), told as caught:
        double([1], backend="lazy")
    assert (caught.value.distribution, caught.value.entry_point) == (None, None)
