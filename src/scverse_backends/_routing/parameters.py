"""Parameters: what a callable takes, and which of it a call gives, as routing asks about them."""

from __future__ import annotations

from inspect import Parameter
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from scverse_backends._ground.callables import signature_of
from scverse_backends._ground.labels import quoted
from scverse_backends._ground.records import ABSENT

from .defaults import alike, same, vagueness

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

Aliases: TypeAlias = "Mapping[str, tuple[str, ...]]"
"""For each name of a parameter that has several: all of them, the newest first."""

_BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_BY_NAME = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


class Parameters(NamedTuple):
    """What a callable takes, in the form that routing asks about."""

    positional: tuple[str, ...]
    """May be given by position, in this order."""
    positional_only: frozenset[str]
    keyword: frozenset[str]
    """May be given by name."""
    defaults: Mapping[str, Any]
    required: frozenset[str]
    takes_kwargs: bool
    rest: str | None
    """The name of ``*args``, which takes what is given by position behind the others."""
    own: tuple[Parameter, ...]
    """As they were read, once and for all: a foreign signature may be another the next time."""
    names: frozenset[str]
    """Every parameter that has a name of its own."""


def parameters_of(func: Callable[..., Any]) -> Parameters:
    """Read what a callable takes; raises whatever `inspect.signature` raises."""
    return by_kind(signature_of(func).parameters.values())


def by_kind(parameters: Iterable[Parameter]) -> Parameters:
    """Sort parameters by how they may be given."""
    found = tuple(parameters)
    named = [p for p in found if p.kind in _BY_POSITION or p.kind is Parameter.KEYWORD_ONLY]
    return Parameters(
        positional=tuple(p.name for p in named if p.kind in _BY_POSITION),
        positional_only=frozenset(p.name for p in named if p.kind is Parameter.POSITIONAL_ONLY),
        keyword=frozenset(p.name for p in named if p.kind in _BY_NAME),
        defaults={p.name: p.default for p in named if p.default is not Parameter.empty},
        required=frozenset(p.name for p in named if p.default is Parameter.empty),
        takes_kwargs=any(p.kind is Parameter.VAR_KEYWORD for p in found),
        rest=next((p.name for p in found if p.kind is Parameter.VAR_POSITIONAL), None),
        own=found,
        names=frozenset(p.name for p in named),
    )


def without_borrowed_signature(func: Any, borrowed: object) -> Any:
    """Give a function without the host's signature, if it shows that in place of its own.

    `functools.wraps` copies it from the host's function. It has the options of other
    backends too, and need not be what this function takes.
    """
    inner = func.__func__ if type(func) is MethodType else func
    if type(inner) is not FunctionType or inner.__dict__.get("__signature__") is not borrowed:
        return func
    code, scope = inner.__code__, inner.__globals__
    bare = FunctionType(code, scope, inner.__name__, inner.__defaults__, inner.__closure__)
    bare.__kwdefaults__ = inner.__kwdefaults__
    return bare if inner is func else MethodType(bare, func.__self__)


class Given(NamedTuple):
    """The arguments of one call, by name: the callable's own, and those it has no name for."""

    named: dict[str, Any]
    extra: dict[str, Any]
    by_position: int
    """How many of the first ones were given by position."""
    rest: tuple[Any, ...] = ()
    """What goes to the callable's ``*args``."""

    def arguments(self, parameters: Parameters) -> dict[str, Any]:
        """Give all of them by name, ``*args`` too."""
        rest = {parameters.rest: self.rest} if parameters.rest and self.rest else {}
        return {**self.named, **rest, **self.extra}


