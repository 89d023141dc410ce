"""Which function of an adapter is meant: dispatch names, namespaces and ``__all__``."""

import pytest

from scverse_backends.exceptions import BackendFallbackWarning, BackendLoadError


@pytest.fixture
def run(site, make_dispatcher):
    """Run a host function on an installed backend: ``run("pl.pca", adapter source)``."""

    def run(name, adapter, modules=()):
        site.install(
            "my-backend",
            version="2.1",
            entry_points={"mine": "my_backend.adapter"},
            modules={"my_backend.adapter": adapter, **dict(modules)},
        )
        dispatcher = make_dispatcher(untrusted="allow", fallback="error")
        func = dispatcher.backend_dispatch(name=name)(lambda: "host")
        decision = dispatcher.settings.explain(func, backend="mine")
        if decision.refusals:
            return decision.refusals[0].reason
        return func(backend="mine")

    return run


ABSENT = "does not implement it"


@pytest.mark.parametrize(
    ("adapter", "outcome"),
    [
        pytest.param("name = 'mine'\ndef pca(): return 'ran'", "ran", id="without __all__"),
        pytest.param("name = 'mine'", ABSENT, id="not there"),
        pytest.param(
            "name = 'mine'\n__all__ = ['pca']\ndef pca(): return 'ran'", "ran", id="listed"
        ),
        pytest.param(
            "name = 'mine'\n__all__ = ('pca',)\ndef pca(): return 'ran'", "ran", id="in a tuple"
        ),
        pytest.param(
            "name = 'mine'\n__all__ = ['umap']\ndef pca(): return 'ran'", ABSENT, id="not listed"
        ),
        pytest.param(
            "name = 'mine'\n__all__ = []\ndef pca(): return 'ran'", ABSENT, id="nothing listed"
        ),
        pytest.param("from copy import copy as pca\nname = 'mine'", ABSENT, id="borrowed"),
        pytest.param("import copy as pca\nname = 'mine'", ABSENT, id="a borrowed module"),
        pytest.param(
            "from my_backend.steps import pca\nname = 'mine'", "ran", id="from its own package"
        ),
        pytest.param(
            "from functools import partial\nfrom my_backend.steps import pca\n"
            "pca = partial(pca)\nname = 'mine'",
            "ran",
            id="made with the standard library",
        ),
        pytest.param(
            "name = 'mine'\ndef __getattr__(name):\n"
            "    if name == 'pca': return lambda: 'ran'\n"
            "    raise AttributeError(name)",
            "ran",
            id="made on demand",
        ),
    ],
)
def test_a_plain_name_is_an_attribute_of_the_adapter(run, adapter, outcome):
    assert run("pca", adapter, {"my_backend.steps": "def pca(): return 'ran'"}) == outcome


@pytest.mark.parametrize(
    ("adapter", "outcome"),
    [
        pytest.param("from . import pl\nname = 'mine'", "plotted", id="in a module"),
        pytest.param(
            "name = 'mine'\nclass pl:\n    def pca(): return 'plotted'", "plotted", id="in a class"
        ),
        pytest.param(
            "from types import SimpleNamespace\nname = 'mine'\n"
            "pl = SimpleNamespace(pca=lambda: 'plotted')",
            "plotted",
            id="in a namespace object",
        ),
        pytest.param(
            "name = 'mine'\n__all__ = ['pl']\nclass pl:\n    def pca(): return 'plotted'",
            "plotted",
            id="the namespace listed",
        ),
        pytest.param(
            "name = 'mine'\n__all__ = ['pl.pca']\nclass pl:\n    def pca(): return 'plotted'",
            "plotted",
            id="the dotted name listed",
        ),
        pytest.param(
            "name = 'mine'\n__all__ = ['pp']\nclass pl:\n    def pca(): return 'plotted'",
            ABSENT,
            id="another namespace listed",
        ),
        pytest.param(
            "name = 'mine'\n__all__ = ['pl.umap']\nclass pl:\n    def pca(): return 'plotted'",
            ABSENT,
            id="another dotted name listed",
        ),
        pytest.param(
            "name = 'mine'\nclass pl:\n    __all__ = ['pca']\n    def pca(): return 'plotted'",
            "plotted",
            id="listed by the namespace",
        ),
        pytest.param(
            "name = 'mine'\nclass pl:\n    __all__ = ['umap']\n    def pca(): return 'plotted'",
            ABSENT,
            id="not listed by the namespace",
        ),
        pytest.param(
            "name = 'mine'\nclass pl: pass\ndef pca(): return 'computed'",
            ABSENT,
            id="the bare name is another function",
        ),
        pytest.param("name = 'mine'\ndef pca(): return 'computed'", ABSENT, id="no namespace"),
        pytest.param(
            "name = 'mine'\n__all__ = ['pca']\ndef pca(): return 'computed'",
            ABSENT,
            id="the bare name listed",
        ),
        pytest.param(
            "name = 'mine'\nclass pl:\n    from copy import copy as pca", ABSENT, id="borrowed"
        ),
    ],
)
def test_a_dotted_name_walks_the_adapters_namespaces(run, adapter, outcome):
    steps = {"my_backend.pl": "def pca(): return 'plotted'"}
    assert run("pl.pca", adapter, steps) == outcome


