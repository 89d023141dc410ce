"""The example that runs the host's functions on Dask, over more than its workers can hold."""

import importlib
import os
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import pytest
from distributed import Client, LocalCluster

from scverse_backends.dask_plugin import carry_selection
from scverse_backends.exceptions import BackendFallbackError

pytestmark = [
    pytest.mark.examples,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.UntrustedBackendWarning"),
]

MEMORY_LIMIT = 300_000_000
STATUS = Path("/proc/self/status")


# Imported by a fixture, so that a run without the marker can do without the package.
@pytest.fixture
def eh():
    return importlib.import_module("example_host")


@pytest.fixture
def counts():
    rng = np.random.default_rng(0)
    table = rng.poisson(3.0, (60, 12)).astype(float)
    table[:, -1] = 0.1
    table[7] = 0
    return table


@pytest.fixture
def lazy(counts):
    return da.from_array(counts, chunks=(25, -1))


@pytest.mark.parametrize(
    ("name", "change", "options", "reason"),
    [
        ("log1p", np.asarray, {}, "data is a ndarray"),
        ("log1p", lambda lazy: lazy.rechunk((60, 5)), {}, "blocks of whole rows"),
        ("standardize", lambda lazy: lazy[:, 0], {}, "blocks of whole rows"),
        ("pairwise_distances", lambda lazy: lazy, {}, "needs 'other'"),
        ("pairwise_distances", lambda lazy: lazy, {"other": da.ones((3, 12))}, "fits into memory"),
        ("log1p", lambda lazy: lazy, {"copy": False}, "'copy'"),
        ("pca", lambda lazy: lazy, {}, "does not implement it"),
    ],
)
def test_the_dask_backend_declines_what_it_cannot_do_with_a_reason(
    eh, lazy, name, change, options, reason
):
    changed = change(lazy)
    with (
        eh.settings.use_backend("dask", fallback="error"),
        pytest.raises(BackendFallbackError, match=reason),
    ):
        getattr(eh, name)(changed, **options)


def peak_memory(status):
    """The most memory that a process ever had, as Linux counted it."""
    facts = dict(line.split(":", 1) for line in status.splitlines())
    return int(facts["VmHWM"].split()[0]) * 1024


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells a process its peak memory")
def test_workers_go_through_more_than_they_can_hold(eh):
    table = da.random.default_rng(0).random((80_000, 1_000), chunks=(1_250, 1_000))
    assert table.nbytes > 2 * MEMORY_LIMIT
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with (
        LocalCluster(memory_limit=MEMORY_LIMIT, **options) as cluster,
        Client(cluster) as client,
        eh.settings.use_backend("dask", fallback="error"),
    ):
        # The functions on the blocks must not be sent back to the backend that sent them.
        carry_selection(client, eh.settings)
        processes = client.run(os.getpid)
        scaled = eh.standardize(eh.log1p(eh.normalize_total(table, target_sum=1e4)))
        distances = eh.pairwise_distances(scaled, np.zeros((1, 1_000)))
        seen = dask.compute(scaled.mean(axis=0), scaled.std(axis=0), (distances**2).mean())
        peaks = [peak_memory(status) for status in client.run(STATUS.read_text).values()]
        # A worker that ran out of memory would have been replaced, and its peak forgotten.
        assert client.run(os.getpid) == processes
    assert max(peaks) < MEMORY_LIMIT
    mean, deviation, squared = seen
    np.testing.assert_allclose(mean, 0, atol=1e-9)
    np.testing.assert_allclose(deviation, 1, rtol=1e-9)
    assert squared == pytest.approx(1_000)
