"""A label that ends in ``?`` is optional: its backend is left out where it cannot be had."""

import logging
import pickle
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from scverse_backends.exceptions import (
    AmbiguousBackendError,
    BackendFallbackError,
    BackendFallbackWarning,
    BackendLoadError,
    BackendNotInstalledError,
    BackendSelectionWarning,
    ReservedBackendError,
    UnknownBackendError,
    UntrustedBackendError,
)

ABSENT = {"absent": {"package": "absent-backend"}}
NOT_INSTALLED = "is not installed (pip install absent-backend)"
BROKEN = "raise RuntimeError('no driver')"

pytestmark = pytest.mark.usefixtures("backends")


@pytest.fixture
def host(make_host, site):
    site.backend("broken", BROKEN)
    return make_host(trusted_backends=ABSENT, reserved_backends={"gpu": "Name one."})


def by_call(host, *labels):
    return host.where(backend=list(labels))


def by_block(host, *labels):
    with host.settings.use_backend(*labels):
        return host.where()


def by_process(host, *labels):
    host.settings.backend = labels
    return host.where()


def by_pickled_block(host, *labels):
    block = host.settings.use_backend(*labels)
    with pickle.loads(pickle.dumps(block)):
        return host.where()


def carried_by(carry):
    def way(host, *labels):
        with host.settings.use_backend(*labels):
            snapshot = host.settings.snapshot()
        with carry(snapshot):
            return host.where()

    return way


