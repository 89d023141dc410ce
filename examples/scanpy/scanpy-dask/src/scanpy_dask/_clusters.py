"""Where a computation runs: on the cluster of the active client, or in this process."""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import dask
from dask.base import get_scheduler
from dask.delayed import Delayed
from dask.diagnostics import ProgressBar
from dask.system import CPU_COUNT
from distributed import Client
from distributed.diagnostics.progressbar import TextProgressBar
from distributed.system import MEMORY_LIMIT

# A worker pauses once it is this full.
_WORKING_SHARE = 0.8
# What a worker takes that has imported all it needs to read blocks.
_AT_REST = 200e6


def active_client() -> Client | None:
    """Give the client that Dask would compute with now, if there is one."""
    owner = getattr(get_scheduler(), "__self__", None)
    return owner if isinstance(owner, Client) else None


def thread_count() -> int:
    """Count the threads that compute at the same time."""
    client = active_client()
    if client is None:
        return dask.config.get("num_workers", None) or CPU_COUNT
    return max(1, sum(client.nthreads().values()))


def memory_per_thread() -> float:
    """Give the bytes that one thread may fill, in the worker that has least for each."""
    client = active_client()
    if client is None:
        return _fillable(MEMORY_LIMIT) / thread_count()
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    shares = [
        _fillable(each["memory_limit"] or MEMORY_LIMIT) / each["nthreads"] for each in workers
    ]
    return min(shares, default=_fillable(MEMORY_LIMIT))


def _fillable(limit: float) -> float:
    return max(0, _WORKING_SHARE * limit - _AT_REST)


def computed(tasks: Sequence[Delayed], *, show_progress_bar: bool) -> list[Any]:
    """Compute the tasks, with a progress bar on a terminal's standard error."""
    shown = show_progress_bar and sys.stderr.isatty()
    client = active_client()
    if client is None:
        with _local_bar() if shown else nullcontext():
            return list(dask.compute(*tasks))
    futures = client.compute(list(tasks))
    if shown:
        _ClusterBar(futures)
    return client.gather(futures)


def _local_bar() -> AbstractContextManager[Any]:
    return ProgressBar(minimum=1, out=sys.stderr)


class _ClusterBar(TextProgressBar):
    """The bar of ``distributed.progress``, which blocks until all is done, on standard error."""

    def _draw_bar(self, remaining: int, all: int, **_: Any) -> None:  # noqa: A002 - the base's name
        share = 1 - remaining / all if all else 1
        bar = "#" * int(self.width * share)
        sys.stderr.write(f"\r[{bar:<{self.width}}] | {share:.0%} completed | {self.elapsed:.1f}s")
        sys.stderr.flush()

    def _draw_stop(self, **_: Any) -> None:
        sys.stderr.write("\33[2K\r")
        sys.stderr.flush()
