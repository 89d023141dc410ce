"""The packages under examples/, installed, alone and together."""

import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest

from scverse_backends.exceptions import (
    BackendFallbackWarning,
    ReservedBackendError,
)

pytestmark = [
    pytest.mark.examples,
    # Whether this file is the first to use "tiled" depends on what else is run.
    pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.UntrustedBackendWarning"),
]

PACKAGES = ("example_host", "example_host_accel", "example_host_tiled")
METRICS = ("euclidean", "manhattan", "chebyshev", "cosine")
QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart.py"


# Imported by fixtures, so that a run without the marker can do without the packages.
@pytest.fixture(scope="module")
def eh():
    import example_host

    return example_host


@pytest.fixture(scope="module")
def adapters():
    """The adapters as their entry points name them, without a dispatcher between."""
    return {entry.name: entry.load() for entry in entry_points(group="example_host.backends")}


@pytest.fixture(scope="module")
def accel(adapters):
    return adapters["example_accel"]


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
    """What the host computes by itself."""

    def test_rows_get_the_sum_asked_for(self, eh, counts):
        np.testing.assert_allclose(eh.normalize_total(counts, target_sum=100).sum(axis=1), 100)

    def test_rows_get_the_median_sum_when_none_is_asked_for(self, eh):
        table = eh.normalize_total([[1, 1], [2, 2], [5, 5], [0, 0]])
        np.testing.assert_allclose(table.sum(axis=1), [4, 4, 4, 0])

    def test_a_table_of_zeros_stays_one(self, eh):
        np.testing.assert_array_equal(eh.normalize_total(np.zeros((2, 2))), np.zeros((2, 2)))

    def test_log1p_is_undone_by_a_power(self, eh, counts):
        np.testing.assert_allclose(2 ** eh.log1p(counts, base=2) - 1, counts, atol=1e-12)

    def test_columns_get_mean_zero_and_unit_variance(self, eh, counts):
        table = eh.standardize(counts)
        np.testing.assert_allclose(table.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(table.std(axis=0), [1.0] * 12 + [0.0])

    def test_standardized_values_are_clipped(self, eh, counts):
        assert np.abs(eh.standardize(counts)).max() > 1.5
        assert np.abs(eh.standardize(counts, max_value=1.5)).max() == 1.5

    @pytest.mark.parametrize("name", ["normalize_total", "log1p", "standardize"])
    def test_the_input_is_left_alone_unless_it_may_be_overwritten(self, eh, counts, name):
        function, kept, spent = getattr(eh, name), counts.copy(), counts.copy()
        expected = function(kept)
        np.testing.assert_array_equal(kept, counts)
        assert function(spent, copy=False) is spent
        np.testing.assert_array_equal(spent, expected)

    @pytest.mark.parametrize("name", ["normalize_total", "log1p", "standardize"])
    def test_what_cannot_be_overwritten_is_refused(self, eh, name):
        with pytest.raises(TypeError, match="copy=True"):
            getattr(eh, name)([[1, 2]], copy=False)

    def test_pca_agrees_with_scikit_learn_but_for_signs(self, eh, counts):
        from sklearn.decomposition import PCA

        reference = PCA(4).fit_transform(counts)
        assert_same(np.abs(eh.pca(counts, 4)), np.abs(reference), 1e-9)

    def test_pca_points_each_direction_to_its_largest_coefficient(self, eh, counts):
        mirrored = eh.pca(-counts, 3)
        assert_same(mirrored, -eh.pca(counts, 3), 1e-9)

    def test_the_randomized_pca_repeats_itself_and_finds_the_leading_directions(self, eh, counts):
        first = eh.pca(counts, 2, solver="randomized", random_state=3)
        np.testing.assert_array_equal(first, eh.pca(counts, 2, solver="randomized", random_state=3))
        assert_same(first, eh.pca(counts, 2), 1e-6)

    @pytest.mark.parametrize("metric", METRICS)
    def test_distances_agree_with_scikit_learn(self, eh, scores, metric):
        from sklearn.metrics import pairwise_distances as reference

        assert_same(
            eh.pairwise_distances(scores, metric=metric), reference(scores, metric=metric), 1e-7
        )
        some = eh.pairwise_distances(scores, scores[:7], metric=metric)
        assert_same(some, reference(scores, scores[:7], metric=metric), 1e-7)

    def test_neighbors_are_the_closest_others_in_order(self, eh, scores):
        distances, indices = eh.nearest_neighbors(scores, 6)
        table = eh.pairwise_distances(scores)
        np.testing.assert_array_equal(distances, np.sort(table, axis=1)[:, 1:7])
        np.testing.assert_array_equal(np.take_along_axis(table, indices, axis=1), distances)

    def test_threads_find_the_same_neighbors(self, eh, scores):
        assert_same(eh.nearest_neighbors(scores, n_jobs=3), eh.nearest_neighbors(scores), 0)

    def test_an_index_finds_indexed_rows_themselves(self, eh, scores):
        distances, indices = eh.NeighborIndex(scores).query(scores[10:13], n_neighbors=1)
        np.testing.assert_array_equal(indices, [[10], [11], [12]])
        np.testing.assert_array_equal(distances, 0)

    def test_kmeans_finds_the_groups_that_are_there(self, eh, scores, truth):
        labels, centers, inertia = eh.kmeans(scores, 3)
        np.testing.assert_array_equal(labels, truth)
        assert_same(
            centers, np.array([scores[truth == group].mean(axis=0) for group in range(3)]), 1e-9
        )
        assert inertia == pytest.approx(((scores - centers[labels]) ** 2).sum())

    def test_kmeans_depends_on_its_seed_and_on_nothing_else(self, eh, counts):
        first = eh.kmeans(counts, 9, n_init=1, random_state=1, n_jobs=2)
        assert_same(eh.kmeans(counts, 9, n_init=1, random_state=1), first, 0)
        assert eh.kmeans(counts, 9, n_init=1, random_state=2)[2] != first[2]

    def test_kmeans_reports_its_starts_when_asked(self, eh, scores, capsys):
        eh.kmeans(scores, 3, n_init=4)
        assert capsys.readouterr().err == ""
        eh.kmeans(scores, 3, n_init=4, show_progress_bar=True)
        assert "4 of 4" in capsys.readouterr().err

    def test_kmeans_takes_as_many_groups_as_there_are_different_rows_or_more(self, eh):
        labels, centers, inertia = eh.kmeans([[0.0], [0.0], [5.0]], n_clusters=3)
        assert (list(labels), inertia, len(centers)) == ([0, 0, 1], 0.0, 3)

    def test_the_silhouette_agrees_with_scikit_learn(self, eh, scores, truth):
        from sklearn.metrics import silhouette_score as reference

        assert eh.silhouette(scores, truth) == pytest.approx(reference(scores, truth))
        lonely = np.array([9, *truth[1:]])
        assert eh.silhouette(scores, lonely) == pytest.approx(reference(scores, lonely))

    def test_the_silhouette_of_a_sample_is_that_of_its_rows(self, eh, scores, truth):
        everything = eh.silhouette(scores, truth)
        assert eh.silhouette(scores, truth, sample_size=120) == pytest.approx(everything)
        part = eh.silhouette(scores, truth, sample_size=40, random_state=5)
        assert part != everything
        assert part == eh.silhouette(scores, truth, sample_size=40, random_state=5)

    def test_features_are_ranked_by_the_t_statistic(self, eh, counts, truth):
        from scipy import stats

        ranked, features = eh.rank_features(counts, truth, method="t-test", n_top=12)
        reference = stats.ttest_ind(
            counts[truth == 1][:, :12], counts[truth != 1][:, :12], equal_var=False
        ).statistic
        # The constant column scores zero and so stands among the others.
        order = features[1] != 12
        assert_same(ranked[1][order], reference[features[1][order]], 1e-9)

    def test_features_are_ranked_by_the_rank_sum(self, eh, counts, truth):
        from scipy import stats

        ranked, features = eh.rank_features(counts, truth, n_top=13)
        pvalues = stats.mannwhitneyu(
            counts[truth == 2], counts[truth != 2], use_continuity=False, method="asymptotic"
        ).pvalue
        # SciPy has no answer for the constant column, which scores zero here.
        varying = features[2] != 12
        ours = 2 * stats.norm.sf(np.abs(ranked[2]))
        np.testing.assert_allclose(ours[varying], pvalues[features[2]][varying], rtol=1e-9)
        assert ranked[2][~varying] == 0
        assert set(features[2, :4]) == {8, 9, 10, 11}

    @pytest.mark.parametrize(
        ("name", "arguments", "options"),
        [
            ("pca", ([[1.0, 2.0]],), {"n_components": 2}),
            ("pca", ([[1.0, 2.0]],), {"n_components": 1, "solver": "fast"}),
            ("pca", ([1.0, 2.0],), {}),
            ("pairwise_distances", ([[1.0]],), {"metric": "canberra"}),
            ("nearest_neighbors", ([[1.0], [2.0]],), {"n_neighbors": 2}),
            ("kmeans", ([[1.0], [2.0]],), {"n_clusters": 3}),
            ("silhouette", ([[1.0], [2.0]], [0, 0]), {}),
            ("silhouette", ([[1.0], [2.0]], [0]), {}),
            ("rank_features", ([[1.0], [2.0]], [0, 0]), {}),
            ("rank_features", ([[1.0], [2.0]], [0, 1]), {"method": "guess"}),
        ],
    )
    def test_what_makes_no_sense_is_a_value_error(self, eh, name, arguments, options):
        with pytest.raises(ValueError, match=r"unknown|between|fit|two groups|rows and columns"):
            getattr(eh, name)(*arguments, **options)


class TestAccel:
    """A backend that speaks the host's language and is trusted by it."""

    @pytest.mark.parametrize(
        ("name", "options"),
        [
            ("normalize_total", {}),
            ("normalize_total", {"target_sum": 50}),
            ("standardize", {}),
            ("standardize", {"max_value": 1.5}),
            ("pca", {"n_components": 6}),
            ("kmeans", {"n_clusters": 5, "random_state": 4}),
            ("kmeans", {"n_clusters": 5, "random_state": 4, "n_jobs": 2}),
            *[("pairwise_distances", {"metric": metric}) for metric in METRICS],
            *[("nearest_neighbors", {"metric": metric, "n_jobs": 2}) for metric in METRICS],
        ],
    )
    def test_results_are_the_hosts_within_rounding(self, eh, accel, counts, name, options):
        # Distances between counts are often equal, and equals have no order: break the ties.
        table = counts + np.random.default_rng(1).normal(0, 0.01, counts.shape)
        expected = getattr(eh, name)(table, **options)
        assert_same(getattr(accel, name)(table, **options), expected, 1e-9)
        assert_same(getattr(eh, name)(table, **options, backend="accelerated"), expected, 1e-9)

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

    @pytest.mark.parametrize("metric", METRICS)
    def test_constructing_the_hosts_index_builds_the_backends(self, eh, accel, scores, metric):
        with eh.settings.use_backend("accelerated"):
            index = eh.NeighborIndex(scores[:100], metric=metric)
        assert type(index) is accel.NeighborIndex
        expected = eh.NeighborIndex(scores[:100], metric=metric).query(scores[100:], 4)
        assert_same(index.query(scores[100:], 4), expected, 1e-9)

    def test_what_it_lacks_the_host_does_and_says_so(self, eh, counts):
        with (
            eh.settings.use_backend("accelerated"),
            pytest.warns(BackendFallbackWarning, match="log1p") as given,
        ):
            result = eh.log1p(counts)
        np.testing.assert_array_equal(result, np.log1p(counts))
        assert given[0].filename == __file__

    def test_a_solver_it_lacks_is_not_replaced_by_another(self, eh, counts):
        options = {"n_components": 3, "solver": "randomized", "random_state": 2}
        with pytest.warns(BackendFallbackWarning, match="solver"):
            result = eh.pca(counts, **options, backend="accelerated")
        np.testing.assert_array_equal(result, eh.pca(counts, **options))


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

    def test_overwriting_is_left_to_the_host_since_this_backend_cannot(self, eh, counts):
        spent = counts.copy()
        with pytest.warns(BackendFallbackWarning, match="copy"):
            result = eh.standardize(spent, copy=False, backend="tiled")
        assert result is spent
        np.testing.assert_array_equal(spent, eh.standardize(counts))

    def test_its_own_options_are_documented_beside_the_hosts(self, eh):
        eh.settings.get_backend("tiled")
        assert "tile_size" in inspect.signature(eh.kmeans).parameters
        assert "Only with backend ``'tiled'``." in eh.kmeans.__doc__
        # What the host calls by another name is no option of its own.
        assert not {"k", "rows", "seed"} & inspect.signature(eh.kmeans).parameters.keys()

    def test_its_own_options_mean_nothing_to_the_host(self, eh, scores):
        with pytest.raises(TypeError, match="tile_size"):
            eh.pairwise_distances(scores, tile_size=10, backend="cpu")

    def test_what_the_host_runs_instead_still_calls_it_inside(self, eh, scores):
        with eh.settings.use_backend("tiled"):
            with pytest.warns(BackendFallbackWarning, match="NeighborIndex"):
                index = eh.NeighborIndex(scores)
            distances, _ = index.query(scores[:3], n_neighbors=2)
        assert distances.dtype == np.float32


class TestTogether:
    """Both backends on one host."""

    def test_the_first_that_can_take_a_call_runs_it(self, eh, scores):
        with eh.settings.use_backend("tiled", "accelerated"):
            first = eh.settings.explain(eh.pairwise_distances, scores)
            second = eh.settings.explain(eh.pairwise_distances, scores, metric="chebyshev")
        assert (first.backend, second.backend) == ("tiled", "example_accel")
        assert [refusal.backend for refusal in second.refusals] == ["tiled"]

    @pytest.mark.parametrize("label", ["cpu", "accelerated", "tiled"])
    def test_a_constant_column_becomes_zero_however_its_mean_is_rounded(self, eh, label):
        table = np.tile([[0.1, 1 / 3, 1e5 + 0.1]], (120, 1))
        assert (table.mean(axis=0) != table[0]).all()
        assert not eh.standardize(table, backend=label).any()

    @pytest.mark.parametrize("label", ["accelerated", "tiled"])
    def test_the_whole_analysis_finds_the_same_groups_on_any_backend(self, eh, counts, label):
        expected = eh.pipeline(counts, n_components=5, n_clusters=3)
        with eh.settings.use_backend(label, fallback="silent"):
            steps = eh.pipeline(counts, n_components=5, n_clusters=3)
        assert [step.function for step in steps] == [step.function for step in expected]
        results, references = (
            {s.function.__name__: s.result for s in run} for run in (steps, expected)
        )
        np.testing.assert_array_equal(results["kmeans"][0], references["kmeans"][0])
        assert results["silhouette"] == pytest.approx(references["silhouette"], rel=1e-5)
        assert_same(results["rank_features"], references["rank_features"], 1e-9)

    def test_a_name_that_says_too_little_is_reserved(self, eh):
        with pytest.raises(ReservedBackendError, match="example_accel"):
            eh.settings.use_backend("gpu")

    def test_only_the_untrusted_backend_warns(self):
        script = "import example_host as eh\neh.log1p([[1.0]], backend='cpu')\n" + "".join(
            f"with eh.settings.use_backend({label!r}): eh.standardize([[1.0], [2.0]])\n"
            for label in ("accelerated", "tiled", "tiled")
        )
        run = run_python("-W", "always", "-c", script)
        assert run.returncode == 0, run.stderr
        assert run.stderr.count("UntrustedBackendWarning") == 1
        assert "example-host-tiled" in run.stderr

    def test_selecting_one_imports_no_other(self):
        script = (
            "import sys, example_host as eh\n"
            "imported = {'example_host_accel', 'example_host_tiled'}.intersection\n"
            "print(imported(sys.modules))\n"
            "with eh.settings.use_backend('accelerated'): print(imported(sys.modules))\n"
        )
        run = run_python("-c", script)
        assert run.stdout.splitlines() == ["set()", "{'example_host_accel'}"], run.stderr

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
    ["example_host_accel._backends.example_host", "example_host_tiled._adapter:ExampleHostAdapter"],
)
def test_each_backend_ships_a_manifest_that_is_true(adapter):
    run = run_python("-m", "scverse_backends", "manifest", "check", adapter)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout


