"""Host functions: what a host decorated, how it wants that dispatched, and what cannot be."""

from __future__ import annotations

from functools import cached_property
from keyword import iskeyword
from operator import attrgetter
from types import FunctionType, MethodWrapperType
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.callables import (
    is_async_generator_function,
    is_awaited_generator_function,
    is_coroutine_function,
    is_generator_function,
    named_parameters,
    shows_its_own_signature,
    takes_any_keyword,
)
from scverse_backends._ground.safe_repr import ask_text, attempt, describe_error, safe_repr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .parameters import Aliases, ParameterMap, Parameters

_RECEIVERS = ("self", "cls")

INITIALIZER = "__scverse_initializer__"
"""Where the construction of a class keeps the only thing that receives its arguments."""

_NOT_HELD = {
    "an asynchronous generator function": is_async_generator_function,
    "a generator function that is awaited": is_awaited_generator_function,
}
"""What no selection can be held for, and how it is known."""


class Options(NamedTuple):
    """What a host says when it decorates a function or class; as `backend_dispatch` takes it."""

    name: str | None = None
    ignorable: Iterable[str] = ()
    selector: str | None = "backend"
    host_defaults: bool = False
    parameter_aliases: Mapping[str, str] | None = None


class HostFunction:
    """A decorated function and how the host wants it dispatched."""

    def __init__(
        self,
        func: Callable[..., Any],
        *,
        name: str,
        ignorable: frozenset[str] = frozenset(),
        selector: str = "backend",
        host_defaults: bool = False,
        aliases: Aliases | None = None,
        should_run: Callable[[str, dict[str, Any]], object] | None = None,
        is_class: bool = False,
    ) -> None:
        self.func = func
        self.name = name
        self.is_class = is_class
        self.aliases = aliases or {}
        self.ignorable = ignorable.union(*map(self.names_of, ignorable))
        self.selector = selector
        self.host_defaults = host_defaults
        self.should_run = should_run
        self.public: Callable[..., Any] = func

    @cached_property
    def named(self) -> tuple[str, ...]:
        """The names of its parameters, as `inspect` shows them."""
        return tuple(named_parameters(self.func))

    @cached_property
    def parameters(self) -> Parameters:
        """What the host's own code takes; read when a backend is first asked."""
        from .parameters import read

        return read(self.func)

    @cached_property
    def receiver(self) -> str | None:
        """The parameter by which a method gets its object, or a class method its class."""
        # A constructor has a parameter of such a name like any other; its object is not there yet.
        first = self.parameters.positional[:1] if type(self.func) is FunctionType else ()
        return first[0] if first and first[0] in _RECEIVERS else None

    @cached_property
    def _plain_map(self) -> ParameterMap:
        """Where its parameters go where nothing renames them."""
        from .parameters import ParameterMap

        return ParameterMap(self.parameters, {})

    def _object_in(self, theirs: Parameters) -> Mapping[str, str]:
        """Tell where the object of a method arrives: first, whatever that is called."""
        receiver = self.receiver
        if receiver is None or receiver in theirs.names:
            return {}
        first = theirs.positional[0] if theirs.positional else receiver
        return {} if first in self.parameters.names else {receiver: first}

    def map_to(self, renames: Mapping[str, str], theirs: Parameters) -> ParameterMap:
        """Tell where its parameters go, under an adapter's renames, in an implementation."""
        renames = {**self._object_in(theirs), **renames}
        if not (renames or self.aliases):
            return self._plain_map
        from .parameters import ParameterMap, with_aliases

        return ParameterMap(
            self.parameters, with_aliases(renames, self.aliases, theirs.names), self.aliases
        )

    def names_of(self, parameter: str) -> tuple[str, ...]:
        """Give all names by which the host calls a parameter."""
        return self.aliases.get(parameter, (parameter,))

    def own_name(self, name: str) -> str:
        """Give the name that a parameter has in the host's signature; if none, the same name."""
        ours = self.parameters.names
        return name if name in ours else next(filter(ours.__contains__, self.names_of(name)), name)

    def may_ignore(self, name: str) -> bool:
        """Whether a backend may lack one of the host's own arguments."""
        host = self.parameters
        return name in self.ignorable and (self.own_name(name) in host.names or host.takes_kwargs)

    @property
    def is_plain(self) -> bool:
        """Whether nothing stands in the way of believing the signature."""
        return shows_its_own_signature(getattr(self.func, INITIALIZER, self.func))

    @property
    def refuses_unknown_keywords(self) -> bool:
        """Whether a call with the selector fails before any of the host's code runs.

        Then nothing needs to look for the selector until that failure.
        """
        return not takes_any_keyword(self.func)

    @cached_property
    def is_coroutine(self) -> bool:
        """Whether calling it gives a coroutine."""
        return self._may_suspend and is_coroutine_function(self.func)

    @cached_property
    def is_suspended(self) -> bool:
        """Whether calling it gives a coroutine or generator, whose body runs later."""
        return self.is_coroutine or (self._may_suspend and is_generator_function(self.func))

    @property
    def _may_suspend(self) -> bool:
        """Whether it is worth asking; most classes are constructed by Python itself."""
        func: Any = self.func
        return not self.is_class or type(func.func) is not MethodWrapperType


def names_by_name(pairs: Mapping[str, str]) -> Aliases:
    """Group ``{old name: new name}``, in which no name leads back to itself."""
    groups: dict[str, list[str]] = {}
    for old in pairs:
        newest = pairs[old]
        while newest in pairs:
            newest = pairs[newest]
        groups.setdefault(newest, [newest]).append(old)
    return {name: tuple(names) for names in groups.values() for name in names}


def check_host(function: HostFunction) -> None:
    """Refuse, at decoration, a callable whose calls cannot be routed by name.

    Raises
    ------
    TypeError
        If it is no function, has a parameter named as the selector, or hides its
        signature.
    """
    func: Any = function.func
    problem = attempt(
        lambda: (not function.is_class and _objection(func)) or _clash(function),
        lambda error: (
            f"has a signature that cannot be read: {describe_error(error)}; "
            "decorate a function of yours that calls it."
        ),
    )
    if problem:
        msg = f"{label(func.fget if isinstance(func, property) else func)} {problem}"
        raise TypeError(msg)


def label(value: object) -> str:
    """Name a callable in a message, whatever it does when it is asked for its name."""
    return ask_text(attrgetter("__qualname__"), value) or safe_repr(value)


def _objection(func: Any) -> str | None:
    """Say why a callable is not one that can be dispatched as a function."""
    if isinstance(func, type):
        return "is a class; decorate it with backend_class."
    if isinstance(func, (staticmethod, classmethod)):
        return f"is a method already; write @{type(func).__name__} above @backend_dispatch."
    if isinstance(func, (property, cached_property)):
        return "is a property, and reading it is no call; decorate a method that it calls."
    if not callable(func):
        binds = hasattr(func, "__get__")
        return (
            f"cannot be called; decorate {'the function that it binds' if binds else 'a function'}."
        )
    kind = next((kind for kind, is_one in _NOT_HELD.items() if is_one(func)), None)
    return kind and f"is {kind}, for which no selection can be held; decorate what it calls."


def _clash(function: HostFunction) -> str | None:
    """Say why the selector cannot be a parameter of a callable."""
    selector = function.selector
    if selector and (not selector.isidentifier() or iskeyword(selector)):
        return f"cannot have a parameter selector={selector!r}; choose a Python name."
    if selector in function.named:
        return (
            f"already has a parameter {selector!r}; "
            "choose another with selector=..., or selector=None."
        )
    return None
