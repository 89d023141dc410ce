"""The packages under examples/, installed, alone and together."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

from scverse_backends.exceptions import (
    BackendFallbackWarning,
)

pytestmark = [
    pytest.mark.examples,
    # Whether this file is the first to use "tiled" depends on what else is run.
    pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.UntrustedBackendWarning"),
]

PACKAGES = ("example_host", "example_host_accel", "example_host_tiled", "example_host_dask")
METRICS = ("euclidean", "manhattan", "chebyshev", "cosine")


# Imported by fixtures, so that a run without the marker can do without the packages.
@pytest.fixture(scope="module")
def eh():
    import example_host

    return example_host


@pytest.fixture(scope="module")
def tiled():
    import example_host_tiled

    return example_host_tiled


@pytest.fixture(scope="module")
def truth():
    return np.repeat([0, 1, 2], 40)


@pytest.fixture(scope="module")
def counts(truth):
    """Three groups of forty rows, each high in four columns of its own; the last is constant."""
    rates = np.full((3, 13), 2.0)
    for group in range(3):
        rates[group, 4 * group : 4 * group + 4] = 12.0
    table = np.random.default_rng(0).poisson(rates[truth]).astype(float)
    table[:, -1] = 5.0
    return table


@pytest.fixture(scope="module")
def scores(eh, counts):
    return eh.pca(eh.standardize(counts), n_components=5)


def run_python(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


def assert_same(result, expected, tolerance):
    if not isinstance(expected, tuple):
        result, expected = (result,), (expected,)
    for ours, theirs in zip(result, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


class TestHost:
    """What the host computes by itself; that backends compute the same is its conformance suite's."""

    def test_it_computes_what_scikit_learn_and_scipy_compute(self, eh, counts, scores, truth):
        from scipy import stats
        from sklearn import decomposition, metrics

        reference = decomposition.PCA(4).fit_transform(counts)
        assert_same(np.abs(eh.pca(counts, 4)), np.abs(reference), 1e-9)
        randomized = {"solver": "randomized", "random_state": 3}
        assert_same(eh.pca(counts, 2, **randomized), eh.pca(counts, 2), 1e-6)
        for metric in METRICS:
            table = metrics.pairwise_distances(scores, metric=metric)
            assert_same(eh.pairwise_distances(scores, metric=metric), table, 1e-7)
            distances, _ = eh.nearest_neighbors(scores, 6, metric=metric, n_jobs=2)
            assert_same(distances, np.sort(table, axis=1)[:, 1:7], 1e-7)
        np.testing.assert_array_equal(eh.kmeans(scores, 3)[0], truth)
        assert eh.silhouette(scores, truth) == pytest.approx(
            metrics.silhouette_score(scores, truth)
        )
        ranked, features = eh.rank_features(counts, truth, method="t-test", n_top=12)
        one, rest = counts[truth == 1][:, :12], counts[truth != 1][:, :12]
        expected = stats.ttest_ind(one, rest, equal_var=False).statistic
        # The constant column scores zero and so stands among the others.
        order = features[1] != 12
        assert_same(ranked[1][order], expected[features[1][order]], 1e-9)
        ranked, features = eh.rank_features(counts, truth, n_top=12)
        asymptotic = {"use_continuity": False, "method": "asymptotic"}
        expected = stats.mannwhitneyu(one, rest, **asymptotic).pvalue
        order = features[1] != 12
        assert_same(2 * stats.norm.sf(np.abs(ranked[1][order])), expected[features[1][order]], 1e-9)

    @pytest.mark.parametrize("name", ["normalize_total", "log1p", "standardize"])
    def test_the_input_is_left_alone_unless_it_may_be_overwritten(self, eh, counts, name):
        function, kept, spent = getattr(eh, name), counts.copy(), counts.copy()
        expected = function(kept)
        np.testing.assert_array_equal(kept, counts)
        assert function(spent, copy=False) is spent
        np.testing.assert_array_equal(spent, expected)
        with pytest.raises(TypeError, match="copy=True"):
            function([[1, 2]], copy=False)

    @pytest.mark.parametrize(
        ("name", "arguments", "options"),
        [
            ("pca", ([[1.0, 2.0]],), {"n_components": 2}),
            ("pca", ([[1.0, 2.0]],), {"n_components": 1, "solver": "fast"}),
            ("pairwise_distances", ([[1.0]],), {"metric": "canberra"}),
            ("nearest_neighbors", ([[1.0], [2.0]],), {"n_neighbors": 2}),
            ("kmeans", ([[1.0], [2.0]],), {"n_clusters": 3}),
            ("silhouette", ([[1.0], [2.0]], [0, 0]), {}),
            ("rank_features", ([[1.0], [2.0]], [0, 1]), {"method": "guess"}),
        ],
    )
    def test_what_makes_no_sense_is_a_value_error(self, eh, name, arguments, options):
        with pytest.raises(ValueError, match=r"unknown|between|fit|two groups"):
            getattr(eh, name)(*arguments, **options)


