"""What a user sees of this library in a traceback: IPython and pytest leave out marked frames."""

import asyncio
import traceback
from types import SimpleNamespace

import pytest

from scverse_backends.exceptions import (
    BackendConfigurationError,
    BackendFallbackError,
    BackendLoadError,
    BackendNotInstalledError,
    UnknownBackendError,
    UnknownOptionError,
)


class Torn:
    name = "torn"
    __all__ = ("scale",)

    @property
    def scale(self):
        raise OSError("no device")


@pytest.fixture
def host(make_dispatcher):
    """A host, and a backend whose implementations fail."""
    dispatcher = make_dispatcher(trusted_backends={"absent": {"package": "absent-cells"}})

    def fail(values, *, size=1):
        raise ValueError(values)

    def scale(values):
        return fail(values)

    def steps(values):
        yield fail(values)

    def rank(values):
        return values

    async def later(values):
        return fail(values)

    def rows(values):
        yield fail(values)

    class Model:
        def __init__(self, values):
            fail(values)

    functions = {one.__name__: dispatcher.backend_dispatch(one) for one in (scale, rank, rows)}
    functions["later"] = dispatcher.backend_dispatch(later)
    dispatcher.register(
        SimpleNamespace(name="fast", scale=fail, later=fail, rows=steps, Model=Model)
    )
    dispatcher.register(Torn())
    model = dispatcher.backend_class(Model)
    return SimpleNamespace(settings=dispatcher.settings, Model=model, **functions)


def shown(error):
    """Name the functions of a traceback that IPython shows: it shows the last one at any rate."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return [
        frame.f_code.co_name
        for frame in frames
        if frame is frames[-1] or not frame.f_locals.get("__tracebackhide__")
    ]


def raised(kind, work):
    with pytest.raises(kind) as caught:
        work()
    return caught.value


SELECTIONS = {
    "an unknown label": (UnknownBackendError, lambda s: s.use_backend("nope")),
    "an absent backend": (BackendNotInstalledError, lambda s: s.use_backend("absent")),
    "nothing": (TypeError, lambda s: s.use_backend()),
    "no policy": (ValueError, lambda s: s.use_backend("fast", fallback="no")),
    "an option of nobody": (
        UnknownOptionError,
        lambda s: s.use_backend("fast", options={"scale": {"zzz": 1}}).__enter__(),
    ),
    "a default": (UnknownBackendError, lambda s: setattr(s, "backend", "nope")),
    "an adapter": (UnknownBackendError, lambda s: s.get_backend("nope")),
}


@pytest.mark.parametrize("what", SELECTIONS)
def test_an_error_of_a_selection_points_at_the_line_that_selects(host, what):
    kind, work = SELECTIONS[what]
    error = raised(kind, lambda: work(host.settings))
    assert set(shown(error)) == {"raised", "<lambda>"}


@pytest.mark.parametrize("fallback", ["silent", "error"])
@pytest.mark.parametrize("function", ["scale", "rows", "later", "Model"])
def test_what_an_implementation_raises_is_shown_without_what_dispatches(host, function, fallback):
    def work():
        with host.settings.use_backend("fast", fallback=fallback):
            made = getattr(host, function)([1])
            if function == "later":
                asyncio.run(made)
            list(made)

    own = {"raised", "work", "fail", "steps", "__init__"} | ASYNC
    for _ in "first", "warm":
        assert {*shown(raised(ValueError, work))} <= own


ASYNC = {"run", "run_until_complete"}


def test_so_is_what_the_host_raises_where_nothing_is_selected_or_all_is_traced(host):
    assert shown(raised(ValueError, lambda: host.scale([1])))[2:] == ["scale", "fail"]
    with host.settings.trace():
        assert shown(raised(ValueError, lambda: host.scale([1])))[2:] == ["scale", "fail"]


def test_a_call_that_must_not_fall_back_shows_one_frame_at_most(host):
    with host.settings.use_backend("fast", fallback="error"):
        error = raised(BackendFallbackError, lambda: host.rank([1]))
    assert len(shown(error)[2:]) == 1


@pytest.mark.parametrize(
    ("kind", "work"),
    [
        (UnknownBackendError, lambda host: host.rank([1], backend="nope")),
        (BackendLoadError, lambda host: host.scale([1], backend="torn")),
        (TypeError, lambda host: host.scale([1], size=3)),
    ],
)
def test_an_error_of_a_call_before_it_runs_shows_one_frame_at_most(host, kind, work):
    error = raised(kind, lambda: work(host))
    assert len(shown(error)[3:]) == 1
    if kind is BackendLoadError:  # whose cause begins at the code that is at fault
        assert shown(error.__cause__) == ["scale"]


@pytest.mark.parametrize(
    ("variable", "kind"),
    [("BACKEND", UnknownBackendError), ("BACKEND_FALLBACK", BackendConfigurationError)],
)
def test_a_wrong_variable_of_the_environment_shows_one_frame_of_each_call_at_most(
    make_dispatcher, monkeypatch, variable, kind
):
    monkeypatch.setenv(f"EXAMPLE_HOST_{variable}", "nope")
    rank = make_dispatcher().backend_dispatch(name="rank")(lambda values: values)
    for _ in range(2):
        assert len(shown(raised(kind, lambda: rank([1])))[2:]) == 1
