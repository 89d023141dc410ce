"""The loopback: a backend made of the host's own functions, to prove that dispatch changes nothing."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any

from scverse_backends._routing.suspended import mark_as_coroutine_function
from scverse_backends._selection.blocks import DISPATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scverse_backends._backends.registry import Registration
    from scverse_backends.dispatcher import BackendDispatcher

NAME = "loopback"


def loopback(dispatcher: BackendDispatcher) -> Registration:
    """Register a backend ``"loopback"`` that runs the host's own code.

    A call of it takes the whole way of a call of a backend. A host whose tests
    pass with it as without it knows that dispatch changes none of its results.

    Parameters
    ----------
    dispatcher
        The host's. What it decorates later is offered too.

    Returns
    -------
    Registration
        A context manager that ends the registration. It selects nothing.

    Raises
    ------
    BackendConfigurationError
        If the host reserves the label, or it is registered already.

    Examples
    --------
    >>> from scverse_backends import BackendDispatcher
    >>> from scverse_backends.testing import loopback
    >>> dispatcher = BackendDispatcher(
    ...     entrypoint_group="example.backends", host_name="example"
    ... )
    >>> @dispatcher.backend_dispatch
    ... def double(values):
    ...     return [2 * value for value in values]
    >>> with loopback(dispatcher), dispatcher.settings.use_backend("loopback"):
    ...     print(dispatcher.settings.explain(double, [1, 2]).backend)
    ...     print(double([1, 2]))
    loopback
    [2, 4]
    """
    return dispatcher.register(_Adapter(dispatcher.dispatched))


class _Namespace:
    """Offers what stands below one prefix of the dispatch names; each stand-in is made once."""

    def __init__(self, dispatched: Mapping[str, Callable[..., Any]], prefix: str = "") -> None:
        self._dispatched = dispatched
        self._prefix = prefix

    def __getattr__(self, name: str) -> Any:
        path = f"{self._prefix}{name}"
        if path in self._dispatched:
            found = _stand_in(self._dispatched[path])
        elif any(known.startswith(f"{path}.") for known in self._dispatched):
            found = _Namespace(self._dispatched, f"{path}.")
        else:
            msg = f"no dispatched function is called {path!r}"
            raise AttributeError(msg, name=name, obj=self)
        setattr(self, name, found)
        return found


class _Adapter(_Namespace):
    """The adapter itself."""

    name = NAME
    aliases = ()
    renames: Mapping[str, Any] = {}
    can_run = None

    @property
    def __all__(self) -> list[str]:
        return [*self._dispatched]


def _stand_in(public: Any) -> Any:
    """Make what runs the host's own code of a dispatched function or class, and is not it."""
    own = getattr(public, DISPATCH).function.func
    if inspect.isclass(public):
        return _constructor(public, own)

    @wraps(own)
    def run(*args: Any, **kwargs: Any) -> Any:
        return own(*args, **kwargs)

    if inspect.iscoroutinefunction(own):
        mark_as_coroutine_function(run)
    return run


def _constructor(public: type, own: Callable[..., Any]) -> type:
    """Make a class whose construction is the host's, of the host's class."""

    def construct(cls: type, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG001 - what __new__ gets
        return own(*args, **kwargs)

    namespace = {"__new__": construct, "__signature__": inspect.signature(own)}
    return type(public.__name__, (), {**namespace, "__doc__": public.__doc__})
