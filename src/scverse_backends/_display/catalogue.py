"""The catalogue: every decorated function and class of one host, by its dispatch name.

What a decorated function shows is worked out on the first look: decorating
imports neither `inspect` nor anything of the backends.
"""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from types import FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any

from scverse_backends._backends.configuration import aliases_in, circles, names_in
from scverse_backends._ground.callables import (
    annotate,
    docstring_of,
    making,
    name_of,
    once,
    takes_any_keyword,
)
from scverse_backends._ground.docstrings import with_selector
from scverse_backends._ground.labels import SELECTOR_TYPE
from scverse_backends._ground.safe_repr import ask_text, safe_repr
from scverse_backends._routing.functions import dispatch
from scverse_backends._routing.host import HostFunction, Options, names_by_name
from scverse_backends._selection.blocks import DISPATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from inspect import Signature

    from scverse_backends._routing.functions import Dispatch
    from scverse_backends._routing.parameters import Aliases
    from scverse_backends._selection.selector import Selector

    from .presentation import Presentation


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

    def __init__(self, selector: Selector) -> None:
        self._selector = selector
        self._configuration = selector.configuration
        self._names_of_all = names_by_name(self._configuration.parameter_aliases)
        self._dispatched: dict[str, Callable[..., Any]] = {}
        self._shown: dict[str, _Shown] = {}
        self._with_methods: set[str] = set()
        self.dispatched = MappingProxyType(self._dispatched)
        self.discovered = False
        selector.on_load = _import_path
        selector.on_refresh = self._show_again

    def decorate(self, func: Callable[..., Any], options: Options) -> Callable[..., Any]:
        """Decorate one function and enter what users call under its dispatch name."""
        function = self._checked(func, options)
        if type(func) is FunctionType:
            return self._enter(function)
        from scverse_backends._routing.objects import stand_for

        return self._enter(function, partial(stand_for, func))

    def decorate_class(self, cls: type, options: Options) -> Callable[..., Any]:
        """Decorate the construction of a class."""
        from scverse_backends._routing.classes import attach, below, constructor, dispatchable

        # Everything is checked before anything is changed: a refused class stays what it was.
        construct = constructor(cls)
        function = self._checked(construct, options, is_class=True)
        made = dispatchable(cls)
        function.construct_by(below(made, construct))
        return self._enter(function, partial(attach, made))

    def _checked(
        self, func: Callable[..., Any], options: Options, *, is_class: bool = False
    ) -> HostFunction:
        """Describe a function, and refuse what cannot be dispatched as its host asks."""
        own, ignorable = _check_options(options), self._configuration.ignorable
        name = options.name or name_of(func)
        self._check_name(func, name)
        function = HostFunction(
            func,
            name=name,
            ignorable=ignorable.union(own) if own else ignorable,
            selector=options.selector or "",
            host_defaults=options.host_defaults,
            aliases=self._names(func, options.parameter_aliases),
            should_run=self._configuration.should_run,
            is_class=is_class,
        )
        self._check_members(function)
        _check_ignorable(function, own)
        if options.parameter_aliases:
            _check_aliases(function, options.parameter_aliases)
        return function

    def _enter(
        self,
        function: HostFunction,
        finish: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda public: public,
    ) -> Callable[..., Any]:
        """Make what users call, and enter it under its dispatch name."""
        public = dispatch(function, self._selector)
        shown = _Shown(public, self._configuration.trusted_names)
        public = function.public = finish(public)
        self._dispatched[function.name] = public
        self._shown[function.name] = shown
        self._with_methods.add(_class_of(function))
        self._selector.functions[function.name] = getattr(public, DISPATCH)
        if self.discovered:
            shown.presentation.ask(report=True)
        return public

    def ask_all(self, *, report: bool) -> None:
        """Ask every loaded backend for its implementation of every function."""
        for shown in [*self._shown.values()]:
            shown.presentation.ask(report=report)

    def _show_again(self) -> None:
        """Follow a refresh: show anew what every backend offers, if that is shown."""
        if self.discovered:
            self._selector.registry.read_manifests()
            self.ask_all(report=False)

    def dispatches(self) -> Iterator[Dispatch]:
        """Give what decides the calls of each decorated function, by their names' order."""
        for name in sorted(self._dispatched):
            yield getattr(self._dispatched[name], DISPATCH)

    def _names(self, func: Any, own: Mapping[str, str] | None) -> Aliases:
        """Group the names of parameters that mean the same, the host's and a function's own."""
        if not own:
            return self._names_of_all
        pairs = {**self._configuration.parameter_aliases, **own}
        for name in circles(pairs):
            msg = (
                f"{_home(func)}: with the host's parameter_aliases, {name!r} leads back to itself."
            )
            raise ValueError(msg)
        return names_by_name(pairs)

    def _check_name(self, func: Any, name: str) -> None:
        """Refuse a dispatch name that would confuse adapters."""
        if isinstance(func, str):
            msg = f"{func!r} is not a function; write @backend_dispatch(name=...)."
            raise TypeError(msg)
        if not all(map(str.isidentifier, name.split("."))):
            what = f"be dispatched as {name!r}" if name else "name itself"
            msg = (
                f"{safe_repr(func)} cannot {what}: a dispatch name is a Python name, or several "
                "joined by dots; pass name='...'."
            )
            raise ValueError(msg)
        other = self._dispatched.get(name)
        last = name.rpartition(".")[2]
        if other is not None and _home(other, last) != _home(func, last):
            msg = (
                f"{_home(func)} and {_home(other)} would both be dispatched "
                f"as {name!r}; pass name=... to tell them apart."
            )
            raise ValueError(msg)

    def _check_members(self, function: HostFunction) -> None:
        """Refuse a class together with its methods: an adapter offers one thing by one name.

        What is called on the class itself, such as a class method, may be one of that class.
        """
        cls = function.name if function.is_class else _class_of(function)
        is_dispatched = isinstance(self._dispatched.get(cls), type)
        if cls in self._with_methods if function.is_class else is_dispatched:
            msg = (
                f"{function.name!r} cannot be dispatched: an adapter's {cls!r} would be both the "
                "class that is built in place of the host's, and the namespace of functions for "
                "the host's own objects. Decorate the class or its methods, or pass name='...'."
            )
            raise ValueError(msg)


