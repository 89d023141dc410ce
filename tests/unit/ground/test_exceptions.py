"""Errors and warnings: what they are, what they say, what they carry, and that they pickle."""

import pickle
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from scverse_backends import exceptions
from scverse_backends.exceptions import (
    AmbiguousBackendError,
    BackendConfigurationError,
    BackendError,
    BackendFallbackError,
    BackendFallbackWarning,
    BackendLoadError,
    BackendNotInstalledError,
    BackendRegistrationWarning,
    BackendSnapshotError,
    BackendWarning,
    ReservedBackendError,
    UnknownBackendError,
    UntrustedBackendError,
    UntrustedBackendWarning,
    UnusedBlockWarning,
)

DATA = Path(__file__).parents[2] / "data"
HOST = {"host": "example_host"}
WHO = {**HOST, "distribution": "my-backend", "version": "1.0"}
NOBODY = {**HOST, "distribution": None, "version": None}


@pytest.fixture
def refusals(make_dispatcher):
    """Two backends' refusals of one call, as a decision records them."""

    dispatcher = make_dispatcher()
    scale = dispatcher.backend_dispatch(name="scale")(lambda values, factor=1: values)
    dispatcher.register(SimpleNamespace(name="one"))
    dispatcher.register(SimpleNamespace(name="two", scale=lambda values: values))
    return dispatcher.settings.explain(scale, [1], factor=2, backend=["one", "two"]).refusals


DESCRIBED = {
    "configuration": BackendConfigurationError("example_host", ["one thing", "another"]),
    "unknown": UnknownBackendError("cudaa", known=("cuda", "jax"), **HOST),
    "unknown, nothing near": UnknownBackendError("xyz", known=("cuda",), **HOST),
    "unknown, nothing installed": UnknownBackendError("cuda", **HOST),
    "unknown, from the environment": UnknownBackendError("cuda", origin="the environment", **HOST),
    "unknown, others broken": UnknownBackendError(
        "cuda", known=("mine",), broken=["mine (my-backend)"], **HOST
    ),
    "unknown, no string": UnknownBackendError(3, known=("mine",), **HOST),
    "reserved": ReservedBackendError("GPU", reason="Use 'cuda'.", **HOST),
    "reserved, from the environment": ReservedBackendError(
        "GPU", reason="Use 'cuda'.", origin="the environment", **HOST
    ),
    "ambiguous": AmbiguousBackendError(
        "Reef", distributions=[("my-reef", "1.0"), ("reef", None)], origin="REEF", **HOST
    ),
    "not installed": BackendNotInstalledError(
        "fast", backend="fast", package="fast-backend", **HOST
    ),
    "not installed, by alias": BackendNotInstalledError(
        "quick", backend="fast", package="fast-backend", origin="the environment", **HOST
    ),
    "not installed, impostor": BackendNotInstalledError(
        "fast", backend="fast", package="fast-backend", refused=["evil"], **HOST
    ),
    "load": BackendLoadError("mine", entry_point="my_backend", problem="OSError: no", **WHO),
    "snapshot": BackendSnapshotError(
        "example_host", label="mine", problem="it is not there.", machine="node7", process=12
    ),
    "settings without a host": BackendSnapshotError(
        "example_host", label="", problem="it is not there.", machine="node7", process=12
    ),
    "untrusted error": UntrustedBackendError("mine", reason="it is blocked", **WHO),
    "untrusted warning": UntrustedBackendWarning("mine", **WHO),
    "refused warning": UntrustedBackendWarning("mine", reason="it claims too much", **NOBODY),
    "registration": BackendRegistrationWarning("mine", problem="the alias is taken", **WHO),
    "a text alone": BackendWarning("The sink failed."),
    "unused block": UnusedBlockWarning(["mine"], "error", **HOST),
}
TEXTS = tomllib.loads((DATA / "errors.toml").read_text(encoding="utf-8"))
CASES = [(described, TEXTS[name]) for name, described in DESCRIBED.items()]


