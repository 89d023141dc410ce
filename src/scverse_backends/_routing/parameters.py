"""Parameters: what a callable takes, and which of it a call gives, as routing asks about them."""

from __future__ import annotations

from inspect import Parameter
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.callables import signature_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    own: tuple[Parameter, ...]
    """As they were read, once and for all: a foreign signature may be another the next time."""

    @property
    def names(self) -> frozenset[str]:
        """Every parameter that has a name of its own."""
        return self.keyword | self.positional_only


def read(func: Callable[..., Any]) -> Parameters:
    """Read what a callable takes; raises whatever `inspect.signature` raises."""
    found = tuple(signature_of(func).parameters.values())
    named = [p for p in found if p.kind in _BY_POSITION or p.kind is Parameter.KEYWORD_ONLY]
    return Parameters(
        positional=tuple(p.name for p in named if p.kind in _BY_POSITION),
        positional_only=frozenset(p.name for p in named if p.kind is Parameter.POSITIONAL_ONLY),
        keyword=frozenset(p.name for p in named if p.kind in _BY_NAME),
        defaults={p.name: p.default for p in named if p.default is not Parameter.empty},
        required=frozenset(p.name for p in named if p.default is Parameter.empty),
        takes_kwargs=any(p.kind is Parameter.VAR_KEYWORD for p in found),
        own=found,
    )


def without_signature(func: Any, borrowed: object) -> Any:
    """Give a function as it takes its arguments, if it shows the host's signature instead.

    `functools.wraps` copies a signature for its documentation. What it promises,
    options of other backends too, need not be what the function takes.
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


def bind(parameters: Parameters, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Given | str:
    """Match a call to parameter names, or say why it does not fit them."""
    if len(args) > len(parameters.positional):
        known = len(parameters.positional)
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
    return Given(named, extra, len(args))


def fits(parameters: Parameters, given: Given | None) -> bool:
    """Whether a callable takes the arguments of a call."""
    if given is None or (given.extra and not parameters.takes_kwargs):
        return False
    return parameters.required <= given.named.keys()


def same(value: object, default: object) -> bool:
    """Whether a value certainly is a default: identical, or equal by one plain truth value."""
    if value is default:
        return True
    try:
        equal = value == default
        # A truth value of Python's or of numpy's; an array or expression is no answer.
        return type(equal).__name__ in ("bool", "bool_") and bool(equal)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException:  # noqa: BLE001 - comparing foreign values may raise anything
        return False


def alike(ours: object, theirs: object) -> bool:
    """Whether two defaults say the same, as far as can be told: equal, or both only a mark.

    Each library has a mark of its own for "not given", which means nothing to the other.
    """
    return same(ours, theirs) or (_is_mark(theirs, type(ours)) and _is_mark(ours, type(theirs)))


def _is_mark(value: object, other: type) -> bool:
    """Whether a value has nothing but its identity, as ``object()`` has, and a class of this name."""
    kind = type(value)
    try:
        plain = kind.__eq__ is object.__eq__ and kind.__new__ is object.__new__
        return plain and kind.__name__ == other.__name__ and object.__getstate__(value) is None
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException:  # noqa: BLE001 - as in `same`
        return False