WAYS = {
    "call": by_call,
    "block": by_block,
    "process": by_process,
    "pickled block": by_pickled_block,
    "pickled snapshot": carried_by(lambda one: pickle.loads(pickle.dumps(one))),
    "text": carried_by(lambda one: type(one).from_json(one.to_json())),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(
    ("labels", "runs_on"),
    [
        (["absent?", "mine"], "mine"),
        (["broken?", "mine"], "mine"),
        (["absent?", "broken?", "cuda?"], "mine"),
        (["absent?", "cpu"], "cpu"),
        (["mine?", "other"], "mine"),
        (["mine?"], "mine"),
        (["cpu?"], "cpu"),
        (["mine?", "cuda"], "mine"),
    ],
)
def test_the_first_that_can_be_had_runs_the_call(host, way, labels, runs_on):
    assert way(host, *labels) == runs_on


class TestWhereNothingRemains:
    def test_the_error_is_that_of_the_first(self, host):
        with pytest.raises(BackendNotInstalledError, match="pip install absent-backend"):
            by_call(host, "absent?", "broken?")
        with pytest.raises(BackendLoadError, match="no driver"):
            by_call(host, "broken?", "absent?")

    def test_calling_use_backend_is_no_error_and_entering_is(self, host, site):
        block = host.settings.use_backend("absent?")
        with pytest.raises(BackendNotInstalledError):
            block.__enter__()
        block = host.settings.use_backend("mine?", "cpu")
        assert "mine_backend" not in site.imported()
        with block:
            assert "mine_backend" in site.imported()


@pytest.mark.parametrize(
    ("label", "error"),
    [
        ("gpu?", ReservedBackendError),
        ("?", UnknownBackendError),
        ("a b?", UnknownBackendError),
        ("mine??", UnknownBackendError),
        ("absent", BackendNotInstalledError),
    ],
)
def test_the_mark_makes_no_label_valid_and_holds_for_no_other(host, label, error):
    with pytest.raises(error):
        host.settings.use_backend(label, "cpu")
    with pytest.raises(error):
        host.settings.use_backend("mine?", label)


def test_the_mark_does_not_choose_between_two_packages(host, site):
    for package in ("one", "two"):
        site.backend("both", distribution=f"{package}-backend", reference=f"{package}_backend")
    with pytest.raises(AmbiguousBackendError):
        host.settings.use_backend("both?", "cpu")


def test_what_is_refused_or_blocked_is_left_out(make_host, monkeypatch):
    monkeypatch.setenv("SCVERSE_BACKENDS_BLOCK", "other")
    host = make_host()
    assert by_block(host, "other?", "mine") == "mine"
    refusing = make_host(untrusted="refuse")
    with refusing.settings.use_backend("mine?", "cpu"):
        (left_out,) = refusing.settings.explain(refusing.where).refusals
    assert left_out.reason == "is refused: example_host runs trusted backends only"
    with pytest.raises(UntrustedBackendError):
        by_block(refusing, "mine?")


class TestABackendThatFailedOnce:
    """Its device was busy, say."""

    @pytest.fixture
    def free(self, site, monkeypatch):
        """Install it, busy until this is called."""
        source = "import os\nif 'BUSY' in os.environ: raise OSError('busy')\nname = 'flaky'\n"
        site.backend("flaky", source + "def where(): return 'flaky'")
        monkeypatch.setenv("BUSY", "1")
        return lambda: monkeypatch.delenv("BUSY")

    @pytest.mark.parametrize("way", [by_call, by_block])
    def test_is_tried_again_when_it_is_named_again(self, make_host, free, way):
        host = make_host()
        assert way(host, "flaky?", "cpu") == "cpu"
        free()
        assert way(host, "flaky?", "cpu") == "flaky"

    @pytest.mark.parametrize("labels", [("flaky?", "cpu"), ({"where": ["flaky?", "cpu"]},)])
    def test_is_tried_again_when_the_same_block_is_entered(self, make_host, free, labels):
        host = make_host()
        block = host.settings.use_backend(*labels)
        with block:
            assert host.where() == "cpu"
            free()
            assert host.where() == "cpu"
        with block:
            assert host.where() == "flaky"


class TestANameThatNobodyKnows:
    def test_is_left_out_and_told_once_with_the_nearest(self, host):
        with pytest.warns(BackendSelectionWarning, match="Did you mean 'mine'") as caught:
            for _ in range(3):
                assert by_call(host, "mines?", "cpu") == "cpu"
                assert by_block(host, "mines?", "other") == "other"
        (told,) = caught
        assert (told.filename, told.message.host) == (__file__, "example_host")
        assert "It is left out." in told.message.problem

    def test_is_an_error_where_nothing_remains(self, host):
        with (
            pytest.warns(BackendSelectionWarning),
            pytest.raises(UnknownBackendError, match="Did you mean 'mine'"),
        ):
            by_block(host, "mines?")


class TestIsTold:
    def test_by_the_decision(self, host):
        with host.settings.use_backend("absent?", "broken?", "mine"):
            decision = host.settings.explain(host.where)
        assert (decision.backend, decision.reason) == ("mine", "selected by use_backend")
        assert [(no.backend, no.reason) for no in decision.refusals] == [
            ("absent", NOT_INSTALLED),
            ("broken", "could not be loaded: RuntimeError: no driver"),
        ]
        assert f"left out  absent: {NOT_INSTALLED}" in str(decision)

    def test_by_the_settings(self, host):
        with host.settings.use_backend("absent?", "mine"):
            assert f"left out      absent: {NOT_INSTALLED}" in str(host.settings)
        assert "left out" not in str(host.settings)

    def test_by_the_log(self, host, caplog):
        with caplog.at_level(logging.INFO, "scverse_backends"):
            by_block(host, "absent?", "cpu")
        expected = f"example_host leaves out optional backend 'absent': it {NOT_INSTALLED}"
        assert expected in caplog.messages

    def test_by_a_fallback_that_follows(self, host):
        labels = ["absent?", "mine"]
        with pytest.warns(BackendFallbackWarning, match=r"'absent' is not installed .*'mine' does"):
            host.only_here(lambda: None, backend=labels)
        with (
            host.settings.use_backend(*labels, fallback="error"),
            pytest.raises(BackendFallbackError) as caught,
        ):
            host.only_here(lambda: None)
        assert [no.backend for no in caught.value.refusals] == ["absent", "mine"]


def test_an_error_of_the_host_says_the_same_traced_or_not(host):
    def fail():
        msg = "no"
        raise ValueError(msg)

    with host.settings.use_backend("absent?", "cpu"):
        for tracing in (host.settings.trace(), host.settings.trace(), nullcontext()):
            with tracing, pytest.raises(ValueError, match="no") as caught:
                host.only_here(fail)
            assert not hasattr(caught.value, "__notes__")


class TestWhatWasLeftOut:
    def test_is_looked_for_again_after_refresh(self, host, install):
        block = host.settings.use_backend("absent?", "other")
        with block:
            assert host.where() == "other"
        install("absent")
        host.settings.refresh()
        with block:
            assert host.where() == "absent"
        assert by_call(host, "absent?", "other") == "absent"


def test_a_process_has_what_another_lacks_and_the_reverse(world):
    """A snapshot carries what was asked for, not only what was there."""
    world.uninstall("fast")
    labels = "'fast?', 'other?', 'cpu'"
    taken = f"host.settings.use_backend({labels}).__enter__() or host.settings.snapshot()"
    snapshot = world.elsewhere(taken)
    assert snapshot.backends == ("other", "cpu")
    assert "'fast?', 'other?' (other-backend 1.0), 'cpu'" in repr(snapshot)
    world.install("fast")
    world.uninstall("other")
    world.write_host()
    host = world.load()
    with snapshot:
        assert host.where() == "fast 1.0"
        assert [no.backend for no in host.settings.explain(host.where).refusals] == ["other"]


def test_another_release_elsewhere_is_left_out(world):
    labels = "'fast?', 'cpu'"
    taken = f"host.settings.use_backend({labels}).__enter__() or host.settings.snapshot()"
    snapshot = world.elsewhere(taken)
    world.install("fast", version="2.0")
    host = world.load()
    with snapshot:
        assert host.where() == "cpu"
        (left_out,) = host.settings.explain(host.where).refusals
    assert "cannot be selected here: the snapshot was taken of fast-backend 1.0" in left_out.reason


class TestOneThatIsGoneWhileItIsSelected:
    @pytest.fixture
    def remove(self, host):
        adapter = SimpleNamespace(name="here", where=lambda: "here")
        return host.dispatcher.register(adapter).remove

    @pytest.mark.parametrize(
        ("selected", "runs_on"),
        [
            (["here?", "mine"], "mine"),
            (["here?", "cpu"], "cpu"),
            ({"where": ["here?", "mine"]}, "mine"),
            (["absent?", "here?", "mine"], "mine"),
        ],
    )
    def test_is_left_out_and_decision_and_trace_say_so(self, host, remove, selected, runs_on):
        host.settings.backend = selected
        assert host.where() == "here"
        remove()
        assert [host.where(), host.where()] == [runs_on] * 2
        with host.settings.trace() as trace:
            assert host.where() == runs_on
        decision, record = host.settings.explain(host.where), trace.records[0]
        assert decision.refusals == record.refusals
        assert decision.refusals[-1] == ("here", "is unknown")
        assert decision.refusals[-1].kind == "left-out"
        assert (decision.backend, decision.is_fallback) == (runs_on, False)

    def test_is_an_error_where_nothing_remains(self, host, remove):
        with host.settings.use_backend("here?"):
            remove()
            with pytest.raises(UnknownBackendError, match="'here'"):
                host.where()
