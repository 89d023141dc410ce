"""Settings: what users select backends with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import scverse_backends

from ._backends.configuration import FallbackPolicy  # noqa: TC001 - typing.get_type_hints finds it here
from ._ground.callables import public_names
from ._ground.labels import ByFunction, closest, quoted
from ._ground.messages import point_at_caller
from ._selection.blocks import DISPATCH, Choice, UseBackend, checked_policy
from ._selection.processes import find_host, tell_workers
from ._selection.selector import Selector

if TYPE_CHECKING:
    from typing import Never

    import scverse_backends.records

    from ._ground.rendering import Page
    from ._selection.processes import HostAddress

SETTINGS: Mapping[str, Callable[[Selector], Any]] = {
    # Not their names alone: all that is selected is to be there again.
    "backend": Selector.current,
    "backends": Selector.current,
    "fallback": Selector.policy,
}
"""What users may set, and what to set again where something else was set for a while."""


class Settings:
    """The selection of one host's users.

    A host exposes the instance that its dispatcher makes.

    Examples
    --------
    >>> from scverse_backends import BackendDispatcher
    >>> settings = BackendDispatcher(
    ...     entrypoint_group="example.backends", host_name="example"
    ... ).settings
    >>> settings.backend
    'cpu'
    >>> settings.fallback = "error"
    >>> settings.fallback
    'error'
    """

    __slots__ = ("__weakref__", "_choices", "_selector")

    def __init__(self, selector: Selector) -> None:
        self._selector = selector
        self._choices: dict[Any, Choice] = {}
        selector.changes.watch(self._choices.clear)

    def __setattr__(self, name: str, value: Never) -> None:  # by `Never` checkers refuse it too
        # A misspelt setting would seem to work, and select nothing.
        if not hasattr(getattr(Settings, name, None), "__set__"):
            # Without `name` and `obj`, by which Python would add its own suggestion to ours.
            raise AttributeError(self._no_setting(name))
        try:
            super().__setattr__(name, value)
        except Exception as error:
            point_at_caller(error)
            raise

    def _no_setting(self, name: str) -> str:
        there, meant = quoted(SETTINGS), closest(name, SETTINGS)
        ask = f" Did you mean {meant!r}?" if meant else ""
        host = self._selector.configuration.host
        if hasattr(self, name):
            return f"{name!r} of the settings of {host} cannot be replaced. Set: {there}."
        return f"The settings of {host} have no {name!r}.{ask} There are: {there}."

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        """Where `mock.patch` looks for what it will set again; empty to anybody else."""
        return _ToSetAgain(self._selector)

    def __eq__(self, other: object) -> bool:
        return self._selector is other._selector if isinstance(other, Settings) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._selector)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._selector.address,)

    def __dir__(self) -> list[str]:
        return public_names(self)

    def __repr__(self) -> str:
        return str(self._page())

    def _repr_html_(self) -> str:
        return self._page()._repr_html_()

    def _page(self) -> Page:
        # Imported here because most runs never show anything.
        from ._display.overview import settings_page

        return settings_page(self._selector)

    @property
    def backend(self) -> str:
        """Canonical name of the first choice; ``"cpu"`` is the host's own code.

        Set it to a label, to several in order of preference, or to a mapping
        from functions to those, as in `use_backend`. That changes the innermost
        `use_backend` block of this context, or, outside of any, the whole
        process: every thread and task sees it. Delete it to go back from there
        to what the environment asks for. Where functions are selected for, this
        is the choice for all others; `by_function` tells theirs.

        Raises
        ------
        UnknownBackendError
            If a label names no backend, or is reserved.
        BackendNotInstalledError
            If the host knows the backend and it is not installed.
        BackendLoadError
            If it is installed and cannot be loaded.
        UntrustedBackendError
            If the host refuses it.
        UnknownFunctionError
            If a key of a mapping fits no dispatched function.
        """
        return self.backends[0]

    @backend.setter
    def backend(self, labels: str | Sequence[str] | ByFunction) -> None:
        self._selector.set_default(labels)

    @backend.deleter
    def backend(self) -> None:
        self._selector.reset_default()

    @property
    def backends(self) -> tuple[str, ...]:
        """Canonical names of all choices, in order of preference; set like `backend`."""
        return self._selector.current().names

    @backends.setter
    def backends(self, labels: Sequence[str] | ByFunction) -> None:
        self._selector.set_default(labels)

    @property
    def by_function(self) -> Mapping[str, tuple[str, ...]]:
        """Canonical names of what is selected for some functions only; the first key that fits holds."""
        return {key: rule.names for key, rule in self._selector.current().rules_by_key.items()}

    @property
    def fallback(self) -> FallbackPolicy:
        """What happens when no selected backend can take a call.

        ``"warn"`` runs it on the host with a `BackendFallbackWarning`,
        ``"silent"`` without, ``"error"`` raises `BackendFallbackError` before
        anything runs. Set like `backend`.

        Raises
        ------
        ValueError
            If it is set to anything else.
        """
        return self._selector.policy()

    @fallback.setter
    def fallback(self, policy: FallbackPolicy) -> None:
        self._selector.set_policy(checked_policy(policy))

    def use_backend(
        self,
        *labels: str | Sequence[str] | ByFunction,
        fallback: FallbackPolicy | None = None,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        backend: str | Sequence[str] | ByFunction | None = None,
    ) -> UseBackend:
        """Select backends for a block of code, or for every call of a function.

        Parameters
        ----------
        *labels
            Backends in order of preference: the first that can take a call
            runs it. One that ends in ``?`` is left out where it is absent,
            refused, or does not load. A mapping selects for some functions
            only: its keys are dispatch names or patterns over them, and the
            longest that fits holds. None at all keeps the present choice, for
            a new `fallback` or for `options`.
        fallback
            The policy within the block; the surrounding one if left out.
        options
            By dispatch name, options of the selected backend that the block's
            calls are given where they do not give them themselves.
        backend
            The first choice, by keyword.

        Returns
        -------
        UseBackend
            A context manager that can be entered again, nested and reused,
            and that decorates plain and ``async`` functions. Backends are
            imported when it is entered.

        Raises
        ------
        UnknownBackendError, BackendNotInstalledError, UntrustedBackendError
            As for `backend`; already here, not only when the block is entered.
        UnknownFunctionError
            If a key, or a name in `options`, fits no dispatched function.
        TypeError
            If `options` give one parameter by two of its names.
        UnknownOptionError
            If no function of a selected backend has an option. Where that
            backend is not imported yet and has no manifest, when the block is entered.

        Examples
        --------
        >>> from scverse_backends import BackendDispatcher
        >>> settings = BackendDispatcher(
        ...     entrypoint_group="example.backends", host_name="example"
        ... ).settings
        >>> with settings.use_backend("cpu", fallback="silent"):
        ...     settings.fallback
        'silent'
        >>> @settings.use_backend("cpu")
        ... def analysis(counts):
        ...     return sum(counts)
        >>> analysis([1, 2])
        3
        """
        if backend is not None:
            labels = (backend, *labels)
        tell_workers()
        try:
            choice = None if options else self._choices.get((labels, fallback))
        except TypeError:  # a list of labels, say
            choice = None
        try:
            return UseBackend(choice or self._choose(labels, fallback, options))
        except Exception as error:
            point_at_caller(error)
            raise

    def _choose(
        self, labels: tuple[Any, ...], fallback: FallbackPolicy | None, options: Any
    ) -> Choice:
        """Keep what is asked for, unless options are: they need not be comparable."""
        # Imported here because most runs of a host select nothing.
        from ._selection.request import read_request

        asked = read_request(labels, options)
        choice = Choice(self._selector, asked, fallback)
        choice.check()
        if asked.options:
            return choice
        return self._choices.setdefault(
            (asked if asked.by_function else asked.labels, fallback), choice
        )

    def snapshot(self) -> scverse_backends.records.Snapshot:
        """Note what is selected here and now, for use in another thread, process or machine.

        Returns
        -------
        Snapshot
            A value that holds the backends and the policy. It pickles; ``with
            snapshot:`` applies it to a block, ``snapshot.bind(func)`` around
            each call of a function, ``snapshot.apply()`` for good.

        Raises
        ------
        UnknownBackendError, BackendNotInstalledError, BackendLoadError, UntrustedBackendError
            If the environment selects what cannot be selected.
        """
        from ._selection.snapshot import take

        return take(self._selector)

    def executor(self, executor: Any) -> scverse_backends.records.CarryingExecutor:
        """Make an executor carry: what is sent to it runs under what is selected where it is sent.

        Parameters
        ----------
        executor
            A `concurrent.futures.Executor` of threads or processes, or what has its methods.

        Returns
        -------
        CarryingExecutor
            For ``submit`` and ``map``, for ``loop.run_in_executor``, and for Dask's
            ``pool=``. It ends the other executor when it is ended.

        Examples
        --------
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> from scverse_backends import BackendDispatcher
        >>> settings = BackendDispatcher(
        ...     entrypoint_group="example.backends", host_name="example"
        ... ).settings
        >>> def policy():
        ...     return settings.fallback
        >>> with settings.executor(ThreadPoolExecutor()) as pool:
        ...     with settings.use_backend(fallback="error"):
        ...         pool.submit(policy).result()
        'error'
        """
        from ._selection.executor import CarryingExecutor

        return CarryingExecutor(executor, self._selector)

    def available_backends(self) -> list[str]:
        """List the canonical names of the backends that can be loaded here.

        A backend without a manifest is imported to ask its name; one that the
        host does not trust with the warning that its use gives.
        `BackendDispatcher.backends` lists what is installed and imports nothing.
        """
        known = self._selector.registry.know_all()
        return sorted({backend.name for backend in known})

    def refresh(self) -> None:
        """Look again at what is installed, after a package was installed or removed.

        Broken backends are tried again. A package whose old version was
        imported needs a new process.
        """
        self._selector.refresh()

    def get_backend(self, name: str) -> Any:
        """Load a backend's adapter; ``None`` for ``"cpu"``.

        Parameters
        ----------
        name
            Any label.

        Raises
        ------
        UnknownBackendError, BackendNotInstalledError, BackendLoadError, UntrustedBackendError
            As for `backend`.
        """
        try:
            backend = self._selector.registry.get(name)
        except Exception as error:
            point_at_caller(error)
            raise
        return None if backend is None else backend.adapter

    def explain(
        self, func: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> scverse_backends.records.Decision:
        """Tell where a call would run, and why, without running it.

        Parameters
        ----------
        func
            A decorated function of the host; other decorators may wrap it.
        *args, **kwargs
            The call, with ``backend=`` if it would have that.

        Returns
        -------
        Decision
            What would happen.

        Raises
        ------
        TypeError
            If the function is not dispatched by this host.

        Examples
        --------
        >>> from scverse_backends import BackendDispatcher
        >>> dispatcher = BackendDispatcher(
        ...     entrypoint_group="example.backends", host_name="example"
        ... )
        >>> @dispatcher.backend_dispatch
        ... def double(values):
        ...     return [2 * value for value in values]
        >>> dispatcher.settings.explain(double, [1, 2], backend="cpu")
        double runs on cpu, the host itself
          because  selected by the call's own argument
        """
        considered = getattr(func, DISPATCH, None)
        if considered is None or considered.selector is not self._selector:
            host = self._selector.configuration.host
            msg = (
                f"{func!r} is not a dispatched function of {host}. Give the function itself, "
                "then the arguments of the call: explain(func, data, backend=...)."
            )
            raise TypeError(msg)
        decision: scverse_backends.records.Decision = considered.explain(args, kwargs, func)
        return decision

    def trace(
        self, *, every_thread: bool = False, most: int | None = None
    ) -> scverse_backends.records.Trace:
        """Collect what runs where, one record for each call in a ``with`` block.

        Parameters
        ----------
        every_thread
            Collect the calls of every thread and task of the process, not only
            those of this context.
        most
            Record this many calls, and only count those after them: each record
            keeps about 180 bytes. ``None`` for all.

        Returns
        -------
        Trace
            A context manager with the ``records``, a ``summary()``,
            ``to_json()`` and ``provenance()``.
        """
        from ._display.trace import Trace

        return Trace(self._selector, every_thread=every_thread, most=most)

    def observe(self, sink: scverse_backends.records.Sink) -> scverse_backends.records.Observation:
        """Tell somebody else's code of each call of the process, from now on.

        Parameters
        ----------
        sink
            Is given the `Decision` of each call before it runs. It may give back
            a function, which is given the `TraceRecord` when the call has ended.
            What either raises is a warning, and the call goes on.

        Returns
        -------
        Observation
            Ends it: by ``remove()``, or as a context manager.

        Examples
        --------
        >>> from scverse_backends import BackendDispatcher
        >>> dispatcher = BackendDispatcher(
        ...     entrypoint_group="example.backends", host_name="example"
        ... )
        >>> @dispatcher.backend_dispatch
        ... def double(values):
        ...     return [2 * value for value in values]
        >>> def tell(decision):
        ...     return lambda record: print(record.function, record.backend, record.outcome)
        >>> with dispatcher.settings.observe(tell):
        ...     double([1, 2])
        double cpu returned
        [2, 4]
        """
        from ._display.observation import Observation

        return Observation(sink, self._selector.state)

    def provenance(self) -> dict[str, Any]:
        """Say with what a call that is made here and now would run.

        Returns
        -------
        dict
            Text, lists of text and dictionaries of these: ``"host"``,
            ``"host_version"``, ``"scverse_backends"``, ``"python"`` and
            ``"date"``; what is ``"selected"``, in order of preference, and
            ``"selected_by"`` what; the ``"fallback"`` policy; and for each of
            the ``"backends"`` its ``"distribution"`` and ``"version"``. Where
            there are any, also what is selected ``"by_function"``, the
            ``"options"`` that calls are given, and why backends are
            ``"left_out"``.

        Raises
        ------
        UnknownBackendError, BackendNotInstalledError, BackendLoadError, UntrustedBackendError
            If the environment selects what cannot be selected.

        Examples
        --------
        >>> from scverse_backends import BackendDispatcher
        >>> settings = BackendDispatcher(
        ...     entrypoint_group="example.backends", host_name="example"
        ... ).settings
        >>> found = settings.provenance()
        >>> found["host"], found["selected"], found["fallback"]
        ('example', ['cpu'], 'warn')
        """
        from ._display.trace_records import provenance_of_settings

        return provenance_of_settings(self._selector)


class _ToSetAgain(dict[str, Any]):
    """The settings by name, looked up when they are asked for."""

    def __init__(self, selector: Selector) -> None:
        self._selector = selector

    def __missing__(self, name: str) -> Any:
        return SETTINGS[name](self._selector)


def _restore(address: HostAddress) -> Settings:
    """Unpickle settings: those of the same host, in this process."""
    return Settings(find_host(address))