class TestAccel:
    """A backend that speaks the host's language and is trusted by it."""

    def test_pca_of_a_wide_table_is_the_hosts(self, eh, counts):
        wide = counts[:8]
        assert_same(eh.pca(wide, 5, backend="accelerated"), eh.pca(wide, 5), 1e-9)

    def test_a_row_is_never_its_own_neighbor_even_among_equals(self, eh):
        rows = np.zeros((30, 2))
        _, indices = eh.nearest_neighbors(rows, 3, backend="accelerated")
        assert not (indices == np.arange(30)[:, np.newaxis]).any()

    @pytest.mark.parametrize("name", ["normalize_total", "standardize"])
    def test_copy_means_what_it_means_on_the_host(self, eh, counts, name):
        function, kept, spent = getattr(eh, name), counts.copy(), counts.copy()
        expected = function(kept, backend="accelerated")
        np.testing.assert_array_equal(kept, counts)
        assert function(spent, copy=False, backend="accelerated") is spent
        np.testing.assert_array_equal(spent, expected)


class TestTiled:
    """A backend with an interface of its own, which the host does not know."""

    @pytest.mark.parametrize("tile_size", [1, 7, 1000])
    @pytest.mark.parametrize("metric", ["euclidean", "cosine"])
    def test_distances_have_seven_digits_of_the_hosts_whatever_the_tile(
        self, eh, tiled, scores, metric, tile_size
    ):
        expected = eh.pairwise_distances(scores, scores[:9], metric=metric)
        options = {"metric": metric, "tile_size": tile_size}
        assert_same(tiled.pairwise_distances(scores, scores[:9], **options), expected, 3e-7)
        result = eh.pairwise_distances(scores, scores[:9], **options, backend="tiled")
        assert_same(result, expected, 3e-7)
        assert result.dtype == np.float32

    def test_close_rows_far_from_the_origin_keep_their_distances(self, eh, scores):
        far = scores + 1e4
        result = eh.pairwise_distances(far, backend="tiled")
        assert_same(result, eh.pairwise_distances(far), 1e-5)

    def test_the_hosts_names_reach_it_under_its_own(self, eh, tiled, counts):
        result = eh.kmeans(data=counts, n_clusters=9, random_state=6, n_init=1, backend="tiled")
        assert_same(result, tiled.kmeans(counts, k=9, seed=6, n_init=1), 0)
        assert tiled.kmeans(counts, k=9, seed=7, n_init=1)[2] != result[2]

    def test_a_metric_it_does_not_know_is_declined_with_its_own_words(self, eh, scores):
        with pytest.warns(BackendFallbackWarning, match="tiles are measured in cosine or euclid"):
            result = eh.pairwise_distances(scores, metric="chebyshev", backend="tiled")
        assert_same(result, eh.pairwise_distances(scores, metric="chebyshev"), 0)


class TestTogether:
    """Both backends on one host."""

    @pytest.mark.parametrize("entry_point", ["example_accel", "tiled"])
    def test_a_backend_imports_neither_the_host_nor_the_dispatcher(self, entry_point):
        script = (
            "import sys; from importlib.metadata import entry_points\n"
            f"(entry,) = entry_points(group='example_host.backends', name={entry_point!r})\n"
            "entry.load()\n"
            "print({'example_host', 'scverse_backends'}.intersection(sys.modules))\n"
        )
        run = run_python("-c", script)
        assert run.stdout.strip() == "set()", run.stderr


@pytest.mark.parametrize(
    "adapter",
    [
        "example_host_accel._backends.example_host",
        "example_host_tiled._adapter:ExampleHostAdapter",
        "example_host_dask._adapter",
    ],
)
def test_each_backend_ships_a_manifest_that_is_true(adapter):
    run = run_python("-m", "scverse_backends", "manifest", "check", adapter)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_every_example_in_the_docstrings_runs(package):
    root = importlib.import_module(package)
    found = pkgutil.walk_packages(root.__path__, f"{package}.")
    modules = [root, *(importlib.import_module(module.name) for module in found)]
    outcomes = [doctest.testmod(module) for module in modules]
    assert sum(outcome.failed for outcome in outcomes) == 0
    assert sum(outcome.attempted for outcome in outcomes) >= 7