class TestHierarchy:
    @pytest.mark.parametrize(
        ("kind", "bases"),
        [
            (BackendConfigurationError, (BackendError, ValueError)),
            (UnknownBackendError, (BackendError, ValueError)),
            (ReservedBackendError, (UnknownBackendError,)),
            (AmbiguousBackendError, (UnknownBackendError,)),
            (BackendNotInstalledError, (BackendError, ImportError)),
            (BackendLoadError, (BackendError, ImportError)),
            (UntrustedBackendError, (BackendError, ImportError)),
            (BackendSnapshotError, (BackendError, ImportError)),
            (BackendFallbackError, (BackendError, NotImplementedError)),
            (BackendFallbackWarning, (BackendWarning, UserWarning)),
            (UntrustedBackendWarning, (BackendWarning, UserWarning)),
            (BackendRegistrationWarning, (BackendWarning, UserWarning)),
            (UnusedBlockWarning, (BackendWarning, UserWarning)),
        ],
    )
    def test_every_class_is_caught_by_what_it_is(self, kind, bases):
        assert all(issubclass(kind, base) for base in bases)

    def test_errors_and_warnings_are_told_apart(self):
        assert not issubclass(BackendError, Warning)
        assert not issubclass(BackendWarning, BackendError)
        assert not issubclass(BackendNotInstalledError, BackendLoadError)

    def test_all_of_them_are_listed(self):
        public = {
            name
            for name in vars(exceptions)
            if name.startswith(("Ambiguous", "Backend", "Un", "Res"))
        }

        assert set(exceptions.__all__) == public


@pytest.mark.parametrize(("described", "text"), CASES, ids=DESCRIBED)
class TestEachErrorAndWarning:
    def test_says_what_happened_to_what_and_what_to_do(self, described, text):
        assert str(described) == text
        assert repr(described) == f"{type(described).__name__}({text!r})"

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_pickles_with_all_that_it_carries(self, described, text, protocol):
        restored = pickle.loads(pickle.dumps(described, protocol))

        assert type(restored) is type(described)
        assert vars(restored) == vars(described)
        assert str(restored) == text


class TestFallbacks:
    TEXT = "scale: 'one' does not implement it; 'two' does not take 'factor'."

    def test_an_error_lists_each_reason_in_the_order_of_asking(self, refusals):
        error = BackendFallbackError("scale", refusals=refusals, **HOST)

        assert str(error) == (
            f"{self.TEXT} Nothing ran, because fallback is 'error'. "
            "Change the call, or pass backend='cpu' to run it on the host."
        )
        assert (error.function, error.host, error.refusals) == ("scale", "example_host", refusals)

    def test_a_warning_says_that_the_host_runs_it(self, refusals):
        warning = BackendFallbackWarning("scale", refusals=refusals, **HOST)

        assert str(warning) == f"{self.TEXT} It runs on example_host (cpu) instead."
        assert [refusal.backend for refusal in warning.refusals] == ["one", "two"]

    @pytest.mark.parametrize("kind", [BackendFallbackError, BackendFallbackWarning])
    def test_both_pickle(self, refusals, kind):
        described = kind("scale", refusals=refusals, **HOST)

        restored = pickle.loads(pickle.dumps(described))

        assert type(restored) is kind
        assert vars(restored) == vars(described)
        assert str(restored) == str(described)


@pytest.mark.parametrize(("label", "package"), [("fast", "fast-backend"), ("nobody", "PACKAGE")])
def test_a_frozen_application_is_told_that_it_may_lack_metadata(
    make_dispatcher, monkeypatch, label, package
):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    trusted = {"fast": {"package": "fast-backend"}} if label == "fast" else {}
    with pytest.raises(BackendError) as caught:
        make_dispatcher(trusted_backends=trusted).get_backend(label)
    assert str(caught.value).endswith(
        f"metadata must be too: pyinstaller --copy-metadata {package}"
    )


def test_an_error_that_was_raised_pickles_with_its_notes(make_dispatcher, monkeypatch):
    monkeypatch.setenv("EXAMPLE_HOST_BACKEND", "cudaa")
    with pytest.raises(UnknownBackendError) as caught:
        _ = make_dispatcher(entrypoint_group="nobody.backends").settings.backend
    caught.value.add_note("Seen in a worker.")

    restored = pickle.loads(pickle.dumps(caught.value))

    assert str(restored) == str(caught.value)
    assert restored.__notes__ == ["Seen in a worker."]


def test_a_load_error_pickles_although_its_cause_does_not(site, make_dispatcher):
    source = "class Odd(Exception):\n    def __reduce__(self): raise TypeError\nraise Odd('no')"
    site.install("broken", entry_points={"mine": "broken"}, modules={"broken": source})
    with pytest.raises(BackendLoadError) as caught:
        make_dispatcher(untrusted="allow").get_backend("mine")

    restored = pickle.loads(pickle.dumps(caught.value))

    assert str(restored) == str(caught.value)
    assert "Odd: no" in restored.problem