def test_what_backends_add_is_shown_without_importing_them():
    script = (
        "import sys, inspect, example_host as eh\n"
        "from example_host._backends import dispatcher\n"
        "dispatcher.discover()\n"
        "print('Only with backend' in eh.kmeans.__doc__)\n"
        "print(inspect.signature(eh.kmeans).parameters['tile_size'].default)\n"
        "print(dispatcher.available_backend_names())\n"
        "backends = {'example_host_accel', 'example_host_dask', 'example_host_tiled'}\n"
        "print(backends.intersection(sys.modules))\n"
    )
    run = run_python("-c", script)
    labels = "['accelerated', 'dask', 'example_accel', 'on_dask', 'tiled']"
    assert run.stdout.splitlines() == ["True", "4096", labels, "set()"], run.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_every_example_in_the_docstrings_runs(package):
    root = importlib.import_module(package)
    found = pkgutil.walk_packages(root.__path__, f"{package}.")
    modules = [root, *(importlib.import_module(module.name) for module in found)]
    outcomes = [doctest.testmod(module) for module in modules]
    assert sum(outcome.failed for outcome in outcomes) == 0
    assert sum(outcome.attempted for outcome in outcomes) >= 9


@pytest.mark.slow
def test_the_quickstart_compares_the_host_with_every_backend():
    run = run_python(str(QUICKSTART), "--repeats", "1")
    assert run.returncode == 0, run.stderr
    for label in ("example_accel", "tiled"):
        assert f'use_backend("{label}")' in run.stdout
    assert run.stdout.count("kmeans") >= 2
    assert run.stderr == ""
