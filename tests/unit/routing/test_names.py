"""Which function of an adapter is meant: dispatch names, namespaces and ``__all__``."""

import pytest

from scverse_backends.exceptions import BackendLoadError


@pytest.fixture
def run(site, make_dispatcher):
    """Run a host function on an installed backend: ``run("pl.pca", adapter source)``."""

    def run(name, adapter):
        modules = {"my_backend.adapter": f"name = 'mine'\n{adapter}", "my_backend.steps": PCA}
        point = {"mine": "my_backend.adapter"}
        site.install("my-backend", version="2.1", entry_points=point, modules=modules)
        dispatcher = make_dispatcher(untrusted="allow", fallback="error")
        func = dispatcher.backend_dispatch(name=name)(lambda: "host")
        decision = dispatcher.settings.explain(func, backend="mine")
        return decision.refusals[0].reason if decision.refusals else func(backend="mine")

    return run


ABSENT = "does not implement it"
PCA = "def pca(): return 'ran'\n"
PL = "class pl:\n    def pca(): return 'ran'\n"
ON_DEMAND = "def __getattr__(name):\n    if name == 'pca': {}\n    raise AttributeError(name)"
PLAIN = {
    "without __all__": (PCA, "ran"),
    "not there": ("", ABSENT),
    "listed": (f"__all__ = ['pca']\n{PCA}", "ran"),
    "in a tuple": (f"__all__ = ('pca',)\n{PCA}", "ran"),
    "not listed": (f"__all__ = ['umap']\n{PCA}", ABSENT),
    "nothing listed": (f"__all__ = []\n{PCA}", ABSENT),
    "borrowed": ("from copy import copy as pca", ABSENT),
    "a borrowed module": ("import copy as pca", ABSENT),
    "from its own package": ("from my_backend.steps import pca", "ran"),
    "made with the standard library": (
        "from functools import partial\nfrom my_backend.steps import pca\npca = partial(pca)",
        "ran",
    ),
    "made on demand": (ON_DEMAND.format("return lambda: 'ran'"), "ran"),
    "a method of an object of its own": (
        "from array import array\npca = array('b', b'ran').tobytes",
        b"ran",
    ),
    "a borrowed class method": ("pca = bytes.fromhex", ABSENT),
}
DOTTED = {
    "in a module": ("from my_backend import steps as pl", "ran"),
    "in a class": (PL, "ran"),
    "in a namespace object": (
        "from types import SimpleNamespace\npl = SimpleNamespace(pca=lambda: 'ran')",
        "ran",
    ),
    "the namespace listed": (f"__all__ = ['pl']\n{PL}", "ran"),
    "the dotted name listed": (f"__all__ = ['pl.pca']\n{PL}", "ran"),
    "another namespace listed": (f"__all__ = ['pp']\n{PL}", ABSENT),
    "another dotted name listed": (f"__all__ = ['pl.umap']\n{PL}", ABSENT),
    "listed by the namespace": (f"{PL}    __all__ = ['pca']", "ran"),
    "not listed by the namespace": (f"{PL}    __all__ = ['umap']", ABSENT),
    "the bare name is another function": (f"class pl: pass\n{PCA}", ABSENT),
    "no namespace": (PCA, ABSENT),
    "the bare name listed": (f"__all__ = ['pca']\n{PCA}", ABSENT),
    "borrowed": ("class pl:\n    from copy import copy as pca", ABSENT),
}
DEEP = ("a.b.c", "class a:\n    class b:\n        def c(): return 'ran'", "ran")
CASES = [
    *[("pca", *case) for case in PLAIN.values()],
    *[("pl.pca", *case) for case in DOTTED.values()],
    DEEP,
]


@pytest.mark.parametrize(
    ("name", "adapter", "outcome"), CASES, ids=[*PLAIN, *(f"pl: {name}" for name in DOTTED), "deep"]
)
def test_a_name_is_an_attribute_of_the_adapter_or_of_a_namespace(run, name, adapter, outcome):
    assert run(name, adapter) == outcome


BROKEN = {
    "listed only": ("pca", "__all__ = ['pca']", "'pca'"),
    "no namespace": ("pl.pca", "__all__ = ['pl']", "'pl'"),
    "listed by the namespace only": ("pl.pca", "class pl:\n    __all__ = ['pca']", "'pl.pca'"),
    "listed as a dotted name only": ("pl.pca", "__all__ = ['pl.pca']\nclass pl: pass", "'pl.pca'"),
    "an import that fails on demand": (
        "pca",
        "__all__ = ['pca']\ndef __getattr__(name):\n    import cuda_that_is_not_here",
        "cuda_that_is_not_here",
    ),
    "an error on demand": (
        "pca",
        ON_DEMAND.format("raise RuntimeError('no device')"),
        "RuntimeError: no device",
    ),
    "an exit on demand": ("pca", ON_DEMAND.format("raise SystemExit"), "SystemExit"),
    "another attribute missing on demand": (
        "pca",
        ON_DEMAND.format("return len.missing"),
        "missing",
    ),
    "__all__ is a string": ("pca", "__all__ = 'pca'", "`__all__` must be"),
    "__all__ is a number": ("pca", "__all__ = 3", "`__all__` must be"),
}


@pytest.mark.parametrize(("name", "adapter", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_name_that_is_offered_and_cannot_be_fetched_is_a_load_error(run, name, adapter, problem):
    with pytest.raises(BackendLoadError) as caught:
        run(name, adapter)
    assert problem in str(caught.value)
    assert (caught.value.distribution, caught.value.version) == ("my-backend", "2.1")
    assert caught.value.__cause__ is not None


def test_a_function_that_cannot_be_fetched_leaves_the_others_alone(site, make_dispatcher):
    on_demand = ON_DEMAND.format("import heavy_that_is_not_here")
    site.backend("mine", f"name = 'mine'\ndef umap(): return 'ran'\n{on_demand}")
    dispatcher = make_dispatcher(untrusted="allow")
    pca = dispatcher.backend_dispatch(name="pca")(lambda: "host")
    umap = dispatcher.backend_dispatch(name="umap")(lambda: "host")
    with dispatcher.settings.use_backend("mine"):
        for _ in range(2):
            assert umap() == "ran"
            with pytest.raises(BackendLoadError, match="heavy_that_is_not_here"):
                pca()


def test_an_error_of_a_registered_adapter_names_the_backend_alone(dispatcher):
    class Lazy:
        name = "lazy"
        __all__ = ("pca",)
        aliases, renames, fixed, can_run, should_run = (), {}, {}, None, None

        def __getattr__(self, name):
            raise OSError(name)

    pca = dispatcher.backend_dispatch(name="pca")(lambda: "host")
    told = pytest.raises(
        BackendLoadError, match="of example_host \\(this process\\) is registered but"
    )
    with dispatcher.register(Lazy), told as caught:
        pca(backend="lazy")
    assert (caught.value.distribution, caught.value.entry_point) == (None, None)
