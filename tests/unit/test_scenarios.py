"""What went wrong when real pairs of functions met a dispatcher that drops arguments."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from scverse_backends.exceptions import BackendFallbackError, BackendFallbackWarning


@dataclass
class Annotated:
    """As much of an annotated matrix as these calls touch."""

    X: list[float]
    obsm: dict[str, list[float]] = field(default_factory=dict)

    def copy(self):
        return Annotated([*self.X], {key: [*values] for key, values in self.obsm.items()})


@pytest.fixture
def install(site, make_dispatcher):
    """Install a backend named ``cuda`` and give a host that lets it run."""

    def install(source, **modules):
        modules = {f"cuda_backend.{name}": text for name, text in modules.items()}
        site.install(
            "cuda-backend",
            entry_points={"cuda": "cuda_backend.adapter"},
            modules={"cuda_backend.adapter": source, **modules},
        )
        return make_dispatcher(untrusted="allow")

    return install


def test_copy_is_not_dropped_so_the_input_stays_as_it_was(install):
    dispatcher = install(
        """
        name = "cuda"
        def filter_cells(data, *, min_counts=None, inplace=True, verbose=True):
            data.X[:] = [value for value in data.X if value >= (min_counts or 0)]
        """
    )

    @dispatcher.backend_dispatch
    def filter_cells(data, *, min_counts=None, inplace=True, copy=False):
        data = data.copy() if copy else data
        data.X[:] = [value for value in data.X if value >= (min_counts or 0)]
        return data if copy else None

    adata = Annotated([1, 5])
    with pytest.warns(BackendFallbackWarning, match="'cuda' does not take 'copy'"):
        filtered = filter_cells(adata, min_counts=2, copy=True, backend="cuda")
    assert (adata.X, filtered.X) == ([1, 5], [5])
    assert filter_cells(adata, min_counts=2, copy=False, backend="cuda") is None
    assert adata.X == [5]


def test_obsm_is_not_dropped_so_x_is_not_normalised_in_its_stead(install):
    dispatcher = install(
        """
        name = "cuda"
        def normalize_total(adata, *, target_sum=None, layer=None, inplace=True, copy=False):
            adata.X[:] = [value / sum(adata.X) for value in adata.X]
        """
    )

    @dispatcher.backend_dispatch
    def normalize_total(adata, *, target_sum=None, layer=None, obsm=None, inplace=True, copy=False):
        values = adata.X if obsm is None else adata.obsm[obsm]
        values[:] = [value / sum(values) for value in values]

    adata = Annotated([1, 3], {"protein": [2, 2]})
    with (
        dispatcher.settings.use_backend("cuda"),
        pytest.warns(BackendFallbackWarning, match="'obsm'"),
    ):
        normalize_total(adata, obsm="protein")
    assert (adata.X, adata.obsm["protein"]) == ([1, 3], [0.5, 0.5])


LEIDEN = """
    name = "cuda"
    {renames}
    def leiden(adata, resolution=1.0, *, random_state=0, n_iterations=100):
        return ("cuda", random_state, n_iterations)
