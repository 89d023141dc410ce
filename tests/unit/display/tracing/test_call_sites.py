"""A record names the line that made its call: the one that a warning would point at."""

import asyncio
import sys
from types import SimpleNamespace

import pytest

from scverse_backends.exceptions import BackendFallbackWarning

pytestmark = pytest.mark.usefixtures("backends")


def here():
    """The line that calls this, as a record names it."""
    frame = sys._getframe(1)  # noqa: SLF001 - what gives the expected line
    return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_qualname


WAYS = {
    "a call": lambda host: host.scale([1]) and here(),
    "a call that names its backend": lambda host: host.scale([1], backend="fast") and here(),
    "a coroutine": lambda host: asyncio.run(host.fetch([1])) and here(),
    "a generator": lambda host: next(host.rows(1)) and here(),
    "a call in a decorated function": lambda host: host.settings.use_backend("fast")(
        lambda: host.scale([1]) and here()
    )(),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_line_of_a_call_is_recorded(host, way):
    with host.settings.trace() as trace:
        expected = way(host)
    assert trace.records[0].site == expected
    assert str(trace.records[0].site) == f"{expected[0]}:{expected[1]}"


def test_the_line_is_the_one_that_a_warning_points_at(host):
    with host.settings.trace() as trace, pytest.warns(BackendFallbackWarning) as caught:
        host.scale(
            [1],
            backend="picky",
        )
    assert trace.records[0].site[:2] == (caught[0].filename, caught[0].lineno)


def test_a_call_that_the_host_makes_names_the_host_s_line(host):
    with host.settings.trace() as trace:
        host.pipeline([1])
    outer, *inner = trace.records
    assert outer.site.function.startswith("test_a_call_that_the_host_makes")
    assert {record.site.function for record in inner} == {"host.<locals>.pipeline"}


def test_a_host_s_own_decorator_is_passed_over(decorated_host):
    with decorated_host.dispatcher.settings.trace() as trace:
        decorated_host.scale([1])
        expected = here()
    assert trace.records[0].site == (expected[0], expected[1] - 1, expected[2])


def test_constructing_a_class_is_a_call_of_its_line(dispatcher):
    @dispatcher.backend_class
    class Model:
        pass

    fast = SimpleNamespace(name="own", Model=type("Model", (), {}))
    settings = dispatcher.settings
    with dispatcher.register(fast), settings.trace() as trace, settings.use_backend("own"):
        Model()
        file, line, _ = here()
    assert trace.records[0].site[:2] == (file, line - 1)


def test_a_line_that_python_does_not_know_is_its_function_s_first(host):
    code = compile("\n\ndef call(scale):\n    scale([1])\n", "made.py", "exec")
    function = next(one for one in code.co_consts if hasattr(one, "co_code"))
    bare = code.replace(co_consts=(function.replace(co_linetable=b""), *code.co_consts[1:]))
    namespace = {}
    exec(bare, namespace)  # noqa: S102 - a function without lines, as tools make them
    with host.settings.trace() as trace:
        namespace["call"](host.scale)
    assert trace.records[0].site == ("made.py", 3, "call")


def test_calls_are_summarized_by_the_line_that_made_them(host):
    host.settings.fallback = "silent"
    with host.settings.trace() as trace:
        for _ in range(3):
            host.scale([1], backend="picky")
        host.scale([1], backend="picky")
        line = here()[1]
    summary = trace.summary("line")
    assert [(one.site.line, one.calls) for one in summary] == [(line - 2, 3), (line - 1, 1)]
    assert summary[0].reasons == ("picky declines: scale is beneath me",)
    assert summary[0].fallback_duration == summary[0].duration > 0


def test_time_is_shared_out_among_backends_without_counting_any_twice(host):
    with host.settings.trace() as trace, host.settings.use_backend("fast", fallback="silent"):
        host.pipeline([1])
    cpu, fast = trace.summary(by="backend")
    assert (cpu.function, cpu.backend, cpu.calls) == (None, "cpu", 1)
    assert (fast.function, fast.backend, fast.calls) == (None, "fast", 2)
    assert cpu.own == pytest.approx(cpu.duration - fast.duration)
    assert cpu.share + fast.share == pytest.approx(1)
