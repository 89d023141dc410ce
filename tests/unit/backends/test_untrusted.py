"""Backends that the host does not trust: warned of, allowed, refused, blocked."""

import inspect
from contextlib import suppress
from types import SimpleNamespace

import pytest

from scverse_backends.exceptions import (
    BackendConfigurationError,
    BackendError,
    UnknownBackendError,
    UntrustedBackendError,
    UntrustedBackendWarning,
)

ASKING = {
    "a typo": lambda dispatcher, whoami: whoami(backend="nobody"),
    "a typo in a block": lambda dispatcher, _: dispatcher.settings.use_backend("nobody"),
    "a typo in settings": lambda dispatcher, _: setattr(dispatcher.settings, "backend", "nobody"),
    "get_backend": lambda dispatcher, _: dispatcher.get_backend("nobody"),
    "available_backends": lambda dispatcher, _: dispatcher.settings.available_backends(),
    "available_backend_names": lambda dispatcher, _: dispatcher.available_backend_names(),
    "discover": lambda dispatcher, _: dispatcher.discover(),
}


@pytest.fixture(autouse=True)
def installed(site):
    """Two backends that nobody trusts."""
    for name in ("mine", "yours"):
        source = f"name = {name!r}\naliases = ['{name}-alias']\ndef whoami(): return {name!r}"
        site.backend(name, source, reference=f"{name}_module")


@pytest.fixture
def dispatcher(make_dispatcher):
    """A host as it is if nothing is said of untrusted backends."""
    return make_dispatcher()


def host(dispatcher):
    return dispatcher.backend_dispatch(name="whoami")(lambda: "host")


@pytest.fixture
def blocking(make_dispatcher, monkeypatch):
    """Make a host under ``SCVERSE_BACKENDS_BLOCK``."""

    def blocking(blocked, untrusted="allow", **options):
        monkeypatch.setenv("SCVERSE_BACKENDS_BLOCK", blocked)
        return make_dispatcher(untrusted=untrusted, **options)

    return blocking


def refused(dispatcher, label):
    with pytest.raises(UntrustedBackendError, match="SCVERSE_BACKENDS_BLOCK") as caught:
        dispatcher.get_backend(label)
    return caught.value


class TestWarn:
    def test_the_first_use_of_each_backend_warns_at_the_line_that_uses_it(self, dispatcher):
        whoami = host(dispatcher)
        with pytest.warns(UntrustedBackendWarning) as caught:
            assert whoami(backend="mine") == "mine"
            line = inspect.currentframe().f_lineno - 1
            assert whoami(backend="mine-alias") == "mine"
            assert whoami(backend="yours") == "yours"
            assert whoami(backend="yours") == "yours"
        assert [w.message.distribution for w in caught] == ["mine-backend", "yours-backend"]
        assert [w.message.version for w in caught] == ["1.0", "1.0"]
        assert (caught[0].filename, caught[0].lineno) == (__file__, line)
        assert "does not trust" in str(caught[0].message)

    @pytest.mark.parametrize("way", ASKING)
    def test_whatever_imports_one_to_ask_it_warns_as_its_use_does(self, site, dispatcher, way):
        whoami = host(dispatcher)
        with pytest.warns(UntrustedBackendWarning) as caught, suppress(UnknownBackendError):
            ASKING[way](dispatcher, whoami)
        whoami(backend="mine")
        whoami(backend="yours")
        assert [w.message.distribution for w in caught] == ["mine-backend", "yours-backend"]
        assert {w.filename for w in caught} == {__file__}
        assert site.imported() == {"mine_module", "yours_module"}

    @pytest.mark.parametrize("way", ASKING)
    def test_a_warning_made_an_error_keeps_any_from_being_asked(self, site, dispatcher, way):
        for _ in range(2):
            with pytest.raises(UntrustedBackendWarning):
                ASKING[way](dispatcher, host(dispatcher))
        assert site.imported() == set()

    def test_a_warning_made_an_error_stops_every_use_before_any_code_runs(self, site, dispatcher):
        whoami = host(dispatcher)
        for _ in range(3):
            with pytest.raises(UntrustedBackendWarning):
                whoami(backend="mine")
        assert site.imported() == set()


class TestRefuse:
    @pytest.fixture
    def dispatcher(self, make_dispatcher):
        trusted = {"yours": {"package": "yours-backend"}}
        return make_dispatcher(untrusted="refuse", trusted_backends=trusted)

    def test_asking_for_one_by_name_is_an_error_that_says_why(
        self, site, dispatcher, make_dispatcher, monkeypatch
    ):
        with pytest.raises(UntrustedBackendError, match="trusted backends only") as caught:
            host(dispatcher)(backend="mine")
        assert (caught.value.backend, caught.value.distribution) == ("mine", "mine-backend")
        monkeypatch.setenv("EXAMPLE_HOST_BACKEND", "mine")
        with pytest.raises(UntrustedBackendError, match="trusted backends only"):
            host(make_dispatcher(untrusted="refuse"))()
        assert site.imported() == set()

    def test_looking_for_an_alias_imports_the_trusted_ones_only(self, site, dispatcher):
        with pytest.raises(UnknownBackendError) as caught:
            dispatcher.get_backend("mine-alias")
        assert site.imported() == {"yours_module"}
        assert set(caught.value.known) == {"cpu", "yours", "yours-alias"}

    def test_nothing_else_imports_one(self, site, dispatcher):
        dispatcher.discover()
        assert dispatcher.settings.available_backends() == ["yours"]
        assert dispatcher.available_backend_names() == ["yours", "yours-alias"]
        assert [info.state for info in dispatcher.backends()] == ["refused", "loaded"]
        assert site.imported() == {"yours_module"}


