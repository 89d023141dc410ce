"""Uses of a backend, broken off at each step: nothing is half done, and the next try works."""

import inspect
import sys
from contextvars import copy_context

import pytest
from hypothesis import settings

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.BackendWarning"),
]

ALL_STEPS = settings.default.max_examples > 100
FEW = 30  # steps that the fast profile tries, spread over all


class Breaker:
    """Raises an error when the package enters its own function for the n-th time.

    With ``after_calls`` the ends of calls of what is written in C count as well: these two are
    where Python lets a signal interrupt.
    """

    def __init__(self, error=None, at=None, *, after_calls=False):
        self.error, self.at, self.entered, self.place = error, at, 0, None
        self.after_calls = after_calls

    def __call__(self, frame, event, argument):
        module = frame.f_globals.get("__name__") or ""
        # What interrupts the end of an object is printed and goes no further.
        if frame.f_code.co_name == "__del__":
            return
        # A generator that is resumed is entered too, and cannot be told from one that begins.
        resumed = frame.f_code.co_flags & inspect.CO_GENERATOR
        # Nothing helps a block that cannot begin to end.
        ending = frame.f_code.co_name == "__exit__"
        counts = event == "call" and not (resumed or ending)
        # From Python 3.14 on the two calls of a `with` count as calls; a lock would stay locked.
        locking = getattr(argument, "__name__", "") in {"__enter__", "__exit__"}
        counts = counts or (event == "c_return" and self.after_calls and not locking)
        if counts and module.startswith("scverse_backends."):
            self.entered += 1
            if self.entered == self.at:
                sys.setprofile(None)
                self.place = module, frame.f_code.co_name, frame.f_lineno
                raise self.error

    def __enter__(self):
        sys.setprofile(self)
        return self

    def __exit__(self, *error):
        sys.setprofile(None)


def by_call(host):
    return host.double([1], backend="good")


def in_a_block(host):
    with host.settings.use_backend("fine"):
        return host.double([1])


def after_discovery(host):
    host.dispatcher.discover()
    return host.double([1], backend="fine")


def after_a_refresh(host):
    host.dispatcher.backends()
    host.dispatcher.refresh()
    return host.double([1], backend="fine")


@pytest.fixture
def fresh(host, make_dispatcher):
    """Give hosts that have used nothing yet, one after the other."""

    def fresh():
        sys.modules.pop("fine_backend", None)
        dispatcher = make_dispatcher()
        found = type("Host", (), {"dispatcher": dispatcher, "settings": dispatcher.settings})
        found.double = staticmethod(dispatcher.backend_dispatch(host.double.__wrapped__))
        return found

    return fresh


@pytest.mark.parametrize("use", [by_call, in_a_block, after_discovery, after_a_refresh])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_broken_off_at_any_step_it_works_the_next_time(fresh, use, error):
    use(fresh())  # what is imported once is imported by now
    with Breaker() as counting:
        assert use(fresh()) == [2]
    every = 1 if ALL_STEPS else max(1, counting.entered // FEW)

    for at in range(1, counting.entered + 1, every):
        host = fresh()
        with Breaker(error, at) as breaking:
            try:
                use(host)
            except error:
                pass
            else:
                # What is remembered from before made it shorter.
                assert breaking.entered < at, breaking.place
        assert host.settings.backends == ("cpu",)
        assert host.double([1]) == [2]
        assert use(host) == [2]
        assert [(i.name, i.state) for i in host.dispatcher.backends()] == [("fine", "loaded")]
        assert "backend" in inspect.signature(host.double).parameters
        assert host.settings.backends == ("cpu",)


def in_blocks(host):
    block = host.settings.use_backend("fine")
    with block, host.settings.use_backend("cpu", fallback="error"), block:
        return host.double([1])


def in_a_decorated_function(host):
    return host.settings.use_backend("fine")(lambda: host.double([1]))()


def by_call_in_a_block(host):
    with host.settings.use_backend("cpu"):
        return host.double([1], backend="fine")


def in_a_traced_block(host):
    with host.settings.trace(), host.settings.use_backend("fine"):
        return [2]


@pytest.mark.parametrize(
    "use",
    [
        by_call,
        in_a_block,
        in_blocks,
        in_a_decorated_function,
        by_call_in_a_block,
        in_a_traced_block,
    ],
)
def test_interrupted_at_any_moment_nothing_stays_selected(fresh, use):
    def warm():
        host = fresh()
        for _ in range(2):
            assert use(host) == [2]
        return host

    host = warm()
    with Breaker(after_calls=True) as counting:
        assert use(host) == [2]

    for at in range(1, counting.entered + 1):
        host = warm()
        with (
            Breaker(KeyboardInterrupt, at, after_calls=True) as breaking,
            pytest.raises(KeyboardInterrupt),
        ):
            use(host)
        assert host.settings.backends == ("cpu",), breaking.place
        assert use(host) == [2]
        assert host.settings.backends == ("cpu",), breaking.place


def test_what_an_interrupted_exit_leaves_is_shown_and_can_be_replaced(fresh):
    host = fresh()
    block = host.settings.use_backend("fine")

    def interrupt(frame, event, argument):
        if event == "call" and frame.f_code.co_name == "__exit__":
            sys.setprofile(None)
            raise KeyboardInterrupt

    def broken_off():
        with pytest.raises(KeyboardInterrupt), block:
            sys.setprofile(interrupt)
        assert host.settings.backend == "fine"
        assert "selected by   the block" in repr(host.settings)
        with host.settings.use_backend("cpu"):
            assert host.settings.backend == "cpu"
        host.settings.backend = "cpu"
        return host.settings.backend

    assert copy_context().run(broken_off) == "cpu"
    assert host.settings.backend == "cpu"
