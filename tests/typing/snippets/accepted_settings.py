"""What a user of a host may write to choose a backend."""

from collections.abc import Callable
from typing import Literal, assert_type

from scverse_backends import BackendDispatcher, Settings
from scverse_backends.records import (
    BackendInfo,
    CallSite,
    Decision,
    Observation,
    Snapshot,
    Trace,
    TraceRecord,
    TraceSummary,
    UseBackend,
)

dispatcher = BackendDispatcher(
    entrypoint_group="host.backends",
    host_name="host",
    trusted_backends={"host_cuda": {"aliases": ["cuda"], "package": "host-cuda"}},
    reserved_backends={"gpu": "Use a concrete name such as 'cuda'."},
    ignorable=("n_jobs",),
    fallback="error",
    untrusted="refuse",
    should_run=lambda function, arguments: len(arguments) < 3 or "too many",
)
assert_type(dispatcher.settings, Settings)
settings = dispatcher.settings

settings.backend = "cuda"
settings.backend = ("cuda", "tiled")
settings.backend = ["cuda", "tiled"]
settings.backend = {"pp.neighbors": "cuda", "tl.*": ["tiled?", "cpu"]}
settings.fallback = "silent"

with settings.use_backend("cuda", "tiled", fallback="error"):
    pass

with settings.use_backend({"tl.*": ["cuda?", "cpu"]}, options={"tl.umap": {"tile": 3}}):
    pass


@settings.use_backend("cuda")
def summarise(data: list[float]) -> float:
    return sum(data)


@settings.use_backend("cuda")
async def gather(data: list[float]) -> float:
    return sum(data)


async def the_block_as_a_decorator_keeps_the_type() -> None:
    assert_type(summarise([1.0]), float)
    assert_type(await gather([1.0]), float)


def what_was_chosen_can_be_read(settings: Settings) -> None:
    assert_type(settings.backend, str)
    assert_type(settings.backends, tuple[str, ...])
    assert_type(settings.fallback, Literal["warn", "silent", "error"])


def several_may_be_chosen_and_the_choice_taken_back(settings: Settings) -> None:
    settings.backends = ("cuda", "cpu")
    del settings.backend


def what_users_are_given_has_names(settings: Settings) -> None:
    assert_type(settings.explain(summarise, [1.0]), Decision)
    assert_type(settings.use_backend("cuda"), UseBackend)
    assert_type(settings.snapshot(), Snapshot)
    with settings.trace() as trace:
        assert_type(trace, Trace)
    assert_type(trace.records, tuple[TraceRecord, ...])
    assert_type(trace.summary(), tuple[TraceSummary, ...])
    assert_type(trace.summary("line")[0].site, CallSite | None)
    assert_type(trace.records[0].site, CallSite)
    assert_type(trace.to_json(), str)
    assert_type(dispatcher.backends(), tuple[BackendInfo, ...])


def a_sink_may_want_the_end_of_a_call_or_not(settings: Settings) -> None:
    def starts(decision: Decision) -> None:
        print(decision.function)

    def starts_and_ends(decision: Decision) -> Callable[[TraceRecord], None]:
        return lambda record: print(decision.function, record.duration)

    with settings.observe(starts):
        assert_type(settings.observe(starts_and_ends), Observation)


def a_backend_may_live_in_the_process(adapter: object) -> None:
    with dispatcher.register(adapter):
        assert_type(settings.available_backends(), list[str])
    dispatcher.register(adapter).remove()