"""


def leiden(adata, resolution=1, *, rng=None, n_iterations=-1):
    return ("host", rng, n_iterations)


def test_a_seed_of_another_name_is_not_dropped(install):
    dispatcher = install(LEIDEN.format(renames=""))
    public = dispatcher.backend_dispatch(leiden)
    with pytest.warns(BackendFallbackWarning, match="'rng'"):
        assert public(Annotated([]), rng=7, backend="cuda") == ("host", 7, -1)


def test_a_seed_of_another_name_arrives_where_the_adapter_declares_the_rename(install):
    dispatcher = install(
        LEIDEN.format(renames="renames = {'leiden': {'rng': 'random_state'}}"),
    )
    public = dispatcher.backend_dispatch(leiden)
    assert public(Annotated([]), rng=7, backend="cuda") == ("cuda", 7, 100)


def test_a_default_that_differs_is_said_and_can_be_the_hosts(install):
    dispatcher = install(LEIDEN.format(renames="renames = {'leiden': {'rng': 'random_state'}}"))
    public = dispatcher.backend_dispatch(leiden)
    adata = Annotated([])
    assert public(adata, backend="cuda") == ("cuda", 0, 100)
    decision = dispatcher.settings.explain(public, adata, backend="cuda")
    assert [tuple(difference) for difference in decision.differing_defaults] == [
        ("resolution", 1, 1.0),
        ("rng", None, 0),
        ("n_iterations", -1, 100),
    ]
    with_hosts = dispatcher.backend_dispatch(host_defaults=True)(leiden)
    assert with_hosts(adata, backend="cuda") == ("cuda", None, -1)


def test_a_plot_does_not_run_the_computation_of_the_same_bare_name(install):
    dispatcher = install(
        """
        name = "cuda"
        class pp:
            def pca(adata): return "computed on cuda"
        pca = pp.pca
        """
    )
    compute = dispatcher.backend_dispatch(name="pp.pca")(lambda adata: "computed")
    plot = dispatcher.backend_dispatch(name="pl.pca")(lambda adata: "plotted")
    with (
        dispatcher.settings.use_backend("cuda"),
        pytest.warns(BackendFallbackWarning, match=r"pl\.pca: 'cuda' does not implement it"),
    ):
        assert (compute(1), plot(1)) == ("computed on cuda", "plotted")


def test_a_function_that_the_adapter_imported_for_itself_is_no_implementation(install):
    dispatcher = install(
        """
        from copy import copy
        name = "cuda"
        """
    )
    public = dispatcher.backend_dispatch(name="copy")(lambda x: "the host's copy")
    with pytest.warns(BackendFallbackWarning, match="does not implement it"):
        assert public([1], backend="cuda") == "the host's copy"


@pytest.mark.parametrize("select", ["call", "block", "default"])
def test_a_function_that_the_backend_lacks_never_runs_on_the_host_without_a_word(install, select):
    dispatcher = install("name = 'cuda'")
    tsne = dispatcher.backend_dispatch(name="tsne")(lambda adata: "host")

    def run():
        if select == "call":
            return tsne(1, backend="cuda")
        if select == "block":
            with dispatcher.settings.use_backend("cuda"):
                return tsne(1)
        dispatcher.settings.backend = "cuda"
        return tsne(1)

    with pytest.warns(BackendFallbackWarning, match="tsne: 'cuda' does not implement it"):
        assert run() == "host"
    dispatcher.settings.fallback = "error"
    with pytest.raises(BackendFallbackError, match="tsne: 'cuda' does not implement it"):
        run()


def test_every_worker_of_a_thread_pool_runs_on_the_backend_that_the_settings_name(install):
    dispatcher = install("name = 'cuda'\ndef pca(adata): return 'cuda'")
    pca = dispatcher.backend_dispatch(name="pca")(lambda adata: "host")
    dispatcher.settings.backend = "cuda"
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(pca, range(32))) == {"cuda"}


def test_a_call_on_the_host_keeps_what_it_calls_on_the_host(install):
    dispatcher = install("name = 'cuda'\ndef inner(): return 'cuda'\ndef outer(): return 'cuda'")
    inner = dispatcher.backend_dispatch(name="inner")(lambda: "host")
    outer = dispatcher.backend_dispatch(name="outer")(lambda: ("host", inner()))
    with dispatcher.settings.use_backend("cuda"):
        assert outer(backend="cpu") == ("host", "host")
        assert (outer(), inner()) == ("cuda", "cuda")


def test_an_adapter_may_call_the_host_function_that_it_replaces(install, site):
    dispatcher = install(
        """
        name = "cuda"
        def neighbors(adata, n_neighbors=15):
            import host_of_neighbors
            return ["cuda", *host_of_neighbors.neighbors(adata, n_neighbors)]
        """
    )
    module = site.write("host_of_neighbors.py", "").stem
    host = __import__(module)
    host.neighbors = dispatcher.backend_dispatch(name="neighbors")(
        lambda adata, n_neighbors=15: ["host", n_neighbors]
    )
    with dispatcher.settings.use_backend("cuda"):
        assert host.neighbors(1, 7) == host.neighbors(1, n_neighbors=7) == ["cuda", "host", 7]
    assert host.neighbors(1, 7, backend="cuda") == ["cuda", "host", 7]


def test_functions_made_anew_at_each_access_keep_their_own_signatures(install):
    dispatcher = install(
        """
        name = "cuda"
        def __getattr__(name):
            if name == "rows": return lambda adata, axis=0, keep=True: ("rows", axis, keep)
            if name == "columns": return lambda adata, keep=True, axis=1: ("columns", axis, keep)
            raise AttributeError(name)
        """
    )
    rows = dispatcher.backend_dispatch(name="rows")(lambda adata, axis=0, keep=True: "host")
    columns = dispatcher.backend_dispatch(name="columns")(lambda adata, axis=1, keep=True: "host")
    for _ in range(50):
        assert rows(1, 5, False, backend="cuda") == ("rows", 5, False)
        assert columns(1, 5, False, backend="cuda") == ("columns", 5, False)
