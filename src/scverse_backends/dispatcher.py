"""The dispatcher: one for each host; it wires the parts and decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

import scverse_backends

from ._backends.configuration import FallbackPolicy, UntrustedPolicy, configure
from ._display.catalogue import Catalogue
from ._ground.callables import public_names
from ._routing.host import Options
from ._selection.selector import Selector
from .settings import Settings

if TYPE_CHECKING:
    from typing import ParamSpec, TypeVar

    import scverse_backends.records

    from ._backends.registry import Registry
    from ._ground.rendering import Page
    from .typing import Dispatched, DispatchedBy

    P = ParamSpec("P")
    R = TypeVar("R")
    C = TypeVar("C", bound=type)


class BackendDispatcher:
    """Lets separately installed backends run the functions of one host.

    Parameters
    ----------
    entrypoint_group
        The entry-point group under which backends register, ``"example_host.backends"``.
    host_name
        Name of the host in messages. The environment variables
        ``EXAMPLE_HOST_BACKEND`` and ``EXAMPLE_HOST_BACKEND_FALLBACK`` are named after it.
    trusted_backends
        The canonical names that the host trusts. For each: ``aliases``,
        ``package`` (what to install, and the distribution it must come from),
        and optionally ``distributions``, ``entrypoints``, ``object_refs`` and
        ``module_prefixes``, which narrow down what may serve it.
    reserved_backends
        Labels that no backend may claim, each with what to write instead.
    ignorable
        Parameters of host functions that a backend may lack. They change how
        fast a result comes, not what it is.
    parameter_aliases
        Old names of parameters and the new ones, ``{"random_state": "rng"}``: two
        names of one parameter. By whichever a call gives it, it reaches a backend
        under the name that the backend has.
    fallback
        What happens when no selected backend can take a call: ``"warn"``,
        ``"silent"`` or ``"error"``.
    untrusted
        What happens with backends that the host does not trust: ``"warn"`` on
        first use, ``"allow"``, or ``"refuse"``.
    should_run
        Asked about each call before a backend runs it, with the function's
        dispatch name and the arguments by name, unless the call itself names
        the backend. A string says why the backend had better not; the next
        choice runs the call then, and that is no fallback.

    Raises
    ------
    BackendConfigurationError
        With every mistake in the configuration, if there is any.

    Examples
    --------
    >>> from scverse_backends import BackendDispatcher
    >>> dispatcher = BackendDispatcher(
    ...     entrypoint_group="example.backends", host_name="example"
    ... )
    >>> @dispatcher.backend_dispatch
    ... def double(values):
    ...     return [2 * value for value in values]
    >>> class Halves:
    ...     name = "halves"
    ...     def double(self, values):
    ...         return [value / 0.5 for value in values]
    >>> with dispatcher.register(Halves):
    ...     double([1, 2], backend="halves")
    [2.0, 4.0]
    >>> double([1, 2])
    [2, 4]
    """

    # So that `dispatcher.fallback = ...` fails: after construction, that is for its settings.
    __slots__ = ("__weakref__", "_catalogue", "_selector", "_settings")

    def __init__(
        self,
        *,
        entrypoint_group: str,
        host_name: str,
        trusted_backends: Mapping[str, Mapping[str, Any]] | None = None,
        reserved_backends: Mapping[str, str] | None = None,
        ignorable: Iterable[str] = (),
        parameter_aliases: Mapping[str, str] | None = None,
        fallback: FallbackPolicy = "warn",
        untrusted: UntrustedPolicy = "warn",
        should_run: Callable[[str, dict[str, Any]], object] | None = None,
    ) -> None:
        configuration = configure(
            entrypoint_group=entrypoint_group,
            host_name=host_name,
            trusted_backends=trusted_backends,
            reserved_backends=reserved_backends,
            ignorable=ignorable,
            parameter_aliases=parameter_aliases,
            fallback=fallback,
            untrusted=untrusted,
            should_run=should_run,
        )
        self._selector = Selector(configuration)
        self._settings = Settings(self._selector)
        self._catalogue = Catalogue(self._selector)

    def __dir__(self) -> list[str]:
        return public_names(self)

    def __repr__(self) -> str:
        return str(self._page())

    def _repr_html_(self) -> str:
        return self._page()._repr_html_()

    def _page(self) -> Page:
        # Imported here because most runs never show anything.
        from ._display.overview import dispatcher_page

        functions = tuple(sorted(self._catalogue.dispatched))
        return dispatcher_page(self._selector, functions)

    @property
    def entrypoint_group(self) -> str:
        """The entry-point group under which backends register."""
        return self._selector.configuration.group

    @property
    def host_name(self) -> str:
        """Name of the host in messages."""
        return self._selector.configuration.host

    @property
    def settings(self) -> Settings:
        """What users select backends with."""
        return self._settings

    @property
    def dispatched(self) -> Mapping[str, Callable[..., Any]]:
        """Every decorated function by its dispatch name; read-only."""
        return self._catalogue.dispatched

    @overload
    def backend_dispatch(self, func: Callable[P, R], /) -> Dispatched[P, R]: ...
    @overload
    def backend_dispatch(  # type: ignore[overload-overlap] # the literal is taken first, as is meant
        self,
        /,
        *,
        name: str | None = None,
        ignorable: Iterable[str] = (),
        selector: Literal["backend"] | None = "backend",
        host_defaults: bool = False,
        parameter_aliases: Mapping[str, str] | None = None,
    ) -> Callable[[Callable[P, R]], Dispatched[P, R]]: ...
    @overload
    def backend_dispatch(
        self,
        /,
        *,
        name: str | None = None,
        ignorable: Iterable[str] = (),
        selector: str,
        host_defaults: bool = False,
        parameter_aliases: Mapping[str, str] | None = None,
    ) -> Callable[[Callable[P, R]], DispatchedBy[P, R]]: ...
    def backend_dispatch(
        self,
        func: Callable[..., Any] | None = None,
        /,
        *,
        name: str | None = None,
        ignorable: Iterable[str] = (),
        selector: str | None = "backend",
        host_defaults: bool = False,
        parameter_aliases: Mapping[str, str] | None = None,
    ) -> Any:
        """Let backends run a function: ``@backend_dispatch``, or with options.

        Parameters
        ----------
        func
            A function, plain or ``async``, a method in its class, or another callable.
        name
            The name under which adapters offer it. Defaults to the function's
            own. A dotted name, ``"tl.umap"``, walks an adapter's namespaces.
        ignorable
            Parameters of this function that a backend may lack, besides the host's.
        selector
            Name of the parameter that selects backends for one call; ``None`` for none.
        host_defaults
            Forward the host's default where a backend's differs or is missing.
        parameter_aliases
            Old and new names of this function's parameters, besides the host's.

        Returns
        -------
        Dispatched
            A function with the same signature and the selector.

        Raises
        ------
        TypeError
            If calls of the function cannot be routed by name.
        ValueError
            If another function has the same dispatch name.

        Examples
        --------
        >>> from scverse_backends import BackendDispatcher
        >>> dispatcher = BackendDispatcher(
        ...     entrypoint_group="example.backends", host_name="example"
        ... )
        >>> @dispatcher.backend_dispatch(name="tl.double", ignorable=["n_jobs"])
        ... def double(values, n_jobs=1):
        ...     return [2 * value for value in values]
        >>> list(dispatcher.dispatched)
        ['tl.double']
        """
        options = Options(name, ignorable, selector, host_defaults, parameter_aliases)
        decorate = self._catalogue.decorate
        return partial(decorate, options=options) if func is None else decorate(func, options)

    @overload
    def backend_class(self, cls: C, /) -> C: ...
    @overload
    def backend_class(
        self,
        /,
        *,
        name: str | None = None,
        ignorable: Iterable[str] = (),
        selector: str | None = "backend",
        host_defaults: bool = False,
        parameter_aliases: Mapping[str, str] | None = None,
    ) -> Callable[[C], C]: ...
    def backend_class(
        self,
        cls: type | None = None,
        /,
        *,
        name: str | None = None,
        ignorable: Iterable[str] = (),
        selector: str | None = "backend",
        host_defaults: bool = False,
        parameter_aliases: Mapping[str, str] | None = None,
    ) -> Any:
        """Let backends construct a class of their own where users construct this one.

        Write it above every other decorator of the class. An undecorated
        subclass constructs normally.

        Parameters
        ----------
        cls
            A class. One whose metaclass is `type` is made anew, without
            running ``__init_subclass__`` again; any other is changed in place.
        name, ignorable, selector, host_defaults, parameter_aliases
            As for `backend_dispatch`, for the constructor.

        Raises
        ------
        TypeError
            If it is not a class, or cannot be dispatched.
        ValueError
            If something else has the same dispatch name.

        Examples
        --------
        >>> from scverse_backends import BackendDispatcher
        >>> dispatcher = BackendDispatcher(
        ...     entrypoint_group="example.backends", host_name="example"
        ... )
        >>> @dispatcher.backend_class
        ... class Model:
        ...     def __init__(self, layers=2):
        ...         self.layers = layers
        >>> class Fast:
        ...     name = "fast"
        ...     class Model(Model):
        ...         pass
        >>> with dispatcher.register(Fast):
        ...     type(Model(layers=3, backend="fast")).__qualname__
        'Fast.Model'
        """
        options = Options(name, ignorable, selector, host_defaults, parameter_aliases)
        decorate = self._catalogue.decorate_class
        return partial(decorate, options=options) if cls is None else decorate(cls, options)

    def get_backend(self, name: str) -> Any:
        """Load a backend's adapter; ``None`` for ``"cpu"``. See `Settings.get_backend`."""
        return self._settings.get_backend(name)

    def available_backend_names(self) -> list[str]:
        """List every label of every backend that can be loaded.

        A backend without a manifest is imported to ask it; one that the host
        does not trust with the warning that its use gives.
        """
        self._selector.registry.know_all()
        return sorted(set(self._selector.registry.labels()))

    def backends(self) -> tuple[scverse_backends.records.BackendInfo, ...]:
        """Describe what is installed, from its metadata; nothing is imported."""
        return tuple(one.info for one in self._selector.registry.listed())

    def discover(self) -> None:
        """Show in signatures and docstrings what each installed backend adds.

        A backend without a manifest is imported; one that the host does not
        trust with the warning that its use gives. A broken one is reported and
        hides no other.
        """
        self._selector.registry.know_all(report=True)
        self._catalogue.discovered = True
        self._catalogue.ask_all(report=True)

    def refresh(self) -> None:
        """Look again at what is installed; the same as `Settings.refresh`."""
        self._selector.refresh()

    def register(self, adapter: Any) -> scverse_backends.records.Registration:
        """Add an adapter of this process, trusted because the caller registers it.

        Parameters
        ----------
        adapter
            A module, an object, or a class that is instantiated without arguments.

        Returns
        -------
        Registration
            Ends the registration: by ``remove()``, or as a context manager.

        Raises
        ------
        BackendConfigurationError
            If it is not a valid adapter, or a label is reserved or registered already.

        Examples
        --------
        >>> from scverse_backends import BackendDispatcher
        >>> dispatcher = BackendDispatcher(
        ...     entrypoint_group="example.backends", host_name="example"
        ... )
        >>> class Fast:
        ...     name = "fast"
        >>> with dispatcher.register(Fast):
        ...     dispatcher.settings.available_backends()
        ['fast']
        """
        from ._backends.registry import Registration

        return Registration(self._selector.registry, self._selector.registry.register(adapter))


class Parts(NamedTuple):
    """What a dispatcher is made of, for the tools of this library."""

    registry: Registry
    catalogue: Catalogue
    selector: Selector


def parts(dispatcher: BackendDispatcher) -> Parts:
    """Give the parts of a dispatcher."""
    selector = dispatcher._selector  # noqa: SLF001 - as in one class
    return Parts(selector.registry, dispatcher._catalogue, selector)  # noqa: SLF001 - as above
