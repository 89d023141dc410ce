"""What users of dispatchers complain about, each made to happen, and the answer they get here."""

import logging
import warnings

import pytest

from scverse_backends.exceptions import (
    BackendFallbackError,
    BackendFallbackWarning,
    BackendLoadError,
    BackendNotInstalledError,
    BackendRegistrationWarning,
    UnknownBackendError,
    UntrustedBackendError,
    UntrustedBackendWarning,
)


@pytest.fixture
def dispatcher(make_dispatcher):
    """Give the dispatcher of a host that vouches for ``fast`` and does not mind others."""
    return make_dispatcher(
        untrusted="allow", trusted_backends={"fast": {"package": "fast-backend"}}
    )


@pytest.fixture
def heard(caplog):
    """Give what the logger said at INFO and above."""
    caplog.set_level(logging.INFO, logger="scverse_backends")
    return lambda: " ".join(record.getMessage() for record in caplog.records)


def words(shown):
    """Give a text with single spaces: where lines break is not what is tested."""
    return " ".join(str(shown).split())


class TestItFellBackSilently:
    def test_the_warning_stands_at_my_line_and_says_why(self, settings, scale, fast):
        with settings.use_backend("fast"), pytest.warns(BackendFallbackWarning) as given:
            scale([1], copy=False)
        assert given[0].filename == __file__
        assert "'fast' does not take 'copy'" in str(given[0].message)

    def test_even_where_warnings_are_off_the_trace_the_log_and_provenance_say_so(
        self, settings, scale, fast, heard
    ):
        with (
            warnings.catch_warnings(),
            settings.use_backend("fast", fallback="silent"),
            settings.trace() as trace,
        ):
            warnings.simplefilter("ignore")
            scale([1], copy=False)
        (record,) = trace.records
        assert (record.backend, record.is_fallback) == ("cpu", True)
        assert "1 as a fallback" in str(trace)
        assert "skipped fast: does not take &#x27;copy&#x27;" in trace._repr_html_()
        assert trace.provenance()["fallbacks"] == {"scale": ["fast does not take 'copy'"]}
        assert "'fast' does not take 'copy'. It runs on example_host (cpu) instead." in heard()

    def test_it_could_have_been_asked_before_or_forbidden(self, settings, scale, fast):
        with settings.use_backend("fast", fallback="error"):
            shown = words(settings.explain(scale, [1], copy=False))
            with pytest.raises(BackendFallbackError, match="does not take 'copy'"):
                scale([1], copy=False)
        assert "skipped fast: does not take 'copy'" in shown


def test_the_adapter_renamed_a_function(site, settings, scale):
    site.install(
        "fast-backend",
        version="2.0",
        entry_points={"fast": "fast_module"},
        modules={"fast_module": "name = 'fast'\ndef rescale(values, factor=1.0): return values"},
    )
    with settings.use_backend("fast"):
        with (
            settings.trace() as trace,
            pytest.warns(BackendFallbackWarning, match="'fast' does not implement it"),
        ):
            scale([1])
        assert "skipped fast: does not implement it" in words(settings.explain(scale, [1]))
    assert trace.provenance()["fallbacks"] == {"scale": ["fast does not implement it"]}


class TestAMisspeltEntryPoint:
    @pytest.mark.parametrize(
        ("reference", "problem"),
        [
            ("fast_modul", "ModuleNotFoundError: No module named 'fast_modul'"),
            ("fast_module:Adaptor", "has no attribute 'Adaptor'"),
        ],
    )
    def test_is_not_called_absent_and_is_quoted(self, site, settings, heard, reference, problem):
        site.install(
            "fast-backend",
            entry_points={"fast": reference},
            modules={"fast_module": "class Adapter: name = 'fast'"},
        )
        with pytest.raises(BackendLoadError, match=r"fast-backend 1\.0") as failure:
            settings.backend = "fast"
        assert repr(reference) in str(failure.value)
        for told in (str(failure.value), words(settings), words(heard())):
            assert problem in told
        assert "fast broken yes fast-backend 1.0" in words(settings)

    def test_of_a_label_that_nobody_else_knows_is_suggested(self, site, settings):
        site.install(
            "jax-backend",
            entry_points={"jaxx": "jax_module"},
            modules={"jax_module": "name = 'jaxx'"},
        )
        with pytest.raises(UnknownBackendError, match="Did you mean 'jaxx'"):
            settings.use_backend("jaxz")
        assert "jaxx loaded no jax-backend 1.0 jaxx" in words(settings)


