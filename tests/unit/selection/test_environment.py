"""The environment's choice: ``EXAMPLE_HOST_BACKEND`` and ``EXAMPLE_HOST_BACKEND_FALLBACK``."""

import asyncio
import importlib

import pytest

from scverse_backends.exceptions import (
    BackendError,
    BackendFallbackError,
    BackendLoadError,
    BackendNotInstalledError,
    ReservedBackendError,
    UnknownBackendError,
)

pytestmark = pytest.mark.usefixtures("backends")

USES = {
    "call": lambda host: host.where(),
    "coroutine": lambda host: asyncio.run(host.where_async()),
    "explicit none": lambda host: host.where(backend=None),
    "explain": lambda host: host.settings.explain(host.where),
    "backend": lambda host: host.settings.backend,
    "backends": lambda host: host.settings.backends,
    "fallback": lambda host: host.settings.fallback,
    "block": lambda host: host.settings.use_backend(fallback="silent").__enter__(),
}


@pytest.fixture(params=USES)
def use(request):
    """Use a host in each way that needs what the environment says."""
    return USES[request.param]


@pytest.fixture
def given(make_host, monkeypatch):
    """Make a host under environment variables."""

    def given(backend=None, fallback=None, variable="EXAMPLE_HOST_BACKEND", **options):
        if backend is not None:
            monkeypatch.setenv(variable, backend)
        if fallback is not None:
            monkeypatch.setenv(f"{variable}_FALLBACK", fallback)
        return make_host(**options)

    return given


@pytest.mark.parametrize(
    ("value", "chosen"),
    [
        ("mine", ("mine",)),
        ("CUDA", ("mine",)),
        ("other,mine", ("other", "mine")),
        (" jax , cuda , cpu ", ("other", "mine", "cpu")),
        ("cpu", ("cpu",)),
        ("", ("cpu",)),
        (" ", ("cpu",)),
    ],
)
def test_the_environment_selects_one_backend_or_several(given, value, chosen):
    host = given(value)
    assert host.where() == chosen[0]
    assert host.settings.backends == chosen


def test_nothing_is_imported_before_the_first_use(given, site):
    host = given("mine,other")
    assert site.imported() == set()
    host.where()
    assert site.imported() == {"mine_backend", "other_backend"}


@pytest.mark.parametrize(
    ("host_name", "variable", "seen"),
    [
        ("scanpy", "SCANPY_BACKEND", ("mine", "error")),
        ("example-host", "EXAMPLE_HOST_BACKEND", ("mine", "error")),
        ("my.Host 2", "MY_HOST_2_BACKEND", ("mine", "error")),
        ("example_host", "OTHER_HOST_BACKEND", ("cpu", "warn")),
    ],
)
def test_the_variables_are_named_after_the_host(given, host_name, variable, seen):
    host = given("mine", "error", variable=variable, host_name=host_name)
    assert (host.settings.backend, host.settings.fallback) == seen


def test_the_environment_is_read_when_the_dispatcher_is_made(given, monkeypatch):
    host = given("mine", "silent")
    monkeypatch.setenv("EXAMPLE_HOST_BACKEND", "other")
    monkeypatch.setenv("EXAMPLE_HOST_BACKEND_FALLBACK", "error")
    assert (host.settings.backend, host.settings.fallback) == ("mine", "silent")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("nope", UnknownBackendError),
        ("mine,nope", UnknownBackendError),
        ("mine,", UnknownBackendError),
        ("my backend", UnknownBackendError),
        ("auto", ReservedBackendError),
        ("absent", BackendNotInstalledError),
        ("broken", BackendLoadError),
    ],
)
def test_a_wrong_backend_raises_at_every_use_and_names_the_variable(
    given, install, use, value, kind
):
    install("broken", source="raise RuntimeError('no device')")
    host = given(value, trusted_backends={"absent": {"package": "absent"}})
    for _ in range(2):
        with pytest.raises(kind) as caught:
            use(host)
        shown = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", ())])
        assert "EXAMPLE_HOST_BACKEND" in shown
        if kind is not BackendLoadError:
            assert caught.value.origin == "the environment variable EXAMPLE_HOST_BACKEND"


def test_a_wrong_policy_raises_at_every_use_and_names_the_variable(given, use):
    host = given("mine", "loud")
    needing = [use, use, lambda host: host.only_here(print, backend="mine")]
    for one in needing:
        with pytest.raises(ValueError, match="EXAMPLE_HOST_BACKEND_FALLBACK='loud'"):
            one(host)
    host.settings.fallback = "silent"
    assert (host.settings.fallback, host.where()) == ("silent", "mine")


def test_a_wrong_backend_does_not_keep_anyone_from_choosing_another(given):
    host = given("nope")
    assert host.where(backend="mine") == "mine"
    with host.settings.use_backend("other"):
        assert host.where() == "other"
    with pytest.raises(BackendError):
        host.where()
    host.settings.backend = "mine"
    assert host.where() == "mine"


def test_what_is_chosen_while_the_environments_backend_loads_stands(given, site, install):
    site.write("shared.py", "hosts = []")
    install(
        "hasty",
        source="""
        import contextvars, shared
        # In no context of its own, as another thread does.
        contextvars.Context().run(setattr, shared.hosts[0].settings, "backend", "other")
        name = "hasty"
        """,
    )
    host = given("hasty")
    importlib.import_module("shared").hosts.append(host)
    assert (host.where(), host.settings.backend) == ("other", "other")


CHOICES = {
    "call": lambda host, run: run(backend="mine"),
    "block": lambda host, run: host.settings.use_backend("mine")(run)(),
    "default": lambda host, run: (setattr(host.settings, "backend", "mine"), run()),
    "its own": lambda host, run: run(),
}


@pytest.mark.parametrize("choose", CHOICES.values(), ids=CHOICES)
def test_the_environments_policy_holds_for_nearer_choices_of_a_backend(given, choose):
    host = given(fallback="error", backend="other")

    def run(**options):
        host.only_here(print, **options)

    with pytest.raises(BackendFallbackError):
        choose(host, run)
    assert host.settings.fallback == "error"


def test_nearer_policies_stand_before_the_environments_and_its_backend_beside_them(given):
    host = given(fallback="error", backend="mine")
    with host.settings.use_backend(fallback="silent"):
        assert host.only_here(lambda: "ran") == "ran"
    assert host.settings.fallback == "error"
    host.settings.fallback = "silent"
    assert (host.where(), host.only_here(lambda: "ran")) == ("mine", "ran")
    host.settings.backend = "other"
    assert host.settings.fallback == "silent"
