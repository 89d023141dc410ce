"""A snapshot is a value that holds what is selected here and now."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from scverse_backends.exceptions import BackendSnapshotError


def taken(host, *labels, **options):
    with host.settings.use_backend(*labels, **options):
        return host.settings.snapshot()


def test_it_applies_what_held_where_it_was_taken(host):
    snapshot = taken(host, "quick-fast", "other", fallback="error")

    with snapshot:
        assert host.where() == "fast 1.0"
        assert host.settings.backends == ("fast", "other")
        assert host.settings.fallback == "error"
    assert host.where() == "cpu"
    assert host.settings.fallback == "warn"


def test_it_holds_the_process_wide_default_and_does_not_follow_it(host):
    host.settings.backend = "fast"
    host.settings.fallback = "silent"
    snapshot = host.settings.snapshot()
    host.settings.backend = "other"
    host.settings.fallback = "warn"

    with snapshot:
        assert (host.where(), host.settings.fallback) == ("fast 1.0", "silent")
    assert host.where() == "other 1.0"


def test_it_holds_what_the_environment_selects(world, monkeypatch):
    monkeypatch.setenv(f"{world.name.upper()}_BACKEND", "other")
    monkeypatch.setenv(f"{world.name.upper()}_BACKEND_FALLBACK", "error")
    snapshot = world.load().settings.snapshot()
    assert (snapshot.backends, snapshot.fallback) == (("other",), "error")


def test_it_holds_that_nothing_is_selected(host):
    snapshot = host.settings.snapshot()
    host.settings.backend = "fast"

    with snapshot:
        assert host.where() == "cpu"
    assert host.where() == "fast 1.0"
    assert snapshot.backends == ("cpu",)


def test_the_innermost_choice_still_stands_before_it(host):
    with taken(host, "fast"):
        with host.settings.use_backend("other"):
            assert host.where() == "other 1.0"
        assert host.where(backend="cpu") == "cpu"
        host.settings.backend = "other"
        assert host.where() == "other 1.0"
    assert host.where() == "cpu"


def test_it_can_be_entered_again_nested_and_in_many_threads(host):
    fast, other = taken(host, "fast"), taken(host, "other")
    with fast, other, fast:
        assert host.where() == "fast 1.0"

    def work(snapshot):
        with snapshot:
            return host.where(), {host.where() for _ in range(50)}

    with ThreadPoolExecutor(4) as pool:
        ran = [*pool.map(work, [fast, other] * 8)]
    assert ran == [("fast 1.0", {"fast 1.0"}), ("other 1.0", {"other 1.0"})] * 8
    assert host.where() == "cpu"


def test_it_ends_when_the_block_raises(host):
    with pytest.raises(LookupError), taken(host, "fast"):
        raise LookupError
    assert host.where() == "cpu"


def test_snapshots_are_equal_when_they_hold_the_same(host):
    one, same = taken(host, "fast"), taken(host, "quick-fast")
    assert one == same == pickle.loads(pickle.dumps(one)) == copy.deepcopy(one)
    assert len({one, same, pickle.loads(pickle.dumps(one))}) == 1


@pytest.mark.parametrize(
    ("labels", "options"),
    [(["other"], {}), (["fast", "other"], {}), (["cpu"], {}), (["fast"], {"fallback": "error"})],
)
def test_snapshots_differ_when_they_hold_something_else(host, labels, options):
    assert taken(host, "fast") != taken(host, *labels, **options)


def test_snapshots_of_two_versions_differ(world):
    first = world.elsewhere("host.settings.snapshot()", "host.settings.backend = 'fast'")
    world.install("fast", "2.0")
    assert world.elsewhere("host.settings.snapshot()", "host.settings.backend = 'fast'") != first


def test_it_cannot_be_changed(host):
    with pytest.raises(AttributeError):
        host.settings.snapshot().fallback = "silent"


def test_it_tells_what_it_holds(host):
    snapshot = taken(host, "fast", "cpu", fallback="silent")
    name = host.settings.snapshot().host
    assert repr(snapshot) == (
        f"<Snapshot of {name}: 'fast' (fast-backend 1.0), 'cpu'; fallback='silent'>"
    )
    assert (snapshot.backends, snapshot.fallback) == (("fast", "cpu"), "silent")


def test_a_call_inside_it_is_explained_by_it(host):
    with taken(host, "fast"):
        decision = host.settings.explain(host.where)
    assert (decision.backend, decision.reason) == ("fast", "selected by a snapshot")


def test_a_registered_adapter_is_held_in_this_process(host):
    class Adapter:
        name = "mine"

        def where(self):
            return "mine"

    with host.dispatcher.register(Adapter):
        snapshot = taken(host, "mine")
        for same in (snapshot, pickle.loads(pickle.dumps(snapshot))):
            with same:
                assert host.where() == "mine"
    with pytest.raises(BackendSnapshotError, match=r"'mine'.*it was registered"):
        pickle.loads(pickle.dumps(snapshot)).prepare()


def test_an_installed_backend_is_not_taken_for_a_registered_one_of_the_same_name(host):
    snapshot = pickle.loads(pickle.dumps(taken(host, "fast")))

    class Adapter:
        name = "fast"

        def where(self):
            return "registered"

    with host.dispatcher.register(Adapter):
        registered = pickle.loads(pickle.dumps(taken(host, "fast")))
        assert registered != snapshot
        with snapshot:
            assert host.where() == "fast 1.0"
        with registered:
            assert host.where() == "registered"


def test_calls_inside_it_are_traced(host):
    with host.settings.trace() as trace, taken(host, "fast"):
        host.where()
    with taken(host, "fast"), host.settings.trace() as inner:
        host.where()
    assert [record.backend for record in (*trace.records, *inner.records)] == ["fast", "fast"]
