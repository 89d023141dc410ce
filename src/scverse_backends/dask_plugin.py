"""Dask: what is selected where work is sent to a cluster holds where it runs.

A snapshot travels as an annotation, which Dask hands on with every task; a
worker plugin puts it in force around the task, as Dask does with its spans.
"""

from __future__ import annotations

import asyncio
import pickle
from contextvars import ContextVar
from functools import partial, wraps
from time import sleep
from types import MethodType
from typing import TYPE_CHECKING, Any

from dask.base import annotate
from distributed import Client, Future, WorkerPlugin
from distributed.worker_state_machine import ExecuteFailureEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._selection.snapshot import Snapshot
    from .settings import Settings

PATIENCE, PAUSE = 10, 0.02
"""How often, and after how many seconds, a scheduler that still holds a result is asked again."""

TRACES = ":traced"
"""Ends the annotation that carries a snapshot together with the traces that were on."""


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
    # First, because it raises where a worker lacks this library.
    registered = client.register_plugin(CarriedSelection(sender.annotation))
    for name in ("submit", "map"):
        setattr(client, name, sender.calls(getattr(client, name)))
    client._graph_to_futures = sender.graphs(client._graph_to_futures)  # type: ignore[method-assign]  # noqa: SLF001 - the one way by which Dask sends work
    return registered


class HeldResultError(RuntimeError):
    """Dask would give a result that it still holds, and that another selection computed.

    Dask finds results by their key, and the key of a lazy collection does not
    tell the selection.

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
        self._keys_tell: ContextVar[bool] = ContextVar(self.annotation, default=False)
        self._sent: dict[Any, bytes] = {}

    def calls(self, method: Callable[..., Any]) -> Any:
        """Make the keys of single calls tell the selection: Dask makes them of the function."""

        @wraps(method)
        def send(_: Client, func: Any, *args: Any, **kwargs: Any) -> Any:
            snapshot, key = self._settings.snapshot().late(), kwargs.get("key")
            if key is not None:
                self._refuse_held({*key} if isinstance(key, list) else {key}, snapshot)
            if not kwargs.get("actor"):
                func = snapshot.bind(func)
            telling = self._keys_tell.set(True)
            try:
                return method(func, *args, **kwargs)
            finally:
                self._keys_tell.reset(telling)

        return MethodType(send, self._client)  # Dask tells its own methods by being methods

    def graphs(self, method: Callable[..., Any]) -> Any:
        """Carry the selection with every graph; most have keys that do not tell it."""

        @wraps(method)
        def send(_: Client, *args: Any, **kwargs: Any) -> Any:
            snapshot = self._settings.snapshot().late()
            packed = pickle.dumps(snapshot)
            carried = {self.annotation: packed}
            if not self._keys_tell.get():
                work, *_rest = (*args, *kwargs.values())  # Dask has several names for it
                self._refuse_held(_keys(work), snapshot)
                followed = snapshot.followed()  # single calls are bound to their traces
                if followed is not snapshot:
                    carried[self.annotation + TRACES] = pickle.dumps(followed)
            with annotate(**carried):
                futures = method(*args, **kwargs)
            self._sent.update(dict.fromkeys(futures, packed))
            return futures

        return MethodType(send, self._client)

    def _refuse_held(self, keys: set[Any], snapshot: Snapshot) -> None:
        """Raise if Dask would give, for one of these keys, what another selection computes."""
        packed, futures = pickle.dumps(snapshot), self._client.futures
        self._sent = {key: by for key, by in [*self._sent.items()] if key in futures}
        if self._client.asynchronous:  # which cannot wait for the scheduler's answer
            known = keys.intersection(self._sent)
            held = next((key for key in known if self._sent[key] != packed), None)
        else:
            # Who sends without `carry_selection` selects nothing.
            plain = None if snapshot.is_host else packed
            held = self._ask_scheduler(keys, {packed, plain})
        if held is not None:
            raise HeldResultError(held)

    def _ask_scheduler(self, keys: set[Any], accepted: set[bytes | None]) -> Any:
        """Give a key that is held, once the scheduler knows all that was sent and let go of."""
        client, arriving = self._client, set(self._sent)
        ask = partial(client.run_on_scheduler, _find_held, keys, self.annotation, accepted)
        patience = PATIENCE
        while True:
            states = ((key, client.futures.get(key)) for key in arriving)
            arriving = {key for key, state in states if state and state.status == "pending"}
            answer: Any = ask(client.id, arriving)
            arrived, held = answer
            if arrived and (held is None or not patience):
                self._sent.clear()
                return held
            patience -= arrived
            sleep(PAUSE)


def _keys(work: Any) -> set[Any]:
    """Give the keys of what a graph or an expression computes; futures are computed already."""
    graph = work.__dask_graph__() if hasattr(work, "__dask_graph__") else work
    return {key for key, task in graph.items() if not isinstance(task, Future)}


def _find_held(
    keys: set[Any],
    annotation: str,
    accepted: set[bytes | None],
    client: str,
    arriving: set[Any],
    dask_scheduler: Any,
) -> tuple[bool, Any]:
    """Find, on the scheduler, a task that another selection computes, for any client.

    Returns
    -------
    Whether all that the client sent has arrived; the task's key, or ``None``.
    """
    arrived = arriving <= {task.key for task in dask_scheduler.clients[client].wants_what}
    for key in keys.intersection(dask_scheduler.tasks):
        task = dask_scheduler.tasks[key]
        if task.run_spec is not None and (task.annotations or {}).get(annotation) not in accepted:
            return arrived, key
    return arrived, None


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
            followed = (task.annotations or {}).get(self.annotation + TRACES)
            block = self._loaded[packed] if followed is None else pickle.loads(followed)  # noqa: S301 - as below
            # What the task sends in its turn is annotated by what surrounds it.
            with block, annotate(**{self.annotation: packed}):
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
