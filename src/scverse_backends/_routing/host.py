"""Host functions: what a host decorated, how it wants that dispatched, and what cannot be."""

from __future__ import annotations

from functools import cached_property
from keyword import iskeyword
from operator import attrgetter
from types import FunctionType, MethodWrapperType
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.callables import (
    ASYNC_GENERATOR,
    AWAITED_GENERATOR,
    COROUTINE,
    GENERATOR,
    code_flags,
    lazy,
    named_parameters,
    shows_its_own_signature,
    takes_any_keyword,
)
from scverse_backends._ground.safe_repr import ask_text, attempt, describe_error, safe_repr

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from functools import partial

    from .parameters import Aliases, ParameterMap, Parameters

_RECEIVERS = ("self", "cls")

INITIALIZER = "__scverse_initializer__"
"""Where the construction of a class keeps the only thing that receives its arguments."""

_NOT_HELD = {
    ASYNC_GENERATOR: "an asynchronous generator function",
    AWAITED_GENERATOR: "a generator function that is awaited",
}
"""What no selection can be held for, by the flag of its code."""


class Options(NamedTuple):
    """What a host says when it decorates a function or class; as `backend_dispatch` takes it."""

    name: str | None = None
    ignorable: Iterable[str] = ()
    selector: str | None = "backend"
    host_defaults: bool = False
    parameter_aliases: Mapping[str, str] | None = None


class _Look(NamedTuple):
    """What is seen of a callable at decoration."""

    named: tuple[str, ...]
    """The names of its parameters, as `inspect` shows them."""
    flags: int
    """Those of its code, which tell whether a call gives a coroutine or a generator."""


class HostFunction:
    """A decorated function and how the host wants it dispatched.

    Attributes
    ----------
    named
        The names of its parameters, as `inspect` shows them.
    is_coroutine
        Whether calling it gives a coroutine.
    is_suspended
        Whether calling it gives a coroutine or generator, whose body runs later.

    Raises
    ------
    TypeError
        If it is no function, has a parameter named as the selector, or hides its
        signature.
    """

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
        self.named, flags = _checked(func, selector, is_class=is_class)
        self.is_class = is_class
        self._take(func, flags)
        self.name = name
        self.aliases = aliases or {}
        self.ignorable = (
            ignorable.union(*map(self.names_of, ignorable)) if self.aliases else ignorable
        )
        self.selector_name = selector
        self.host_defaults = host_defaults
        self.should_run = should_run
        self.public: Callable[..., Any] = func

    def construct_by(self, func: partial[Any]) -> None:
        """Take what constructs the class as the host does, once that can be told."""
        # Most classes are constructed by Python itself.
        is_usual = type(func.func) is MethodWrapperType
        self._take(func, 0 if is_usual else code_flags(func))

    def _take(self, func: Callable[..., Any], flags: int) -> None:
        self.func = func
        self.is_coroutine = bool(flags & COROUTINE)
        self.is_suspended = bool(flags & (COROUTINE | GENERATOR))

    @lazy
    def parameters(self) -> Parameters:
        """Read what the host's own code takes, when a backend is first asked."""
        from .parameters import parameters_of

        return parameters_of(self.func)

    @lazy
    def receiver(self) -> str | None:
        """Name the parameter by which a method gets its object, or a class method its class."""
        # A constructor has a parameter of such a name like any other; its object is not there yet.
        first = self.parameters.positional[:1] if type(self.func) is FunctionType else ()
        return first[0] if first and first[0] in _RECEIVERS else None

    def _object_in(self, theirs: Parameters) -> Mapping[str, str]:
        """Tell where the object of a method arrives: first, whatever that is called."""
        receiver = self.receiver
        if receiver is None or receiver in theirs.names:
            return {}
        first = theirs.positional[0] if theirs.positional else receiver
        return {} if first in self.parameters.names else {receiver: first}

    def map_to(self, renames: Mapping[str, str], theirs: Parameters) -> ParameterMap:
        """Tell where its parameters go, under an adapter's renames, in an implementation."""
        from .parameters import ParameterMap, with_aliases

        renames = {**self._object_in(theirs), **renames}
        renames = with_aliases(renames, self.aliases, theirs.names)
        return ParameterMap(self.parameters, renames, self.aliases)

    def names_of(self, parameter: str) -> tuple[str, ...]:
        """Give all names by which the host calls a parameter."""
        return self.aliases.get(parameter, (parameter,))

    def own_name(self, name: str) -> str:
        """Give the name that a parameter has in the host's signature; if none, the same name."""
        ours = self.parameters.names
        return name if name in ours else next(filter(ours.__contains__, self.names_of(name)), name)

    def takes(self, name: str) -> bool:
        """Whether it takes an argument of this name."""
        return self.parameters.takes_kwargs or self.own_name(name) in self.parameters.names

    def may_ignore(self, name: str) -> bool:
        """Whether a backend may lack one of the host's own arguments."""
        return name in self.ignorable and self.takes(name)

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


def names_by_name(pairs: Mapping[str, str]) -> Aliases:
    """Group ``{old name: new name}``, in which no name leads back to itself."""
    groups: dict[str, list[str]] = {}
    for old in pairs:
        newest = pairs[old]
        while newest in pairs:
            newest = pairs[newest]
        groups.setdefault(newest, [newest]).append(old)
    return {name: tuple(names) for names in groups.values() for name in names}


def _checked(func: Any, selector: str, *, is_class: bool) -> _Look:
    """Look at a callable, and refuse one whose calls cannot be routed by name.

    Raises
    ------
    TypeError
        If it is none, has a parameter named as the selector, or hides its signature.
    """
    found = attempt(
        lambda: _look(func, selector, is_class=is_class),
        lambda error: (
            f"has a signature that cannot be read: {describe_error(error)}; "
            "decorate a function of yours that calls it."
        ),
    )
    if isinstance(found, str):
        msg = f"{shown_name(func.fget if isinstance(func, property) else func)} {found}"
        raise TypeError(msg)
    return found


def _look(func: Any, selector: str, *, is_class: bool) -> _Look | str:
    """Look at a callable once, or say why it cannot be dispatched."""
    # A plain function, of which a host may have thousands, is asked nothing else.
    objection = None if is_class or type(func) is FunctionType else _objection(func)
    if objection:
        return objection
    flags = 0 if is_class else code_flags(func)
    for flag, kind in _NOT_HELD.items():
        if flags & flag:
            return f"is {kind}, for which no selection can be held; decorate what it calls."
    named = tuple(named_parameters(func))
    return _clash(named, selector) or _Look(named, flags)


def shown_name(value: object) -> str:
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
    return None


def _clash(named: Collection[str], selector: str) -> str | None:
    """Say why the selector cannot be a parameter of a callable."""
    if selector and (not selector.isidentifier() or iskeyword(selector)):
        return f"cannot have a parameter selector={selector!r}; choose a Python name."
    if selector in named:
        return (
            f"already has a parameter {selector!r}; "
            "choose another with selector=..., or selector=None."
        )
    return None
