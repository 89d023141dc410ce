"""The witness: sees to it that a backend really ran."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from scverse_backends._ground.labels import quoted

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from scverse_backends._display.trace import TraceRecord
    from scverse_backends.dispatcher import BackendDispatcher


@contextmanager
def ran(dispatcher: BackendDispatcher, backend: str, function: str | None) -> Generator[None]:
    """Fail unless a backend runs a function inside the block.

    Parameters
    ----------
    dispatcher
        The host's.
    backend
        The backend's canonical name.
    function
        Dispatch name of the function; ``None`` for any at all.

    Raises
    ------
    AssertionError
        If the backend ran no call of it. It says where the calls went, and why.
    """
    with dispatcher.settings.trace() as trace:
        yield
    calls = [record for record in trace.records if function in (None, record.function)]
    if not any(record.backend == backend for record in calls):
        what = "nothing" if function is None else f"no call of {function!r}"
        msg = f"backend {backend!r} ran {what}: {_whereabouts(calls, function)}"
        raise AssertionError(msg)


def _whereabouts(calls: Sequence[TraceRecord], function: str | None) -> str:
    """Tell where calls went instead, and why."""
    if not calls:
        called = (
            "no dispatched function was called" if function is None else "it was called nowhere"
        )
        return f"{called}, or in a thread that was not given the context."
    places = dict.fromkeys(record.backend for record in calls)
    reasons = dict.fromkeys(
        f"backend {refusal.backend!r} {refusal.reason}"
        for record in calls
        for refusal in record.refusals
    ) or dict.fromkeys(record.reason for record in calls)
    return f"it ran on {quoted(places)} ({'; '.join(reasons)})."
