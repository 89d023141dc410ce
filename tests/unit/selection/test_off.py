"""``EXAMPLE_HOST_BACKEND_OFF=1`` sends every call to the host: is it the backend's fault?"""

import asyncio
import pickle
import warnings
from types import SimpleNamespace

import pytest

from scverse_backends.exceptions import BackendSelectionWarning

VARIABLES = ("EXAMPLE_HOST_BACKEND_OFF", "SCVERSE_BACKENDS_OFF")

pytestmark = pytest.mark.usefixtures("backends")


@pytest.fixture(params=VARIABLES)
def host(request, make_host, monkeypatch):
    monkeypatch.setenv(request.param, "1")
    return make_host()


def quietly(work):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BackendSelectionWarning)
        return work()


def in_block(host, *labels, **options):
    with host.settings.use_backend(*labels, **options):
        return host.where()


WAYS = {
    "call": lambda host: host.where(backend="mine"),
    "calls": lambda host: [host.where(backend=["mine"]) for _ in range(2)][1],
    "coroutine": lambda host: asyncio.run(host.where_async(backend="mine")),
    "block": lambda host: in_block(host, "mine"),
    "mapping": lambda host: in_block(host, {"where": "mine"}),
    "options": lambda host: in_block(host, "mine", options={"where": {"tile": 3}}),
    "policy": lambda host: in_block(host, "mine", fallback="error"),
    "process": lambda host: setattr(host.settings, "backend", "mine") or host.where(),
    "what is not there": lambda host: host.where(backend="nothing"),
    "what is no label": lambda host: host.where(backend=[["mine"]]),
    "a key that fits nothing": lambda host: in_block(host, {"nowhere": "mine"}),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_host_runs_every_call_whatever_is_selected(host, site, way):
    with pytest.warns(BackendSelectionWarning, match="every call itself"):
        assert WAYS[way](host) == "cpu"
    assert not site.imported()


def test_the_environment_s_choice_is_not_used_either(make_host, monkeypatch, site):
    monkeypatch.setenv("EXAMPLE_HOST_BACKEND", "mine, nowhere=other")
    monkeypatch.setenv("EXAMPLE_HOST_BACKEND_OFF", "1")
    with pytest.warns(BackendSelectionWarning, match="EXAMPLE_HOST_BACKEND_OFF is set"):
        assert make_host().where() == "cpu"
    assert not site.imported()


def test_a_snapshot_is_not_used_either(world):
    host = world.load()
    with host.settings.use_backend({"where": "other"}, "fast?"):
        packed = pickle.dumps(host.settings.snapshot())
    apply = f"pickle.loads({packed!r}).apply()"
    assert world.elsewhere("host.where()", apply) == "other 1.0"
    for variable in (f"{world.name.upper()}_BACKEND_OFF", "SCVERSE_BACKENDS_OFF"):
        assert world.elsewhere("host.where()", apply, **{variable: "1"}) == "cpu"


def test_it_is_said_once_at_the_line_that_selects(host):
    with pytest.warns(BackendSelectionWarning) as caught:
        for way in ("call", "block", "process"):
            WAYS[way](host)
    (told,) = caught
    assert told.filename == __file__


def test_nothing_is_said_where_nothing_but_the_host_is_selected(host):
    assert host.where() == host.where(backend="cpu") == in_block(host, "cpu") == "cpu"
    assert in_block(host, fallback="silent") == "cpu"
    for spelling in ("CPU", "cpu?", ["cpu"], ("Cpu", "cpu")):
        assert host.where(backend=spelling) == in_block(host, spelling) == "cpu"
    with pickle.loads(pickle.dumps(host.settings.snapshot())):
        assert host.where() == "cpu"


def test_explain_trace_and_settings_say_so(host):
    def look():
        with host.settings.use_backend("mine"), host.settings.trace() as trace:
            host.where()
            return host.settings.explain(host.where), trace.records[0]

    for said in quietly(look):
        assert said.backend == "cpu"
        assert said.reason.startswith("selected by the environment variable ")
        assert said.reason.endswith("_OFF")
    assert "_OFF is set" in str(host.settings)


@pytest.mark.parametrize("value", ["", " ", "0", "false", "No"])
def test_these_values_mean_that_it_is_not_set(make_host, monkeypatch, value):
    for variable in VARIABLES:
        monkeypatch.setenv(variable, value)
    assert make_host().where(backend="mine") == "mine"


class TestAnOptionOfABackend:
    """The host does not take it, as with nothing selected; the error says what is set."""

    @pytest.fixture
    def scale(self, make_dispatcher, monkeypatch):
        monkeypatch.setenv("EXAMPLE_HOST_BACKEND_OFF", "1")
        dispatcher = make_dispatcher()
        dispatcher.register(SimpleNamespace(name="known", scale=lambda data, *, tile=1: "known"))
        return dispatcher.backend_dispatch(name="scale")(lambda data: "host")

    @pytest.mark.parametrize("selector", [{}, {"backend": "known"}])
    def test_of_a_backend_that_is_known_is_named_with_it(self, scale, selector):
        message = r"'tile' is an option of backend 'known'.* EXAMPLE_HOST_BACKEND_OFF is set"
        with pytest.raises(TypeError, match=message):
            quietly(lambda: scale(1, tile=3, **selector))

    @pytest.mark.parametrize("selector", [{}, {"backend": "mine"}])
    def test_of_one_that_is_not_imported_may_be_one(self, scale, selector):
        message = r"'other' may be an option of a backend.* EXAMPLE_HOST_BACKEND_OFF is set"
        with pytest.raises(TypeError, match=message):
            quietly(lambda: scale(1, other=3, **selector))
