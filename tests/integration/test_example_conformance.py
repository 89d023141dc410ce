"""The packages under examples/ prove their backends with the host's own checks."""

import types

import pytest

from scverse_backends.testing import loopback

pytestmark = [
    pytest.mark.examples,
    # Whether this file is the first to use "tiled" depends on what else is run.
    pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.UntrustedBackendWarning"),
]


@pytest.fixture(scope="module")
def eh():
    import example_host.conformance

    return example_host


@pytest.fixture
def dispatcher(eh):
    return eh.conformance.dispatcher


@pytest.fixture
def report(eh):
    def report(backend, **options):
        return eh.conformance.check_backend(backend, **options)

    return report


@pytest.mark.parametrize(
    ("backend", "missing"),
    [
        ("example_accel", {"log1p", "rank_features"}),
        ("tiled", {"NeighborIndex", "log1p", "normalize_total", "pca", "rank_features"}),
    ],
)
def test_the_example_backends_conform(report, backend, missing):
    found = report(backend)
    assert found.failed == ()
    assert set(found.skipped) == missing


def test_the_dask_backend_conforms_for_tables_of_its_own_kind(report):
    import dask.array as da

    found = report("on_dask", as_table=lambda table: da.from_array(table, chunks=(30, -1)))
    assert found.passed == ("log1p", "normalize_total", "pairwise_distances", "standardize")
    assert found.failed == ()


def test_the_host_conforms_with_itself(report, dispatcher):
    with loopback(dispatcher):
        found = report("loopback")
    assert set(found) == set(found.passed) == set(dispatcher.dispatched)


def test_a_wrong_backend_does_not(report, eh, dispatcher):
    def standardize(data, *, max_value=None, copy=True):
        return eh.standardize(data, max_value=max_value, copy=copy, backend="cpu") + 1e-3

    with dispatcher.register(types.SimpleNamespace(name="wrong", standardize=standardize)):
        found = report("wrong", raise_on_failure=False)
    assert found.failed == ("standardize",)


def test_a_backend_that_ignores_the_seed_does_not(report, eh, dispatcher):
    def kmeans(data, n_clusters=8, *, n_init=10, random_state=0):
        return eh.kmeans(data, n_clusters, n_init=n_init, random_state=7, backend="cpu")

    with dispatcher.register(types.SimpleNamespace(name="heedless", kmeans=kmeans)):
        found = report("heedless", raise_on_failure=False)
    assert found["kmeans"] == "FAILED: the seed changes nothing"
    assert found.failed == ("kmeans",)