def bind(parameters: Parameters, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Given | str:
    """Match a call to parameter names, or say why it does not fit them."""
    known = len(parameters.positional)
    if len(args) > known and parameters.rest is None:
        return (
            f"cannot tell what {len(args)} arguments by position are, of which the host's signature "
            f"names {known}; pass the others by name"
        )
    named = dict(zip(parameters.positional, args, strict=False))
    extra: dict[str, Any] = {}
    for name, value in kwargs.items():
        if name in named and name in parameters.keyword:
            return f"would receive {name!r} twice"
        (named if name in parameters.keyword else extra)[name] = value
    return Given(named, extra, min(len(args), known), args[known:])


def named_twice(parameters: Parameters, given: Given, aliases: Aliases) -> str | None:
    """Say which parameter a call gives by several of its names, if it does.

    Of two names that both stand in the signature, one may be at its default.
    """
    for names in dict.fromkeys(aliases.values()):
        there = [name for name in names if name in given.named]
        # By name, what is taken by position alone is something else.
        further = [n for n in names if n in given.extra and n not in parameters.positional_only]
        twice = [*there, *further] if further else off_default(parameters, given, there)
        if len(twice) > 1:
            return f"would receive one parameter by two names, {quoted(twice)}"
    return None


def off_default(parameters: Parameters, given: Given, names: Iterable[str]) -> list[str]:
    """Pick the names that a call gives, and not at their default."""
    defaults, named = parameters.defaults, given.named
    return [n for n in names if n in named and not same(named[n], defaults.get(n, ABSENT))]


def clearest_first(parameters: Parameters, names: Iterable[str]) -> list[str]:
    """Sort the names of one parameter, the one whose default says most first."""
    return sorted(names, key=lambda name: vagueness(parameters.defaults.get(name, ABSENT)))


def fits(parameters: Parameters, given: Given | None) -> bool:
    """Whether a callable takes the arguments of a call."""
    if given is None or (given.extra and not parameters.takes_kwargs):
        return False
    return parameters.required <= given.named.keys()


def with_aliases(
    renames: Mapping[str, str], aliases: Aliases, theirs: Collection[str]
) -> Mapping[str, str]:
    """Add to an adapter's renames where each name of a parameter goes, as far as it knows one.

    Parameters
    ----------
    renames
        The host's names to the adapter's, as the adapter declares them.
    aliases
        The names that mean the same to the host.
    theirs
        The names of the implementation's parameters.
    """
    found = dict(renames)
    for names in dict.fromkeys(aliases.values()):
        elsewhere = {target for name, target in renames.items() if name not in names}
        renamed = [renames[name] for name in names if name in renames]
        known = [name for name in names if name in theirs and name not in elsewhere]
        for name in names if renamed or known else ():
            is_exact = name in known and not renamed
            found.setdefault(name, name if is_exact else (*renamed, *known)[0])
    return found


class ParameterMap:
    """Where the parameters of a host function go under some renames.

    Parameters
    ----------
    host
        What the host takes.
    renames
        The host's names to an implementation's.
    aliases
        The names that mean the same to the host.

    Attributes
    ----------
    targets
        The name under which each of them would be received; ``None`` where that
        name is the implementation's for another of them.
    """

    def __init__(self, host: Parameters, renames: Mapping[str, str], aliases: Aliases) -> None:
        self.renames, self._defaults = renames, host.defaults
        groups = [names for names in aliases.values() if not host.names.isdisjoint(names)]
        self._names = host.names.union(*groups)
        meant = {theirs for ours, theirs in renames.items() if ours in host.names}
        self.targets = {
            name: None if name in meant and name not in renames else renames.get(name, name)
            for name in host.names
        }
        self._received = {target: name for name, target in self.targets.items() if target}
        # Where two names of one parameter arrive as one, the default that says most is its default.
        for name in (name for names in groups for name in reversed(clearest_first(host, names))):
            if target := self.targets.get(name):
                self._received[target] = name

    def is_option(self, name: str) -> bool:
        """Whether a parameter of an implementation is one that the host's function has not."""
        return not self.is_received(name) and name not in self._names

    def is_received(self, name: str) -> bool:
        """Whether a parameter of an implementation stands for one of the host's."""
        return name in self._received

    def receives(self, target: str, name: str) -> bool:
        """Whether a parameter of the host is the one whose default an implementation's stands for."""
        return self._received.get(target) == name

    def differing(self, name: str, default: Any) -> str | None:
        """Name the parameter of the host that a parameter receives, if its default is another."""
        ours = self._received.get(name)
        if ours is None or ours not in self._defaults or alike(self._defaults[ours], default):
            return None
        return ours
