"""A snapshot is a value that holds what is selected here and now; settings and blocks travel too."""

import copy
import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from types import SimpleNamespace

import pytest

from scverse_backends.exceptions import BackendSnapshotError
from scverse_backends.records import Snapshot


def taken(host, *labels, **options):
    with host.settings.use_backend(*labels, **options):
        return host.settings.snapshot()


def test_a_snapshot_applies_what_held_where_it_was_taken(host):
    snapshot = taken(host, "quick-fast", "other", fallback="error")
    with snapshot:
        assert host.where() == "fast 1.0"
        assert host.settings.explain(host.where).reason == "selected by a snapshot"
        assert (host.settings.backends, host.settings.fallback) == (("fast", "other"), "error")
    assert (host.where(), host.settings.fallback) == ("cpu", "warn")
    with pytest.raises(LookupError), snapshot:
        raise LookupError
    assert host.where() == "cpu"
    with pytest.raises(AttributeError):
        snapshot.fallback = "silent"


def test_a_snapshot_holds_the_process_wide_default_and_does_not_follow_it(host):
    host.settings.backend = "fast"
    host.settings.fallback = "silent"
    snapshot = host.settings.snapshot()
    host.settings.backend = "other"
    host.settings.fallback = "warn"
    with snapshot:
        assert (host.where(), host.settings.fallback) == ("fast 1.0", "silent")
    assert host.where() == "other 1.0"


def test_a_snapshot_holds_that_nothing_is_selected(host):
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


def test_a_snapshot_can_be_entered_again_nested_and_in_many_threads(host):
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


def test_snapshots_are_equal_when_they_hold_the_same(host):
    one, same = taken(host, "fast"), taken(host, "quick-fast")
    assert one == same == pickle.loads(pickle.dumps(one)) == copy.deepcopy(one)
    assert len({one, same, pickle.loads(pickle.dumps(one))}) == 1


def test_a_snapshot_inside_a_dataclass_is_taken_apart_with_it(host):
    @dataclass
    class Run:
        snapshot: object

    fallback = asdict(Run(taken(host, "fast", fallback="error")))["snapshot"]["fallback"]
    assert fallback == "error"


@pytest.mark.parametrize(
    ("labels", "options"),
    [(["other"], {}), (["fast", "other"], {}), (["cpu"], {}), (["fast"], {"fallback": "error"})],
)
def test_snapshots_differ_when_they_hold_something_else(host, labels, options):
    assert taken(host, "fast") != taken(host, *labels, **options)


def test_snapshots_of_two_versions_differ(host):
    one = taken(host, "fast")
    text = one.to_json()
    assert text.count('"1.0"') == 1
    assert Snapshot.from_json(text.replace('"1.0"', '"2.0"')) != one == Snapshot.from_json(text)


def test_a_snapshot_tells_what_it_holds(host):
    snapshot = taken(host, "fast", "cpu", fallback="silent")
    name = host.settings.snapshot().host
    assert repr(snapshot) == (
        f"<Snapshot of {name}: 'fast' (fast-backend 1.0), 'cpu'; fallback='silent'>"
    )
    assert (snapshot.backends, snapshot.fallback) == (("fast", "cpu"), "silent")


def test_a_registered_adapter_is_held_in_this_process(host):
    with host.dispatcher.register(SimpleNamespace(name="mine", where=lambda: "mine")):
        snapshot = taken(host, "mine")
        for same in (snapshot, pickle.loads(pickle.dumps(snapshot))):
            with same:
                assert host.where() == "mine"
    with pytest.raises(BackendSnapshotError, match=r"'mine'.*it was registered"):
        pickle.loads(pickle.dumps(snapshot)).prepare()


class TestAppliedForGood:
    def test_a_snapshot_holds_in_every_thread_until_something_else_is_selected(self, host):
        taken(host, "fast", fallback="error").apply()
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(host.where).result() == host.where() == "fast 1.0"
        assert (host.settings.backends, host.settings.fallback) == (("fast",), "error")
        assert host.settings.explain(host.where).reason == "selected by a snapshot"
        host.settings.backend, host.settings.fallback = "other", "silent"
        assert (host.where(), host.settings.fallback) == ("other 1.0", "silent")

    def test_a_snapshot_ends_open_blocks_and_outlives_them(self, host):
        snapshot = taken(host, "fast")
        with host.settings.use_backend("other"), host.settings.use_backend("cpu"):
            snapshot.apply()
            assert host.where() == "fast 1.0"
            assert host.where(backend="other") == "other 1.0"
        assert host.where() == "fast 1.0"