def test_its_cuda_library_is_missing(site, settings, scale, heard):
    site.install(
        "fast-backend",
        entry_points={"fast": "fast_module"},
        modules={
            "fast_module": """
                import ctypes
                name = "fast"
                ctypes.CDLL("libcuda_of_no_machine.so.1")
            """
        },
    )
    with pytest.raises(BackendLoadError, match="installed but could not be loaded") as failure:
        scale([1], backend="fast")
    assert isinstance(failure.value.__cause__, OSError)
    for told in (str(failure.value), words(settings), settings._repr_html_(), heard()):
        assert "libcuda_of_no_machine.so.1" in told
        assert "pip install" not in told
    assert settings.backend == "cpu"


def test_two_backends_claim_one_alias(site, settings, scale):
    for name in ("first", "second"):
        site.install(
            f"{name}-backend",
            entry_points={name: f"{name}_module"},
            modules={
                f"{name}_module": f"""
                    name = {name!r}
                    aliases = ["cuda"]
                    def scale(values, factor=1.0): return {name!r}
                """
            },
        )
    with pytest.warns(
        BackendRegistrationWarning, match="first-backend 1.0 also provides .* 'cuda'"
    ):
        settings.available_backends()
    assert "first loaded no first-backend 1.0 first, cuda" in words(settings)
    assert "second loaded no second-backend 1.0 second" in words(settings)
    assert scale([1], backend="cuda") == "first"
    assert settings.explain(scale, [1], backend="cuda").distribution == "first-backend"


def test_a_package_claims_a_name_that_is_not_its_own(site, settings, heard):
    site.install("evil", entry_points={"fast": "evil"}, modules={"evil": "raise SystemExit"})
    with (
        pytest.warns(UntrustedBackendWarning, match="comes from 'evil', not 'fast-backend'"),
        pytest.raises(BackendNotInstalledError, match=r"pip install fast-backend.*refused.*'evil'"),
    ):
        settings.backend = "fast"
    assert "fast refused no evil 1.0" in words(settings)
    assert "it claims the trusted name 'fast'" in words(settings)
    assert "it claims the trusted name 'fast'" in heard()
    assert site.imported() == set()


def test_a_backend_is_blocked(monkeypatch, site, dispatcher, settings, fast, heard):
    monkeypatch.setenv("SCVERSE_BACKENDS_BLOCK", "fast-backend")
    with pytest.raises(UntrustedBackendError, match="blocked by SCVERSE_BACKENDS_BLOCK"):
        settings.backend = "fast"
    for shown in (words(settings), words(dispatcher), settings._repr_html_(), heard()):
        assert "blocked by SCVERSE_BACKENDS_BLOCK" in shown
    assert "fast refused no fast-backend 1.2" in words(settings)
    assert site.imported() == set()


def test_a_default_of_the_backend_is_another(settings, scale, fast):
    with settings.use_backend("fast"), settings.trace() as trace:
        assert scale([1]) == [2.0]
        assert scale([1], 1.0) == [1.0]
        left_out, given = settings.explain(scale, [1]), settings.explain(scale, [1], 1.0)
    assert "default factor=2.0 (host: 1.0)" in words(left_out)
    assert "default" not in words(given)
    assert "default factor=2.0 (host: 1.0)" in trace._repr_html_()
    differing = trace.provenance()["backends"]["fast"]["differing_defaults"]
    assert differing == {"scale": ["factor: 2.0 (host: 1.0)"]}
