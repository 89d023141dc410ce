"""A trace has one record for each dispatched call, with all that is known of it."""

import asyncio
import gc
import json
import platform
import re
import time
import weakref
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace

import pytest

import scverse_backends
from scverse_backends.exceptions import BackendFallbackError
from scverse_backends.records import Decision

pytestmark = pytest.mark.usefixtures("backends")


def ran(trace):
    return [(record.function, record.backend) for record in trace.records]


def test_calls_are_recorded_in_the_order_in_which_they_are_made(host):
    with host.settings.trace() as trace:
        host.scale([1])
        host.pipeline([1])
    assert ran(trace) == [("scale", "cpu"), ("pipeline", "cpu"), ("scale", "cpu"), ("scale", "cpu")]


def test_each_record_names_the_call_that_made_it(host):
    with host.settings.trace() as trace:
        host.pipeline([1], then=lambda: host.scale([2]))
    assert [record.parent for record in trace.records] == [None, 0, 0, 2]


CALLS = {
    "on the host": lambda host, ask: ask(host.scale, [1]),
    "with a keyword": lambda host, ask: ask(host.scale, [1], factor=5),
    "by name": lambda host, ask: ask(host.scale, values=[1]),
    "on a backend": lambda host, ask: ask(host.scale, [1], backend="fast"),
    "on a backend, renamed": lambda host, ask: ask(host.scale, values=[1], backend="fast"),
    "with an option of the backend": lambda host, ask: ask(
        host.scale, [1], chunk=3, backend="fast"
    ),
    "after a refusal": lambda host, ask: ask(host.scale, [1], backend=["picky", "fast"]),
    "falling back": lambda host, ask: ask(host.scale, [1], backend=["picky"]),
    "not implemented": lambda host, ask: ask(host.pipeline, [1], backend="picky"),
    "in a block": lambda host, ask: host.settings.use_backend("fast")(
        lambda: ask(host.scale, [1])
    )(),
    "with the selector's default": lambda host, ask: ask(host.scale, [1], backend=None),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_record_says_what_explain_says(host, call):
    host.settings.fallback = "silent"
    decision = call(host, host.settings.explain)
    with host.settings.trace() as trace:
        for _ in range(2):
            call(host, lambda function, *args, **kwargs: function(*args, **kwargs))
    first, *_, again = [record for record in trace.records if record.parent is None]
    for field, expected in decision._asdict().items():
        assert (getattr(first, field), getattr(again, field)) == (expected, expected)


def test_options_of_a_block_are_not_kept_when_its_trace_is_gone(host):
    class Size(float):
        """An option that can be watched."""

    size = Size(3.0)
    gone = weakref.ref(size)
    with (
        host.settings.trace() as trace,
        host.settings.use_backend("fast", options={"scale": {"chunk": size}}) as block,
    ):
        host.scale([1])
        host.scale([1])
    assert [record.options for record in trace.records] == [(("chunk", 3),)] * 2
    del size, trace, block
    gc.collect()
    assert gone() is None


def test_the_duration_is_the_time_spent_in_the_call(host):
    with host.settings.trace() as trace:
        host.scale([1], then=lambda: time.sleep(0.02))
        host.scale([1])
    slow, quick = [record.duration for record in trace.records]
    assert slow >= 0.02 > quick > 0


def test_a_call_that_raises_is_recorded_as_such(host):
    with host.settings.trace() as trace:
        with pytest.raises(ValueError, match="no"):
            host.fails("no")
        with pytest.raises(KeyError):
            host.fails("no", backend="fast")
    assert [(r.outcome, r.error) for r in trace.records] == [
        ("raised", "ValueError: no"),
        ("raised", "KeyError: 'no'"),
    ]


@pytest.mark.parametrize("error", [StopIteration("no more"), GeneratorExit("closed")])
@pytest.mark.parametrize("backend", [None, "given"])
def test_a_plain_call_that_raises_what_ends_a_generator_has_raised(host, error, backend):
    def fail():
        raise error

    host.dispatcher.register(SimpleNamespace(name="given", fail=partial(fail)))
    func = host.dispatcher.backend_dispatch(fail)
    with host.settings.trace() as trace, pytest.raises(type(error)) as caught:
        func(backend=backend)
    assert caught.value is error
    (record,) = trace.records
    assert (record.outcome, record.error) == ("raised", f"{type(error).__name__}: {error}")


async def awaited():
    return 1


def iterated():
    yield 1


@pytest.mark.parametrize(
    ("func", "finish"),
    [(awaited, asyncio.run), (iterated, list)],
    ids=["coroutine function", "generator function"],
)
def test_a_call_that_runs_later_and_raises_stop_iteration_has_raised(host, func, finish):
    def fail():
        raise StopIteration("no more")

    host.dispatcher.register(SimpleNamespace(name="given", **{func.__name__: fail}))
    func = host.dispatcher.backend_dispatch(func)
    with host.settings.trace() as trace, pytest.raises(RuntimeError, match="raised StopIteration"):
        finish(func(backend="given"))
    (record,) = trace.records
    assert (record.outcome, record.error) == ("raised", "StopIteration: no more")


def test_a_coroutine_that_is_closed_halfway_has_not_returned(host):
    @host.dispatcher.backend_dispatch
    async def wait():
        await asyncio.sleep(0)

    with host.settings.trace() as trace:
        coroutine = wait()
        coroutine.send(None)
        coroutine.close()
    (record,) = trace.records
    assert (record.outcome, record.error) == ("raised", "GeneratorExit")


def test_a_call_that_is_looked_at_while_it_runs_is_running(host):
    seen = []
    with host.settings.trace() as trace:
        host.scale([1], then=lambda: seen.append(trace.records[0]))
    assert (seen[0].outcome, trace.records[0].outcome) == ("running", "returned")
    assert 0 < seen[0].duration < trace.records[0].duration


def test_an_argument_that_nobody_takes_is_told_as_without_a_trace(host):
    with host.settings.trace() as trace:
        with pytest.raises(TypeError, match="'chunk' is an option of backend 'fast'"):
            host.scale([1], chunk=3)
        with pytest.raises(TypeError, match="chonk"):
            host.scale([1], chonk=3)
    assert [record.outcome for record in trace.records] == ["raised", "raised"]


def test_what_the_implementation_calls_is_recorded_as_made_by_it(host):
    with host.settings.trace() as trace:
        host.scale([1], then=lambda: host.scale([2]), backend="fast")
    outer, inner = trace.records
    assert (outer.backend, inner.backend, inner.parent) == ("fast", "cpu", 0)
    assert inner.reason == "the backend's own implementation is calling the function it replaces"


def test_the_summary_counts_by_function_and_backend(host):
    host.settings.fallback = "silent"
    with host.settings.trace() as trace:
        for backend in (None, "fast", "fast", "picky"):
            host.scale([1], backend=backend)
        with pytest.raises(ValueError, match="no"):
            host.fails("no")
    counted = [line[:5] for line in trace.summary()]
    assert counted == [
        ("scale", "cpu", 2, 1, 0),
        ("scale", "fast", 2, 0, 0),
        ("fails", "cpu", 1, 0, 1),
    ]
    total = sum(line.duration for line in trace.summary())
    assert total == pytest.approx(sum(record.duration for record in trace.records))


def test_a_trace_prints_its_summary(host):
    host.settings.fallback = "silent"
    with host.settings.trace() as trace:
        host.scale([1], backend="fast")
        host.scale([1], backend="picky")
        host.scale([1])
        with pytest.raises(ValueError, match="no"):
            host.fails("no")
    assert repr(trace) == "<trace of example_host: 4 calls>"
    title, shares, _, summary, heading, *rows = str(trace).splitlines()
    assert (title, summary) == ("Trace of example_host: 4 calls", "  Summary")
    assert re.fullmatch(r"  time  fast .* ms \(\d+%\), cpu .* ms \(\d+%\)", shares)
    assert heading.split() == ["function", "ran", "on", "calls", "time"]
    assert rows[0].split()[:3] == ["scale", "fast", "1"]
    assert rows[1].strip() == "default factor=3 (host: 2)"
    assert rows[2].split()[:3] == ["scale", "cpu", "2"]
    assert rows[3].strip() == "1 as a fallback; skipped picky: declines: scale is beneath me"
    assert rows[4].split()[:3] == ["fails", "cpu", "1"]
    assert rows[5].strip() == "1 raised"


def test_json_holds_every_field_of_every_record(host):
    host.settings.fallback = "silent"
    with host.settings.trace() as trace:
        host.scale([1], backend=["picky", "fast"])
        host.pipeline([1], backend="picky")
    written = json.loads(trace.to_json())
    assert written["host"] == "example_host"
    assert len(written["records"]) == len(trace.records) == 4
    for record, found in zip(trace.records, written["records"], strict=True):
        assert found.keys() == record._asdict().keys()
        assert found["duration"] == record.duration
    first = written["records"][0]
    assert first["refusals"] == [
        {"backend": "picky", "reason": "declines: scale is beneath me", "kind": "cannot-run"}
    ]
    assert first["differing_defaults"] == [{"parameter": "factor", "host": 2, "backend": 3}]
    assert first["renamed"] == [["values", "array"]]


class Rude:
    def __repr__(self):
        raise RuntimeError


DEFAULTS = {
    "a number": (0.5, 0.5),
    "a text": ("<&>", "<&>"),
    "nothing": (None, None),
    "no number": (float("nan"), "nan"),
    "a dictionary that JSON does not have": ({(1, 2): 3}, "{(1, 2): 3}"),
    "a list": ([1, None], "[1, None]"),
    "an object": (Ellipsis, "Ellipsis"),
    "one that cannot be shown": (Rude(), "<Rude, whose repr raises RuntimeError>"),
    "a long text in a list": (["x" * 100], f"['{'x' * 100}']"),
}


@pytest.mark.parametrize(("default", "expected"), DEFAULTS.values(), ids=DEFAULTS)
def test_json_and_provenance_take_defaults_of_every_kind(host, default, expected):
    with (
        host.dispatcher.register(
            SimpleNamespace(name="odd", scale=lambda values, *, factor=default, then=None: values)
        ),
        host.settings.trace() as trace,
    ):
        host.scale([1], backend="odd")

    def refuse(constant):
        raise AssertionError(constant)

    (record,) = json.loads(trace.to_json(indent=None), parse_constant=refuse)["records"]
    differing = {"parameter": "factor", "host": 2, "backend": expected}
    assert record["differing_defaults"] == [differing]
    (told,) = trace.provenance()["backends"]["odd"]["differing_defaults"]["scale"]
    assert told.startswith("factor: ")
    assert told.endswith(" (host: 2)")
    assert len(told) < 90


def test_provenance_is_short_and_plain(host):
    host.settings.fallback = "silent"
    with host.settings.trace() as trace:
        for _ in range(3):
            host.scale([1], backend="fast")
            host.scale([1], backend="picky")
    found = trace.provenance()
    date = datetime.fromisoformat(found.pop("date"))
    assert abs((datetime.now(UTC) - date).total_seconds()) < 600
    found.pop("host_version", None)  # there is one where a package of the host's name is installed
    assert found == {
        "host": "example_host",
        "scverse_backends": scverse_backends.__version__,
        "python": platform.python_version(),
        "backends": {
            "fast": {
                "functions": ["scale"],
                "reasons": ["selected by the call's own argument"],
                "differing_defaults": {"scale": ["factor: 3 (host: 2)"]},
            },
            "cpu": {
                "functions": ["scale"],
                "reasons": ["'picky' cannot take the call; selected by the call's own argument"],
            },
        },
        "fallbacks": {"scale": ["picky declines: scale is beneath me"]},
    }


def test_provenance_leaves_out_a_call_that_was_stopped_before_anything_ran(host):
    block = host.settings.use_backend("picky", fallback="error")
    with host.settings.trace() as trace, block, pytest.raises(BackendFallbackError):
        host.scale([1])
    assert trace.records[0].outcome == "raised"
    assert trace.records[0].is_stopped
    assert trace.provenance()["backends"] == {}


def test_provenance_keeps_a_call_that_ran_and_raised_because_one_within_it_was_stopped(host):
    stopped = host.settings.use_backend("picky", fallback="error")(host.scale)
    with host.settings.trace() as trace, pytest.raises(BackendFallbackError):
        host.pipeline([1], then=lambda: stopped([1]))
    assert trace.records[0].error == trace.records[-1].error
    assert [record.is_stopped for record in trace.records] == [False, False, False, True]
    assert trace.provenance()["backends"]["cpu"]["functions"] == ["pipeline", "scale"]


def test_provenance_names_distributions_versions_and_what_was_ignored(site, make_dispatcher):
    site.backend(
        "gpu",
        "name = 'gpu'\ndef double(values): return values * 2",
        reference="gpu_tools",
        distribution="gpu-tools",
        version="2.1",
    )
    dispatcher = make_dispatcher(ignorable=["n_jobs"], untrusted="allow")
    double = dispatcher.backend_dispatch(name="double")(lambda values, n_jobs=1: values * 2)
    with dispatcher.settings.trace() as trace:
        double([1], n_jobs=4, backend="gpu")
    assert trace.provenance()["backends"] == {
        "gpu": {
            "functions": ["double"],
            "reasons": ["selected by the call's own argument"],
            "distribution": "gpu-tools",
            "version": "2.1",
            "ignored": {"double": ["n_jobs"]},
        }
    }


def test_as_many_shapes_of_call_as_there_are_are_told_apart(host):
    many = host.dispatcher.backend_dispatch(name="many")(lambda **options: len(options))
    with host.settings.trace() as trace:
        for number in range(50):
            many(**{f"option_{number}": 1})
    assert [r.forwarded for r in trace.records] == [(f"option_{n}",) for n in range(50)]


def test_what_calls_of_a_shape_share_does_not_pile_up(host):
    many = host.dispatcher.backend_dispatch(name="many")(lambda **options: len(options))
    for number in range(1600):
        with host.settings.trace():
            many(**{f"option_{number}": 1})
    gc.collect()
    assert sum(type(found) is Decision for found in gc.get_objects()) < 1500


def test_calls_beyond_the_limit_of_a_trace_are_counted_only(host):
    host.settings.fallback = "silent"
    with host.settings.trace(most=2) as trace:
        for _ in range(3):
            host.scale([1])
        host.scale([1], backend="picky")
    assert len(trace) == len(trace.records) == 2
    assert (trace.unrecorded, trace.unrecorded_fallbacks) == (2, 1)
    assert str(trace).startswith(
        "Trace of example_host: 2 calls, and 2 not recorded (1 fell back)\n"
    )
    assert json.loads(trace.to_json())["unrecorded"] == 2
    assert trace.provenance()["unrecorded"] == 2
