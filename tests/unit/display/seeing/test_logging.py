"""The logger ``scverse_backends``: what those hear who listen, and that nobody else is bothered."""

import asyncio
import logging
import subprocess
import sys
from types import SimpleNamespace

import pytest

from scverse_backends.exceptions import (
    BackendLoadError,
    BackendNotInstalledError,
    UntrustedBackendError,
    UntrustedBackendWarning,
)

NAME = "scverse_backends"


@pytest.fixture
def said(caplog):
    """Listen from a level on; gives ``(level, text)`` of what was said so far."""

    def said():
        return [(r.levelname, r.getMessage()) for r in caplog.records if r.name == NAME]

    caplog.set_level(logging.INFO, logger=NAME)
    return said


def test_a_load_is_said_once_at_the_line_that_caused_it(settings, fast, said, caplog):
    settings.get_backend("fast")
    settings.get_backend("swift")
    ((level, text),) = said()
    assert level == "INFO"
    assert text.startswith("example_host loaded backend 'fast' (fast-backend 1.2, fast_module) in ")
    assert caplog.records[0].pathname == __file__


def test_a_load_of_an_untrusted_backend_says_so(site, settings, said):
    site.install("mine", entry_points={"mine": "mine"}, modules={"mine": "name = 'mine'"})
    with pytest.warns(UntrustedBackendWarning):
        settings.get_backend("mine")
    assert "(mine 1.0, mine), which it does not trust, in " in said()[0][1]


def test_a_load_that_fails_is_said_even_if_nobody_asked_for_that_backend(site, settings, said):
    site.install("bad", entry_points={"bad": "bad"}, modules={"bad": "raise OSError('no libcuda')"})
    with pytest.warns(UntrustedBackendWarning):
        settings.available_backends()
    ((level, text),) = said()
    assert level == "INFO"
    assert "'bad'" in text
    assert "OSError: no libcuda" in text
    with pytest.raises(BackendLoadError):
        settings.get_backend("bad")
    assert [text for _, text in said()] == [text, text]


def test_an_impostor_is_a_warning(site, settings, said):
    site.install("evil", entry_points={"fast": "evil"}, modules={"evil": ""})
    with (
        pytest.warns(UntrustedBackendWarning) as given,
        pytest.raises(BackendNotInstalledError),
    ):
        settings.get_backend("fast")
    assert said() == [("WARNING", str(given[0].message))]


def test_a_refused_backend_is_a_warning_when_somebody_asks_for_it(
    monkeypatch, site, settings, fast, said
):
    monkeypatch.setenv("SCVERSE_BACKENDS_BLOCK", "fast")
    repr(settings)
    assert said() == []
    with pytest.raises(UntrustedBackendError) as refusal:
        settings.use_backend("fast")
    assert said() == [("WARNING", str(refusal.value))]


def test_a_false_claim_that_only_shows_once_it_is_loaded_is_a_warning(site, make_dispatcher, said):
    site.install("liar", entry_points={"liar": "liar"}, modules={"liar": "name = 'gpu'"})
    reserved = {"gpu": "Say which."}
    settings = make_dispatcher(reserved_backends=reserved, untrusted="allow").settings
    assert settings.available_backends() == []
    ((level, text),) = said()
    assert level == "WARNING"
    assert "'gpu' is reserved" in text


@pytest.fixture
def hear(caplog, said):
    """Listen to every decision from here on, or no more."""

    def hear(level=logging.DEBUG):
        caplog.set_level(level, logger=NAME)
        caplog.clear()

    hear()
    return hear


def test_a_call_for_which_the_host_comes_first_is_not_said(settings, scale, fast, said, hear):
    with settings.use_backend("cpu", "fast"):
        hear()
        scale([1])
    assert said() == []


def test_every_call_for_which_a_backend_is_selected_is_said(settings, scale, fast, said, hear):
    with settings.use_backend("fast"):
        hear()
        for _ in range(3):
            scale([1])
    scale([1], backend="fast")
    assert [level for level, _ in said()] == ["DEBUG"] * 4
    assert {text for _, text in said()} == {
        "example_host: scale runs on fast (fast-backend 1.2): selected by use_backend",
        "example_host: scale runs on fast (fast-backend 1.2): selected by the call's own argument",
    }


