"""The catalogue: every decorated function and class of one host, by its dispatch name."""

from __future__ import annotations

from functools import partial
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from scverse_backends._backends.configuration import names_in
from scverse_backends._routing.functions import dispatch
from scverse_backends._routing.host import HostFunction, Options
from scverse_backends._selection.blocks import DISPATCH

from .public import show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from scverse_backends._ground.labels import Configuration
    from scverse_backends._routing.functions import Dispatch
    from scverse_backends._selection.selector import Selector

    from .public import Public


class Catalogue:
    """What one host has decorated.

    Attributes
    ----------
    dispatched
        Dispatch name to public callable; read-only.
    discovered
        Whether all backends were asked for all they offer, so that what is
        decorated from now on asks them too.
    """

    def __init__(self, configuration: Configuration, selector: Selector) -> None:
        self._ignorable = configuration.ignorable
        self._selector = selector
        self._dispatched: dict[str, Callable[..., Any]] = {}
        self._shown: dict[str, Public] = {}
        self._lock = Lock()
        self.dispatched = MappingProxyType(self._dispatched)
        self.discovered = False

    def decorate(
        self,
        func: Callable[..., Any],
        options: Options,
        finish: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda public: public,
    ) -> Callable[..., Any]:
        """Decorate one function and enter what users call under its dispatch name."""
        _check_options(options)
        function = HostFunction(
            func,
            name=options.name or str(getattr(func, "__name__", "")),
            ignorable=self._ignorable.union(options.ignorable),
            selector=options.selector or "",
            host_defaults=options.host_defaults,
        )
        self._check_name(function)
        public = dispatch(function, self._selector)
        shown = show(public, getattr(public, DISPATCH))
        public = function.public = finish(public)
        self._check_ignorable(function, options.ignorable)
        with self._lock:
            self._dispatched[function.name] = public
            self._shown[function.name] = shown
        if self.discovered:
            shown.presentation.ask(report=True)
        return public

    def decorate_class(self, cls: type, options: Options) -> Callable[..., Any]:
        """Decorate the construction of a class."""
        from scverse_backends._routing.classes import constructor, dispatchable, entrust

        made = dispatchable(cls)
        return self.decorate(constructor(made), options, finish=partial(entrust, made))

    def ask_all(self, *, report: bool) -> None:
        """Ask every loaded backend for its implementation of every function."""
        for shown in [*self._shown.values()]:
            shown.presentation.ask(report=report)

    def dispatches(self) -> Iterator[Dispatch]:
        """Give what decides the calls of each decorated function, by their names' order."""
        for name in sorted(self._dispatched):
            yield getattr(self._dispatched[name], DISPATCH)

    def _check_name(self, function: HostFunction) -> None:
        """Refuse a dispatch name that would confuse adapters."""
        given: object = function.func  # a type checker knows better, and is not always asked
        if isinstance(given, str):
            msg = f"{given!r} is no function; write @backend_dispatch(name=...)."
            raise TypeError(msg)
        if not all(part.isidentifier() for part in function.name.split(".")):
            what = f"be dispatched as {function.name!r}" if function.name else "name itself"
            msg = (
                f"{function.func!r} cannot {what}: a dispatch name is a Python name, or several "
                "joined by dots; pass name='...'."
            )
            raise ValueError(msg)
        other = self._dispatched.get(function.name)
        if other is not None and _home(other) != _home(function.func):
            msg = (
                f"{_home(function.func)} and {_home(other)} would both be dispatched "
                f"as {function.name!r}; pass name=... to tell them apart."
            )
            raise ValueError(msg)

    def _check_ignorable(self, function: HostFunction, ignorable: Iterable[str]) -> None:
        """Refuse an ignorable parameter that does not exist."""
        missing = [n for n in ignorable if not function.may_ignore(n)]
        if missing:
            msg = f"{_home(function.func)} has no parameter {missing[0]!r} that could be ignorable."
            raise ValueError(msg)


def _check_options(options: Options) -> None:
    """Refuse what no decoration can mean."""
    given: dict[str, Any] = {"name": options.name, "selector": options.selector}
    for option, value in given.items():
        if not isinstance(value, str | None):
            msg = f"{option}= must be a string, not {value!r}"
            raise TypeError(msg)
    mistakes: list[str] = []
    names_in(options.ignorable, "ignorable", mistakes)
    if mistakes:
        raise TypeError(mistakes[0])


def _home(func: Callable[..., Any]) -> str:
    return f"{getattr(func, '__module__', '?')}.{getattr(func, '__qualname__', repr(func))}"