def _import_path() -> None:
    """Import what the first call on a backend passes through, before somebody measures that call."""
    with making:
        from scverse_backends._routing import decisions, implementations, resolution  # noqa: F401

        from . import presentation  # noqa: F401


def _class_of(function: HostFunction) -> str:
    """Name the class of a method, as adapters know it; of what takes no object, ``""``."""
    name = function.name.rpartition(".")[0]
    return name if name and next(iter(function.named), "") == "self" else ""


def _check_options(options: Options) -> tuple[str, ...]:
    """Refuse what no decoration can mean, and give the ignorable parameters."""
    for option in ("name", "selector"):
        value = getattr(options, option)
        if value is not None and not isinstance(value, str):
            msg = f"{option}= must be a string, not {value!r}"
            raise TypeError(msg)
    mistakes: list[str] = []
    ignorable: tuple[str, ...] = ()
    if options.ignorable != ():
        ignorable = names_in(options.ignorable, "ignorable", mistakes)
    if options.parameter_aliases is not None:
        aliases_in(options.parameter_aliases, "parameter_aliases", mistakes)
    if mistakes:
        raise TypeError("; ".join(mistakes))
    return ignorable


def _check_ignorable(function: HostFunction, ignorable: Iterable[str]) -> None:
    """Refuse an ignorable parameter that does not exist."""
    for name in ignorable:
        if not function.may_ignore(name):
            msg = f"{_home(function.func)} has no parameter {name!r} that could be ignorable."
            raise ValueError(msg)


def _check_aliases(function: HostFunction, aliases: Mapping[str, str]) -> None:
    """Refuse two names for one parameter that a function has by neither."""
    func = function.func
    for pair in () if takes_any_keyword(func) else aliases.items():
        if not {*function.names_of(pair[0])} & {*function.named}:
            msg = f"{_home(func)} has no parameter {' or '.join(map(repr, pair))} with two names."
            raise ValueError(msg)


def _home(func: Callable[..., Any], name: str = "") -> str:
    """Tell where a callable is; under which name, if it has none of its own."""
    module = ask_text(attrgetter("__module__"), func) or "?"
    return f"{module}.{ask_text(attrgetter('__qualname__'), func) or name or safe_repr(func)}"


class _Shown:
    """What one public function shows its users, now and as backends become known."""

    def __init__(self, public: Callable[..., Any], trusted: tuple[str, ...]) -> None:
        self._dispatch: Dispatch = getattr(public, DISPATCH)
        function = self._dispatch.function
        own = docstring_of(function.func)
        if own:
            public.__doc__ = with_selector(own, function.selector_name, trusted)
        signature = PublicSignature(self.signature)
        setattr(public, "__signature__", signature)  # noqa: B010 - typed as a plain callable
        if function.selector_name:
            annotate(public, function.selector_name, SELECTOR_TYPE)
        self._dispatch.watchers.append(self.learn)

    @once
    def presentation(self) -> Presentation:
        """Make what is worked out when somebody looks or selects a backend."""
        from .presentation import Presentation

        return Presentation(self._dispatch)

    def signature(self) -> Signature:
        """Give the signature as it is now."""
        return self.presentation.signature()

    def learn(self, routes: Iterable[object]) -> None:
        """Take in the routes to implementations."""
        self.presentation.learn(routes)


class PublicSignature:
    """Stands for the `inspect.Signature` that a function has at the moment of the look.

    `functools.wraps` copies ``__signature__`` by reference, so a decorator
    applied outside ours shows what this object shows, also after a change. It is
    not a subclass: every host would import `inspect` for it.
    """

    __slots__ = ("_resolved",)

    def __init__(self, resolved: Callable[[], Signature]) -> None:
        self._resolved = resolved

    @property  # type: ignore[misc] # never set
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] # as above
        from .presentation import PublicSignatureType

        return PublicSignatureType

    def __getattr__(self, name: str) -> Any:
        return getattr(self._resolved(), name)

    def __eq__(self, other: object) -> bool:
        return self._resolved() == other

    def __hash__(self) -> int:
        return hash(self._resolved())

    def __repr__(self) -> str:
        return repr(self._resolved())

    def __str__(self) -> str:
        return str(self._resolved())

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._resolved().__reduce_ex__(protocol)