def test_a_call_that_nobody_wants_anywhere_else_is_not_said(settings, scale, fast, said, hear):
    scale([1])
    scale([1], backend="cpu")
    with settings.trace():
        scale([1])
    assert said() == []


def test_each_decision_is_said_at_the_callers_line_with_its_record(
    settings, scale, fast, hear, caplog
):
    with settings.use_backend("fast"):
        expected = settings.explain(scale, [1], n_jobs=4)
        hear()
        scale([1], n_jobs=4)
    (record,) = caplog.records
    assert record.decision == expected
    assert record.pathname == __file__


def test_a_fallback_is_said_even_if_it_is_silent(settings, scale, fast, said, hear):
    settings.fallback = "silent"
    with settings.use_backend("fast"):
        hear()
        scale([1], copy=False)
    decision, fallback = said()
    assert decision[0] == "DEBUG"
    assert "'fast' cannot take the call" in decision[1]
    assert decision[1].endswith("; 'fast' does not take 'copy'")
    told = "scale: 'fast' does not take 'copy'. It runs on example_host (cpu) instead."
    assert fallback == ("INFO", told)


def test_a_call_in_a_trace_is_said_once(settings, scale, fast, said, hear):
    with settings.use_backend("fast"), settings.trace():
        hear()
        scale([1])
        scale([1])
    assert [level for level, _ in said()] == ["DEBUG"] * 2


def test_coroutines_are_said_when_they_are_called(dispatcher, said, hear):
    @dispatcher.backend_dispatch
    async def fetch(): ...

    class Mine:
        name = "mine"

        async def fetch(self):
            return 1

    with dispatcher.register(Mine):
        asyncio.run(fetch(backend="mine"))
    assert [text for _, text in said()] == [
        "example_host: fetch runs on mine: selected by the call's own argument"
    ]


def test_listening_may_end_and_begin_again(dispatcher, settings, scale, fast, said, hear):
    with settings.use_backend("fast"):
        hear()
        scale([1])
        hear(logging.INFO)
        for _ in range(3):
            assert scale([1]) == [2.0]
        assert said() == []
        hear(logging.DEBUG)
        dispatcher.refresh()
        scale([1])
    assert len(said()) == 1


def test_when_listening_ends_calls_go_to_a_backend_as_straight_as_before(
    dispatcher, hear, lines_of_ours
):
    invert = dispatcher.backend_dispatch(name="invert")(lambda value: "host")
    mine = SimpleNamespace(name="mine", invert=lambda value: 1 / value)
    with dispatcher.register(mine), dispatcher.settings.use_backend("mine"):
        hear()
        invert(1)
        hear(logging.INFO)
        invert(1)
        invert(1)
        with pytest.raises(ZeroDivisionError) as caught:
            invert(0)
    assert lines_of_ours(caught) == 1


def run(site, code):
    """Run code in a process that has imported nothing by itself, as tools for coverage may."""
    script = f"import sys; sys.path[:0] = {[str(site.folder), *sys.path]!r}\n{code}"
    return subprocess.run(
        [sys.executable, "-S", "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


USE = """
from scverse_backends import BackendDispatcher
dispatcher = BackendDispatcher(
    entrypoint_group="tests.example_host.backends",
    host_name="example_host",
    trusted_backends={"gone": {"package": "gone"}},
)
@dispatcher.backend_dispatch
def scale(values, factor=1.0): return "host"
@dispatcher.backend_dispatch
def shift(values): return "host"
print(scale([1], backend="fast"), shift([1], backend="fast"))
"""


def test_where_nobody_logs_logging_is_not_even_imported(site, fast):
    done = run(site, f"{USE}\nprint('logging' in sys.modules)")
    assert done.stdout.split() == ["[2.0]", "host", "False"]


def test_where_logging_is_not_set_up_nothing_is_written(site, fast):
    site.install("evil", entry_points={"gone": "evil"}, modules={"evil": ""})
    done = run(site, f"import logging\n{USE}")
    assert (done.stdout.split(), done.stderr) == (["[2.0]", "host"], "")
