"""``scanpy.settings`` selects backends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import scanpy as sc

from scverse_backends.exceptions import (
    BackendFallbackError,
    BackendFallbackWarning,
    BackendNotInstalledError,
    ReservedBackendError,
    UnknownBackendError,
)


@pytest.fixture(autouse=True)
def as_it_was():
    """Undo what a test selects for the whole process."""
    yield
    sc.settings.backend, sc.settings.fallback = "cpu", "warn"


def test_nothing_is_selected_to_begin_with():
    assert (sc.settings.backend, sc.settings.fallback) == ("cpu", "warn")


def test_both_backends_are_available():
    assert {"scanpy-dask", "scanpy-torch"} <= set(sc.settings.available_backends())


@pytest.mark.parametrize("label", ["torch", "scanpy-torch", "Scanpy_Torch"])
def test_a_backend_answers_to_its_names(label):
    with sc.settings.use_backend(label):
        assert sc.settings.backend == "scanpy-torch"
    assert sc.settings.backend == "cpu"


def test_a_selection_holds_in_every_thread(counts):
    sc.settings.backend = ["dask", "torch"]
    with ThreadPoolExecutor() as pool:
        decision = pool.submit(sc.settings.explain, sc.pp.log1p, counts).result()
    assert sc.settings.backends == ("scanpy-dask", "scanpy-torch")
    assert decision.backend == "scanpy-torch"


@pytest.mark.parametrize("label", ["gpu", "GPU"])
def test_gpu_is_no_backend_and_the_error_says_what_to_write(label, counts):
    with pytest.raises(ReservedBackendError, match="name one, such as 'rapids-singlecell'"):
        sc.pp.log1p(counts, backend=label)


@pytest.mark.parametrize("label", ["cuda", "rsc", "rapids_singlecell"])
def test_a_backend_that_is_absent_is_one_to_install(label):
    with pytest.raises(BackendNotInstalledError, match="pip install rapids-singlecell"):
        sc.settings.backend = label


def test_a_misspelled_label_meets_a_suggestion():
    with pytest.raises(UnknownBackendError, match="torch"):
        sc.settings.use_backend("troch")


def test_a_fallback_warns_at_the_line_of_the_call(counts):
    with pytest.warns(BackendFallbackWarning, match=r"pp.filter_cells.*does not imp") as given:
        sc.pp.filter_cells(counts, min_genes=1, inplace=False, backend="torch")
    assert given[0].filename == __file__


@pytest.mark.filterwarnings("error::scverse_backends.exceptions.BackendFallbackWarning")
def test_a_fallback_may_be_silent(counts):
    with sc.settings.use_backend("torch", fallback="silent"):
        kept, _ = sc.pp.filter_cells(counts, min_genes=1, inplace=False)
    assert kept.all()


def test_a_fallback_may_be_an_error_and_then_nothing_has_happened(counts, opened, assert_close):
    with sc.settings.use_backend("torch", fallback="error"), pytest.raises(BackendFallbackError):
        sc.pp.filter_cells(counts, min_genes=60)
    assert_close(opened("counts", "cpu"), counts, 0)


def test_an_option_of_a_backend_is_refused_by_scanpy_with_its_owner(counts):
    sc.pp.log1p(counts, device="cpu", backend="torch")
    with pytest.raises(TypeError, match="'device' is an option of backend 'scanpy-torch'"):
        sc.pp.log1p(counts, device="cpu")


def test_scanpys_own_settings_are_as_before():
    assert "backend = 'cpu'" in str(sc.settings)
    with pytest.raises(TypeError, match="n_jobs"):
        sc.settings.n_jobs = "many"