class TestAsText:
    @pytest.mark.parametrize("labels", [("fast", "cpu"), ("cpu",)])
    def test_a_snapshot_goes_through_json(self, host, labels):
        snapshot = taken(host, *labels, fallback="silent")
        same = Snapshot.from_json(snapshot.to_json())
        assert same == snapshot
        with same:
            assert (host.settings.backends, host.settings.fallback) == (labels, "silent")

    @pytest.mark.parametrize(
        "text",
        [
            "no JSON",
            "[]",
            "{}",
            '{"host": ["h"], "backends": [], "fallback": "warn"}',
            '{"host": ["h", "g", "m", 1, 0], "backends": [["fast", ["fast"]]], "fallback": "warn"}',
            '{"host": ["h", "g", "m", 1, 0], "backends": [["cpu", null]], "fallback": "never"}',
        ],
    )
    def test_other_text_is_refused(self, text):
        with pytest.raises(ValueError, match=r"not the text of a snapshot .*Give what to_json\(\)"):
            Snapshot.from_json(text)


def test_equal_snapshots_have_one_token_in_dask(host):
    tokenize = pytest.importorskip("dask.base").tokenize
    one, same = taken(host, "fast"), taken(host, "quick-fast")
    with one:
        assert tokenize(one) == tokenize(same) == tokenize(pickle.loads(pickle.dumps(same)))
    assert tokenize(one) != tokenize(taken(host, "other"))


def test_a_dispatcher_that_nothing_uses_leaves_memory(make_dispatcher):
    def use():
        dispatcher = make_dispatcher()
        function = dispatcher.backend_dispatch(name="f")(lambda: "cpu")
        with dispatcher.settings.use_backend(fallback="silent"), dispatcher.settings.snapshot():
            function()
        return weakref.ref(dispatcher), weakref.ref(dispatcher.settings), weakref.ref(function)

    references = [reference for _ in range(20) for reference in use()]
    gc.collect()
    assert not [reference for reference in references if reference() is not None]


def test_settings_from_another_process_are_those_of_the_same_host_here(world):
    sent = world.elsewhere("host.settings", "host.settings.backend = 'fast'")
    host = world.load()
    assert sent.backend == host.settings.backend == "cpu"
    with sent.use_backend("fast"):
        assert (host.where(), host.settings.backend) == ("fast 1.0", "fast")


def test_a_block_from_another_process_selects_here(world):
    blocks = [("fast",), ("fast", "other"), ()]
    made = ", ".join(f"host.settings.use_backend(*{labels}, fallback='error')" for labels in blocks)
    sent = world.elsewhere(f"[{made}]")
    host = world.load()
    for labels, block in zip(blocks, sent, strict=True):
        with block:
            assert host.where() == ("fast 1.0" if labels else "cpu")
            assert host.settings.fallback == "error"
        assert (host.where(), host.settings.fallback) == ("cpu", "warn")


@pytest.mark.parametrize("expression", ["host.settings", "host.settings.use_backend('cpu')"])
def test_without_the_host_here_the_error_says_where_and_what_to_do(world, expression):
    gone = "import os; os.remove(host.__file__)"
    with pytest.raises(BackendSnapshotError, match=r"cannot be found on .* importable") as caught:
        world.elsewhere(expression, gone)
    assert (caught.value.host, caught.value.label) == (world.name, "")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["cpu"], True),
        (["fast"], False),
        (["fast", "cpu"], False),
        (["nobody?", "cpu"], False),
        ([{"where": "fast"}], False),
    ],
)
@pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.BackendSelectionWarning")
def test_a_snapshot_tells_whether_the_host_runs_everything_wherever_it_is_applied(
    host, labels, expected
):
    assert taken(host, *labels).is_host is expected
