"""What the settings object and the dispatcher say is always the same."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cellhost
import pytest
from cellhost import settings
from pydantic import ValidationError

from scverse_backends.exceptions import BackendFallbackError, UnknownBackendError


class Adapter:
    """Scales, and says who did."""

    __all__ = ("scale",)

    def __init__(self, name: str) -> None:
        self.name = name

    def scale(self, values, factor=1.0):
        return [(self.name, value * factor) for value in values]


@pytest.fixture(autouse=True)
def backends():
    """Two backends, and whatever a test selects for the process undone."""
    with (
        cellhost.dispatcher.register(Adapter("alpha")),
        cellhost.dispatcher.register(Adapter("beta")),
    ):
        yield
        settings.backend, settings.fallback, settings.n_jobs = "cpu", "warn", 1


def whole():
    """Every choice in order of preference, as the dispatcher sees it."""
    return cellhost.dispatcher.settings.backends


def test_what_is_set_here_is_what_the_dispatcher_does():
    settings.backend = "alpha"
    assert cellhost.dispatcher.settings.backend == "alpha"
    assert cellhost.scale([1], 2) == [("alpha", 2)]


def test_what_the_dispatcher_is_told_is_shown_here():
    cellhost.dispatcher.settings.backend = "beta"
    assert settings.backend == "beta"
    assert "backend='beta'" in repr(settings)
    assert settings.model_dump() == {"n_jobs": 1, "backend": "beta", "fallback": "warn"}


def test_a_wrong_label_changes_nothing():
    with pytest.raises(UnknownBackendError, match="alpha"):
        settings.backend = "alfa"
    with pytest.raises(ValueError, match="'warn', 'silent'"):
        settings.fallback = "loud"
    assert (settings.backend, settings.fallback) == ("cpu", "warn")


def test_override_selects_for_its_block():
    with settings.override(backend="alpha", n_jobs=3):
        assert cellhost.scale([1]) == [("alpha", 1.0)]
        assert settings.n_jobs == 3
    assert (settings.backend, settings.n_jobs) == ("cpu", 1)


def test_override_takes_preferences_and_brings_all_of_them_back():
    settings.backend = ("alpha", "beta")
    with settings.override(backend=["beta", "cpu"]):
        assert whole() == ("beta", "cpu")
    assert whole() == ("alpha", "beta")


class Doubler:
    """Scales by two, and by nothing else."""

    name = "doubler"
    __all__ = ("scale",)

    def scale(self, values):
        return [2 * value for value in values]


def test_override_of_the_policy_alone_keeps_the_selection():
    with cellhost.dispatcher.register(Doubler), settings.use_backend("doubler"):
        with settings.override(fallback="error"):
            assert (settings.backend, settings.fallback) == ("doubler", "error")
            with pytest.raises(BackendFallbackError):
                cellhost.scale([1], factor=3)
        assert settings.fallback == "warn"


def test_other_fields_leave_the_selection_alone():
    with settings.use_backend("beta"), settings.override(n_jobs=2):
        assert (settings.backend, settings.n_jobs) == ("beta", 2)


def test_blocks_of_both_kinds_nest_in_any_order():
    with settings.use_backend("alpha"):
        with settings.override(backend="beta"):
            assert settings.backend == "beta"
            with settings.use_backend("alpha"):
                assert settings.backend == "alpha"
            assert settings.backend == "beta"
        assert settings.backend == "alpha"
    assert settings.backend == "cpu"


def test_a_choice_inside_a_block_ends_with_the_block():
    with settings.override(backend="alpha"):
        settings.backend = "beta"
        assert settings.backend == "beta"
    assert settings.backend == "cpu"


@pytest.mark.parametrize(
    ("overrides", "error"),
    [
        ({"backend": "alfa", "n_jobs": 3}, UnknownBackendError),
        ({"n_jobs": 0, "backend": "alpha"}, ValidationError),
    ],
)
def test_an_override_that_fails_changes_nothing(overrides, error):
    with pytest.raises(error), settings.override(**overrides):
        pass
    assert (settings.backend, settings.n_jobs) == ("cpu", 1)


def test_threads_share_fields_but_not_the_selection_of_a_block():
    with ThreadPoolExecutor() as pool, settings.override(backend="alpha", n_jobs=3):
        elsewhere = pool.submit(lambda: (settings.backend, settings.n_jobs)).result()
        assert elsewhere == ("cpu", 3)


def test_threads_share_what_is_set_outside_of_blocks():
    settings.backend = "beta"
    with ThreadPoolExecutor() as pool:
        assert pool.submit(cellhost.scale, [1]).result() == [("beta", 1.0)]


def test_tasks_do_not_disturb_one_another():
    async def scaled(backend):
        with settings.override(backend=backend):
            await asyncio.sleep(0)
            return cellhost.scale([1])

    async def together():
        return await asyncio.gather(*map(scaled, ["alpha", "beta", "cpu"]))

    assert asyncio.run(together()) == [[("alpha", 1.0)], [("beta", 1.0)], [1.0]]


def test_the_selection_is_not_reset_by_accident():
    settings.n_jobs = 4
    settings.reset("n_jobs")
    assert settings.n_jobs == 1
    with pytest.raises(ValueError, match="use override"):
        settings.reset("backend")


@pytest.fixture
def run(tmp_path):
    """Run code in a Python of its own, where a package offers a backend called gamma."""
    info = tmp_path / "cellhost_gamma-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: cellhost-gamma\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[cellhost.backends]\ngamma = cellhost_gamma\n")
    (tmp_path / "cellhost_gamma.py").write_text('name = "gamma"\n__all__ = []\n')

    def printed(code: str, **environment: str) -> str:
        command = [sys.executable, "-W", "ignore", "-c", f"import cellhost; {code}"]
        environment = os.environ | {"PYTHONPATH": str(tmp_path)} | environment
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        return (done.stdout + done.stderr).strip()

    return printed


def test_the_environment_means_the_same_to_both(run):
    code = "print(cellhost.settings, cellhost.dispatcher.settings.backends)"
    shown = run(
        code, CELLHOST_BACKEND="gamma", CELLHOST_BACKEND_FALLBACK="error", CELLHOST_N_JOBS="3"
    )
    assert shown == "n_jobs=3 backend='gamma' fallback='error' ('gamma',)"


def test_a_wrong_variable_is_named_when_the_setting_is_read(run):
    shown = run("cellhost.settings.backend", CELLHOST_BACKEND="gama")
    assert "CELLHOST_BACKEND" in shown
    assert "'gamma'" in shown


def test_a_dotenv_file_sets_fields_and_selects_nothing(run, tmp_path):
    (tmp_path / ".env").write_text("CELLHOST_N_JOBS=7\nCELLHOST_BACKEND=gamma\n")
    assert run("print(cellhost.settings)") == "n_jobs=7 backend='cpu' fallback='warn'"
