"""A generator function keeps what was decided when it was called, through every step."""

import contextlib
import decimal
import inspect
import sys
from contextvars import ContextVar

import pytest


@pytest.fixture
def where(dispatcher):
    return dispatcher.backend_dispatch(name="where")(lambda: "cpu")


def conversation_of(who, where):
    """Make a generator function that tells where it runs, and all it hears."""

    def conversation():
        heard = yield who, where()
        while heard != "enough":
            try:
                heard = yield f"{who} heard", heard, where()
            except LookupError as error:
                heard = f"caught {error}"
        return f"{who} is done"

    return conversation


@pytest.fixture
def conversation(dispatcher, offer, where):
    """A generator function of host and backend."""
    offer(where=lambda: "mine", conversation=conversation_of("mine", where))
    return dispatcher.backend_dispatch(name="conversation")(conversation_of("host", where))


@pytest.mark.parametrize(
    ("label", "who", "inner"), [("mine", "mine", "mine"), ("cpu", "host", "cpu")]
)
def test_each_step_runs_under_the_calls_choice_and_nothing_else_does(
    conversation, where, label, who, inner
):
    talk = conversation(backend=label)
    assert next(talk) == (who, inner)
    assert where() == "cpu"
    assert talk.send("hello") == (f"{who} heard", "hello", inner)
    assert talk.throw(LookupError("oops")) == (f"{who} heard", "caught oops", inner)
    assert next(talk) == (f"{who} heard", None, inner)
    with pytest.raises(StopIteration) as end:
        talk.send("enough")
    assert (end.value.value, where()) == (f"{who} is done", "cpu")


def test_closing_a_generator_closes_what_it_runs_under_the_calls_choice(dispatcher, offer, where):
    seen = []

    @dispatcher.backend_dispatch
    def rows():
        try:
            yield 1
        finally:
            seen.append(where())

    with offer(where=lambda: "mine"):
        steps = rows(backend=["mine", "cpu"])
        next(steps)
        steps.close()
    assert (seen, inspect.getgeneratorstate(steps)) == (["mine"], inspect.GEN_CLOSED)


@pytest.fixture
def listed(dispatcher, offer):
    """A generator function whose backend gives a plain list instead."""

    @dispatcher.backend_dispatch
    def listed():
        yield "host"

    with offer(listed=lambda: ["first", "second"]):
        yield listed


def test_what_cannot_be_closed_or_catch_an_error_may_be_left_half_way(listed):
    steps = listed(backend="mine")
    assert next(steps) == "first"
    steps.close()
    assert [*steps] == []
    steps = listed(backend="mine")
    next(steps)
    with pytest.raises(LookupError, match="oops"):
        steps.throw(LookupError("oops"))
    assert [*steps] == []


COLOUR = ContextVar("COLOUR", default="none")


@contextlib.contextmanager
def everywhere(dispatcher, how):
    """Run a block under a backend, traced, both, or with nothing of ours."""
    with contextlib.ExitStack() as blocks:
        if "backend" in how:
            blocks.enter_context(dispatcher.settings.use_backend("mine"))
        if "traced" in how:
            blocks.enter_context(dispatcher.settings.trace())
        yield


HOW = pytest.mark.parametrize("how", ["plainly", "backend", "traced", "backend, traced"])


@HOW
def test_what_a_context_manager_of_the_host_sets_holds_in_its_block(dispatcher, offer, how):
    @contextlib.contextmanager
    @dispatcher.backend_dispatch
    def precisely():
        yield from in_red()

    def in_red():
        with decimal.localcontext() as context:
            context.prec = 5
            token = COLOUR.set("red")
            yield
            COLOUR.reset(token)

    offer(precisely=in_red)
    with everywhere(dispatcher, how):
        with precisely():
            assert (decimal.getcontext().prec, COLOUR.get()) == (5, "red")
        assert (decimal.getcontext().prec, COLOUR.get()) == (28, "none")


@pytest.mark.parametrize("how", ["plainly", "traced"])
def test_a_generator_of_the_host_follows_what_is_selected_where_it_is_iterated(
    dispatcher, offer, where, how
):
    @dispatcher.backend_dispatch
    def rows():
        yield where()
        with dispatcher.settings.use_backend("mine"):
            yield where()
        yield where()

    with offer(where=lambda: "mine"), everywhere(dispatcher, how):
        steps = rows()
        with dispatcher.settings.use_backend("mine"):
            assert next(steps) == "mine"
        assert next(steps) == "mine"
        assert where() == "mine"
        assert next(steps) == "cpu"
        assert where() == "cpu"


def test_a_trace_in_the_body_of_a_generator_collects_what_its_own_steps_call(dispatcher, where):
    inner = dispatcher.settings.trace()

    @dispatcher.backend_dispatch
    def rows():
        with inner:
            yield where()
            yield where()
        yield where()

    with dispatcher.settings.trace() as outer:
        steps = rows()
        next(steps)
        where()
        assert [*steps] == ["cpu", "cpu"]
    assert len(inner) == 2
    assert [record.parent for record in outer.records] == [None, 0, None, 0, 0]
    assert [record.outcome for record in outer.records] == ["returned"] * 5


def test_a_traced_generator_may_call_itself_nearly_as_deep_as_a_wrapped_one(dispatcher):
    @dispatcher.backend_dispatch
    def walk(levels):
        yield levels
        if levels:
            yield from walk(levels - 1)

    # Two levels a call; three where a tracer runs, such as that of coverage.
    deep = (sys.getrecursionlimit() - len(inspect.stack(0))) * 3 // 10
    with dispatcher.settings.trace() as trace:
        assert sum(1 for _ in walk(deep)) == deep + 1
    assert len(trace) == deep + 1
