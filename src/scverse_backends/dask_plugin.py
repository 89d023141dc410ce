"""Dask: what is selected where work is sent to a cluster holds where it runs.

A snapshot travels as an annotation, which Dask hands on with every task; a
worker plugin puts it in force around the task, as Dask does with its spans.
"""

from __future__ import annotations

import asyncio
import pickle
from functools import wraps
from types import MethodType
from typing import TYPE_CHECKING, Any

from dask.base import annotate
from distributed import Client, Future, WorkerPlugin, futures_of
from distributed.worker_state_machine import ExecuteFailureEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._selection.snapshot import Snapshot
    from .settings import Settings


def carry_selection(client: Client, settings: Settings) -> Any:
    """Have whatever a client sends run under what is selected where it is sent.

    That is where ``client.submit``, ``client.map``, ``compute`` or ``persist``
    is called, not where a lazy collection was put together. What tasks send in
    their turn goes under the selection that they were sent with.

    Parameters
    ----------
    client
        The client of a cluster whose workers have the host and its backends.
        It is changed; other clients of the cluster are not.
    settings
        The settings of the host. Call it once for each host.

    Returns
    -------
    object
        What ``client.register_plugin`` gives: to be awaited if the client is asynchronous.

    Examples
    --------
    >>> from distributed import Client
    >>> from scverse_backends import BackendDispatcher
    >>> from scverse_backends.dask_plugin import carry_selection
    >>> settings = BackendDispatcher(
    ...     entrypoint_group="example.backends", host_name="example"
    ... ).settings
    >>> with Client(processes=False, dashboard_address=":0") as client:
    ...     _ = carry_selection(client, settings)
    ...     with settings.use_backend(fallback="error"):
    ...         client.submit(abs, -1).result()  # it runs under fallback="error"
    1
    """
    sender = _Sender(client, settings)
    methods = {"map": sender.calls, "submit": sender.calls}
    methods |= dict.fromkeys(("compute", "get", "persist"), sender.graphs)
    for name, carrying in methods.items():
        # Dask tells its own methods by being methods.
        setattr(client, name, MethodType(carrying(getattr(client, name)), client))
    return client.register_plugin(CarriedSelection(sender.annotation))


class HeldResultError(RuntimeError):
    """Dask would give a result that it still holds, and that another selection computed.

    Dask knows results by their key, and the key of a lazy collection does not
    tell under what it is computed.

    Parameters
    ----------
    key
        The key of the result in Dask.
    """

    def __init__(self, key: Any) -> None:
        super().__init__(key)
        self.key = key

    def __str__(self) -> str:
        return (
            f"Dask still holds the result {self.key!r}, computed under another selection, and "
            "would give that again. Let go of the future or persisted collection first, build "
            "on it instead of on what it was computed from, or put the lazy collection together "
            "of what settings.snapshot().bind(func) gives, which has keys of its own."
        )


class _Sender:
    """Annotates what a client sends."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self.annotation = f"scverse_backends:{settings.snapshot().host}"
        self._client = client
        self._settings = settings
        self._held: dict[Any, bytes] = {}

    def calls(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Carry the selection with single calls; their keys tell of it."""

        @wraps(method)
        def send(_: Client, func: Any, *args: Any, **kwargs: Any) -> Any:
            snapshot = self._settings.snapshot()
            if not kwargs.get("actor"):
                func = snapshot.bind(func)
            with annotate(**{self.annotation: pickle.dumps(snapshot)}):
                return method(func, *args, **kwargs)

        return send

    def graphs(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Carry the selection with graphs, which have keys that do not tell of it."""

        @wraps(method)
        def send(_: Client, work: Any, *args: Any, **kwargs: Any) -> Any:
            packed = pickle.dumps(self._settings.snapshot())
            self._part_with_others(packed, work if isinstance(work, (list, tuple)) else [work])
            with annotate(**{self.annotation: packed}):
                sent = method(work, *args, **kwargs)
            futures = futures_of(sent)  # type: ignore[no-untyped-call]
            self._held.update((future.key, packed) for future in futures)
            return sent

        return send

    def _part_with_others(self, packed: bytes, works: Iterable[Any]) -> None:
        """See to it that Dask holds nothing of some work that another selection computed."""
        if not self._client.asynchronous:
            # What was let go of is known to be only after the client's loop has had its turn.
            self._client.sync(asyncio.sleep, 0)  # type: ignore[no-untyped-call]
        others = self._others(packed)
        for work in works if others else ():
            graph = dict(work.__dask_graph__() if hasattr(work, "__dask_graph__") else work)
            for key in others.intersection(graph):
                if not isinstance(graph[key], Future):
                    raise HeldResultError(key)

    def _others(self, packed: bytes) -> set[Any]:
        """Give the keys of what is held and was computed under another selection."""
        held = self._held = {k: by for k, by in self._held.items() if k in self._client.futures}
        return {key for key, by in held.items() if by != packed}


class CarriedSelection(WorkerPlugin):
    """Puts what a task was sent with in force around it; registered by `carry_selection`.

    Parameters
    ----------
    annotation
        Under which tasks carry the snapshots of one host.
    """

    idempotent = True

    def __init__(self, annotation: str) -> None:
        self.name = self.annotation = annotation
        self._loaded: dict[bytes, Snapshot] = {}

    def setup(self, worker: Any) -> None:
        """Stand around every task of a worker."""
        self._execute = worker.execute

        @wraps(worker.execute)
        async def execute(key: Any, *, stimulus_id: str) -> Any:
            task = worker.state.tasks[key]
            packed = (task.annotations or {}).get(self.annotation)
            if packed is None:
                return await self._execute(key, stimulus_id=stimulus_id)
            try:
                if packed not in self._loaded:
                    await asyncio.to_thread(self._load, packed)
            except Exception as error:  # noqa: BLE001 - a task that fails, fails with anything
                return ExecuteFailureEvent.from_exception(
                    error, key=key, run_id=task.run_id, stimulus_id=stimulus_id
                )
            # What the task sends in its turn is annotated by what surrounds it.
            with self._loaded[packed], annotate(**{self.annotation: packed}):
                return await self._execute(key, stimulus_id=stimulus_id)

        worker.execute = execute

    def teardown(self, worker: Any) -> None:
        """Leave the tasks of a worker alone."""
        worker.execute = self._execute

    def _load(self, packed: bytes) -> None:
        """Import what a snapshot needs; that may take long, and so must not hold up the worker."""
        snapshot: Snapshot = pickle.loads(packed)  # noqa: S301 - as Dask treats the task itself
        snapshot.prepare()
        self._loaded[packed] = snapshot