def test_a_name_may_have_more_than_one_dot(run):
    adapter = "name = 'mine'\nclass a:\n    class b:\n        def c(): return 'ran'"
    assert run("a.b.c", adapter) == "ran"


@pytest.mark.parametrize(
    ("name", "adapter", "problem"),
    [
        pytest.param("pca", "name = 'mine'\n__all__ = ['pca']", "'pca'", id="listed only"),
        pytest.param("pl.pca", "name = 'mine'\n__all__ = ['pl']", "'pl'", id="no namespace"),
        pytest.param(
            "pl.pca",
            "name = 'mine'\nclass pl:\n    __all__ = ['pca']",
            "'pl.pca'",
            id="listed by the namespace only",
        ),
        pytest.param(
            "pl.pca",
            "name = 'mine'\n__all__ = ['pl.pca']\nclass pl: pass",
            "'pl.pca'",
            id="listed as a dotted name only",
        ),
        pytest.param(
            "pca",
            "name = 'mine'\n__all__ = ['pca']\n"
            "def __getattr__(name):\n    import cuda_that_is_not_here",
            "cuda_that_is_not_here",
            id="an import that fails on demand",
        ),
        pytest.param(
            "pca",
            "name = 'mine'\ndef __getattr__(name):\n"
            "    if name == 'pca': raise RuntimeError('no device')\n"
            "    raise AttributeError(name)",
            "RuntimeError: no device",
            id="not listed, and an error on demand",
        ),
        pytest.param(
            "pca",
            "name = 'mine'\ndef __getattr__(name):\n"
            "    if name == 'pca': return len.missing\n"
            "    raise AttributeError(name)",
            "missing",
            id="not listed, and another attribute missing on demand",
        ),
        pytest.param(
            "pca", "name = 'mine'\n__all__ = 'pca'", "`__all__` must be", id="__all__ is a string"
        ),
        pytest.param("pca", "name = 'mine'\n__all__ = 3", "`__all__` must be", id="nor a list"),
    ],
)
def test_a_name_that_is_offered_and_cannot_be_fetched_is_a_load_error(run, name, adapter, problem):
    with pytest.raises(BackendLoadError) as caught:
        run(name, adapter)
    assert problem in str(caught.value)
    assert (caught.value.distribution, caught.value.version) == ("my-backend", "2.1")
    assert caught.value.__cause__ is not None


def test_such_an_error_concerns_that_function_only(site, make_dispatcher):
    site.install(
        "my-backend",
        entry_points={"mine": "my_backend"},
        modules={
            "my_backend": "name = 'mine'\n__all__ = ['pca', 'umap']\ndef umap(): return 'ran'"
        },
    )
    dispatcher = make_dispatcher(untrusted="allow")
    pca = dispatcher.backend_dispatch(name="pca")(lambda: "host")
    umap = dispatcher.backend_dispatch(name="umap")(lambda: "host")
    with dispatcher.settings.use_backend("mine"):
        for _ in range(2):
            with pytest.raises(BackendLoadError):
                pca()
            assert umap() == "ran"
    assert pca() == "host"


def test_an_adapter_object_may_offer_its_methods(make_dispatcher, site):
    site.install(
        "my-backend",
        entry_points={"mine": "my_backend:Adapter"},
        modules={
            "my_backend": """
                class Adapter:
                    name = "mine"
                    def pca(self): return self.name
            """
        },
    )
    dispatcher = make_dispatcher(untrusted="allow")
    pca = dispatcher.backend_dispatch(name="pca")(lambda: "host")
    umap = dispatcher.backend_dispatch(name="umap")(lambda: "host")
    assert pca(backend="mine") == "mine"
    with pytest.warns(BackendFallbackWarning, match=ABSENT):
        assert umap(backend="mine") == "host"