class TestBlocked:
    @pytest.mark.parametrize(
        "blocked", ["mine", "MINE", "mine-backend", "Mine_Backend", " mine ,", "other,mine"]
    )
    def test_a_blocked_name_or_distribution_is_never_imported(self, site, blocking, blocked):
        dispatcher = blocking(blocked)
        refused(dispatcher, "mine")
        dispatcher.discover()
        assert [info.state for info in dispatcher.backends()] == ["refused", "loaded"]
        assert dispatcher.settings.available_backends() == ["yours"]
        assert site.imported() == {"yours_module"}

    @pytest.mark.parametrize("wrong", ["a b", "a==1.0", "mine, yours other", "ä", "mine;yours"])
    @pytest.mark.parametrize(
        "use",
        [
            lambda dispatcher: dispatcher.get_backend("mine"),
            lambda dispatcher: dispatcher.backends(),
            lambda dispatcher: dispatcher.settings.available_backends(),
        ],
        ids=["get_backend", "backends", "available_backends"],
    )
    def test_what_names_nothing_is_an_error_at_each_use_until_it_is_corrected(
        self, site, make_dispatcher, monkeypatch, wrong, use
    ):
        monkeypatch.setenv("SCVERSE_BACKENDS_BLOCK", wrong)
        dispatcher = make_dispatcher(untrusted="allow")
        for _ in range(2):
            with pytest.raises(BackendConfigurationError, match="a comma between two"):
                use(dispatcher)
        assert site.imported() == set()
        monkeypatch.setenv("SCVERSE_BACKENDS_BLOCK", "yours")
        dispatcher.refresh()
        assert dispatcher.settings.available_backends() == ["mine"]

    @pytest.mark.parametrize("blocked", ["fast", "quick", "mine", "mine-backend"])
    @pytest.mark.parametrize("asked", ["fast", "quick", "mine"])
    def test_a_trusted_backend_may_be_blocked_by_any_of_its_labels(
        self, site, blocking, blocked, asked
    ):
        trusted = {"fast": {"aliases": ["quick"], "package": "mine-backend"}}
        dispatcher = blocking(blocked, "warn", trusted_backends=trusted)
        refused(dispatcher, asked)
        assert site.imported() == set()
        assert not any(info.trusted for info in dispatcher.backends() if info.name == "mine")

    @pytest.mark.parametrize(
        ("trusted", "label"), [(None, "fast"), ("fast", "fast"), ("quick", "quick")]
    )
    @pytest.mark.parametrize("blocked", ["a", "a,b"])
    def test_of_two_that_serve_a_name_the_one_that_is_not_blocked_does(
        self, site, blocking, trusted, label, blocked
    ):
        """Where both are blocked, the first is told."""
        for name in ("a", "b"):
            site.backend("fast", "name='f'", reference=f"{name}_m", distribution=name)
        rules = {trusted: {"distributions": ["a", "b"]}} if trusted else {}
        dispatcher = blocking(blocked, trusted_backends=rules)
        if blocked == "a":
            assert dispatcher.get_backend(label).__name__ == "b_m"
        else:
            assert refused(dispatcher, label).distribution == "a"
        assert "a_m" not in site.imported()

    def test_blocking_one_entry_point_of_an_adapter_blocks_its_other_ones(self, site, blocking):
        points = dict.fromkeys(("one", "two"), "odd")
        site.install("odd", entry_points=points, modules={"odd": "name='o'"})
        refused(blocking("two"), "one")
        assert site.imported() == set()

    def test_a_name_that_only_the_adapter_knows_is_refused_as_soon_as_it_shows(
        self, site, blocking
    ):
        site.install("odd", entry_points={"odd": "odd"}, modules={"odd": "name = 'hidden'"})
        dispatcher = blocking("hidden")
        refused(dispatcher, "odd")
        assert dispatcher.settings.available_backends() == ["mine", "yours"]

    def test_an_alias_that_only_the_adapter_knows_is_not_looked_for(self, site, blocking):
        dispatcher = blocking("mine-alias")
        with pytest.raises(BackendError, match="SCVERSE_BACKENDS_BLOCK"):
            dispatcher.get_backend("mine-alias")
        assert site.imported() == set()
        refused(dispatcher, "mine")

    def test_a_refresh_reads_the_variable_again(self, blocking):
        dispatcher = blocking("")
        whoami = host(dispatcher)
        dispatcher.settings.backend = "mine"
        assert whoami() == "mine"
        blocking("mine")
        dispatcher.refresh()
        with pytest.raises(UntrustedBackendError, match="SCVERSE_BACKENDS_BLOCK"):
            whoami()

    def test_an_adapter_registered_by_the_caller_is_not_blocked(self, blocking):
        dispatcher = blocking("local")
        with dispatcher.register(SimpleNamespace(name="local")):
            assert dispatcher.get_backend("local").name == "local"
