"""A sink is told of every call of the process: what was decided, and how it ended."""

import asyncio
from threading import Thread

import pytest

from scverse_backends.exceptions import BackendWarning

pytestmark = pytest.mark.usefixtures("backends")


@pytest.fixture
def heard(host):
    """What a sink is told while it observes."""
    said = []

    def sink(decision):
        said.append(("decided", decision.function, decision.backend))
        return lambda record: said.append((record.outcome, record.function, record.backend))

    with host.settings.observe(sink):
        yield said
    said.clear()
    host.scale([1])
    assert said == []


def test_a_sink_is_told_before_a_call_and_after_it(host, heard):
    host.scale([1], then=lambda: heard.append("runs"))
    assert heard == [("decided", "scale", "cpu"), "runs", ("returned", "scale", "cpu")]


def test_calls_inside_others_are_told_between(host, heard):
    host.pipeline([1])
    assert [(what, name) for what, name, _ in heard] == [
        ("decided", "pipeline"),
        ("decided", "scale"),
        ("returned", "scale"),
        ("decided", "scale"),
        ("returned", "scale"),
        ("returned", "pipeline"),
    ]


CALLS = {
    "in another thread": lambda host: run_thread(lambda: host.scale([1], backend="fast")),
    "in a block": lambda host: host.settings.use_backend("fast")(lambda: host.scale([1]))(),
    "in a block of the host": lambda host: host.settings.use_backend("cpu")(
        lambda: host.scale([1], backend="fast")
    )(),
    "that was ready": lambda host: [
        host.scale([1], backend="fast"),
        host.scale([1], backend="fast"),
    ],
}


def run_thread(work):
    thread = Thread(target=work)
    thread.start()
    thread.join()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_of_a_backend_is_told_wherever_it_is_made(host, heard, call):
    call(host)
    assert heard[-2:] == [("decided", "scale", "fast"), ("returned", "scale", "fast")]


def test_a_call_that_raises_is_told_with_its_error(host):
    ended = []
    with (
        host.settings.observe(lambda decision: ended.append),
        pytest.raises(ValueError, match="no"),
    ):
        host.fails("no")
    (record,) = ended
    assert (record.outcome, record.error, record.parent) == ("raised", "ValueError: no", None)
    assert record.site.file == __file__
    assert record.start >= 0


@pytest.mark.parametrize("backend", ["cpu", "fast"])
def test_a_coroutine_has_ended_when_it_was_awaited(host, heard, backend):
    async def main():
        waiting = host.fetch([1], backend=backend)
        heard.append("waiting")
        await waiting

    asyncio.run(main())
    assert heard[:2] == [("decided", "fetch", backend), "waiting"]
    assert heard[-1] == ("returned", "fetch", backend)


def test_a_generator_has_ended_when_it_is_exhausted(host, heard):
    steps = host.rows(1)
    next(steps)
    assert ("returned", "rows", "cpu") not in heard
    assert [*steps] == []
    assert heard[-1] == ("returned", "rows", "cpu")


def test_several_sinks_and_a_trace_are_all_told(host, heard):
    decisions = []
    with host.settings.observe(decisions.append), host.settings.trace() as trace:
        host.scale([1])
    assert (len(decisions), len(trace), len(heard)) == (1, 1, 2)
    host.scale([1])
    assert (len(decisions), len(trace), len(heard)) == (1, 1, 4)


def test_a_sink_that_fails_is_a_warning_at_the_caller_and_the_call_goes_on(host):
    def sink(decision):
        return 1 / 0

    with host.settings.observe(sink), pytest.warns(BackendWarning, match="ZeroDivision") as caught:
        assert host.scale([1]) == [2]
    assert caught[0].filename == __file__


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("failure", [LookupError, KeyboardInterrupt])
@pytest.mark.parametrize("name", ["scale", "fetch"])
def test_a_sink_that_ends_a_call_leaves_nothing_of_it_in_force(host, failure, name):
    def finish(record):
        raise failure

    async def call_and_look():
        with host.settings.trace() as trace:
            with (
                host.settings.observe(lambda decision: finish),
                pytest.raises((BackendWarning, KeyboardInterrupt)),
            ):
                await getattr(host, name)([1], backend="fast")
            host.scale([2])
        return [(record.backend, record.parent) for record in trace.records]

    assert asyncio.run(call_and_look()) == [("fast", None), ("cpu", None)]


async def awaited(decision):
    raise NotImplementedError


@pytest.mark.filterwarnings("ignore:coroutine 'awaited' was never awaited")
@pytest.mark.parametrize("sink", [lambda decision: "text", awaited, 5], ids=["text", "async", "5"])
def test_a_sink_or_what_it_gives_that_cannot_be_called_is_a_warning_and_the_call_goes_on(
    host, sink
):
    with host.settings.observe(sink), pytest.warns(BackendWarning, match="not callable"):
        assert host.scale([2]) == [4]


def test_a_sink_that_calls_the_host_is_not_told_of_that(host):
    told = []

    def sink(decision):
        told.append(decision.function)
        host.scale([1])

    with host.settings.observe(sink):
        assert host.pipeline([1]) == [4]
    assert told == ["pipeline", "scale", "scale"]


def test_an_observation_says_whether_it_is_on(host):
    observed = host.settings.observe(print)
    assert repr(observed) == "<<built-in function print> observes calls>"
    observed.remove()
    observed.remove()
    assert repr(observed) == "<<built-in function print> observed calls>"


def test_a_trace_of_every_thread_collects_what_threads_call(host):
    with host.settings.trace(every_thread=True) as trace:
        host.scale([1])
        run_thread(lambda: host.pipeline([1]))
        with pytest.raises(RuntimeError, match="on here already"):
            trace.__enter__()
    run_thread(lambda: host.scale([1]))
    ran = [(record.function, record.parent) for record in trace.records]
    assert ran == [("scale", None), ("pipeline", None), ("scale", 1), ("scale", 1)]
