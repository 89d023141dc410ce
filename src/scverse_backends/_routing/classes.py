"""Classes: making the construction of a class a call that backends can take.

Construction is a call of the class, which its metaclass answers; so a
dispatched class has a metaclass of ours. Everything else about the class, its
``__new__`` and ``__init__`` too, stays the host's own.
"""

from __future__ import annotations

import gc
import inspect
from abc import ABCMeta
from enum import EnumMeta
from functools import cache, cached_property, partial, partialmethod, singledispatchmethod
from inspect import Parameter, Signature
from types import CellType, FunctionType, GetSetDescriptorType, MemberDescriptorType, MethodType
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.callables import signature_of
from scverse_backends._selection.blocks import DISPATCH

from .host import INITIALIZER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_BUILD = "__scverse_build__"
"""Where a dispatched class keeps itself, and what its construction calls."""

_IMMUTABLE = 1 << 8  # Py_TPFLAGS_IMMUTABLETYPE

_HOLDERS = {
    CellType,
    FunctionType,
    MethodType,
    cached_property,
    classmethod,
    partial,
    partialmethod,
    property,
    singledispatchmethod,
    staticmethod,
    tuple,
    type(cache(int)),
}
"""Through these a class's own functions are reached, and the cells in which they hold the class."""


class _Signature:
    """What `inspect.signature` shows of a class, where the class itself does not say."""

    def __get__(self, cls: type | None, metaclass: type) -> Signature:
        if cls is None:
            raise AttributeError
        build = _build_of(cls)
        if build is not None:
            return build.__signature__  # type: ignore[no-any-return]
        try:
            return read_constructor(cls)
        except ValueError as error:
            raise AttributeError from error


class _Dispatch:
    """What decides the constructions of a dispatched class; no subclass inherits it."""

    def __get__(self, cls: type | None, metaclass: type) -> Any:
        build = None if cls is None else _build_of(cls)
        if build is None:
            raise AttributeError
        return getattr(build, DISPATCH)


class Dispatching(type):
    """The metaclass of dispatched classes, and of their subclasses, which construct as ever."""

    __slots__ = ()
    __signature__ = _Signature()
    __scverse_dispatch__ = _Dispatch()

    def __call__(cls, /, *args: Any, **kwargs: Any) -> Any:
        found = cls.__dict__.get(_BUILD)
        # A decorator outside ours may have rebuilt the class, and copied what it found in it.
        if found is None or found[0] is not cls:
            return super().__call__(*args, **kwargs)
        return found[1](*args, **kwargs)


class DispatchingABCMeta(Dispatching, ABCMeta):
    """The metaclass of dispatched classes that had none of their own, or that of abstract classes.

    With it their subclasses may still mix in any abstract class.
    """


_metaclasses: dict[type, type] = {ABCMeta: DispatchingABCMeta}


def _build_of(cls: type) -> Any:
    """Give what the construction of exactly this class calls, if it is dispatched."""
    found = cls.__dict__.get(_BUILD)
    return found[1] if found is not None and found[0] is cls else None


def constructor(cls: type) -> Callable[..., Any]:
    """Give the host's own construction of a class as a function that shows its signature."""
    metaclass: Any = cls  # for type checkers, a class that has ours for its metaclass
    above: Any = super(Dispatching, metaclass)
    construct: Any = partial(above.__call__)
    construct.__signature__ = signature_of(cls)
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(construct, name, getattr(cls, name))
    is_usual = getattr(above.__call__, "__objclass__", None) is type
    if is_usual and metaclass.__new__ is object.__new__:
        setattr(construct, INITIALIZER, metaclass.__init__)
    return construct  # type: ignore[no-any-return]


def entrust(cls: type, build: Callable[..., Any]) -> type:
    """Let a function answer the construction of a class."""
    if any("__signature__" in vars(base) for base in cls.__mro__):
        type.__setattr__(cls, "__signature__", getattr(build, "__signature__"))  # noqa: B009 - typed as a plain callable
    type.__setattr__(cls, _BUILD, (cls, build))
    if build.__doc__ != cls.__doc__:
        type.__setattr__(cls, "__doc__", build.__doc__)
    return cls


def dispatchable(cls: Any) -> type:
    """Give a class a metaclass of ours: in place where Python lets us, else by making it anew.

    Raises
    ------
    TypeError
        If it is no class, or one that cannot be dispatched; the text says why.
    """
    problem = _objection(cls)
    if problem:
        msg = f"{getattr(cls, '__qualname__', repr(cls))} {problem}"
        raise TypeError(msg)
    try:
        if type(cls) is type:
            return _made_anew(cls)  # type: ignore[no-any-return]
        type.__setattr__(cls, "__class__", _derived(cls))
    except Exception as error:
        # Its bases and its metaclass may refuse with anything.
        msg = f"{cls.__qualname__} cannot be dispatched: {error}"
        raise TypeError(msg) from error
    return cls  # type: ignore[no-any-return]


def read_constructor(cls: type) -> Signature:
    """Read what the construction of a class takes, whatever stands in for it.

    What only passes everything on says nothing, so the first that names its
    parameters is believed: the metaclass, then ``__new__`` and ``__init__``.

    Raises
    ------
    ValueError
        If its constructor is not written in Python and says nothing of itself.
    """
    found = [signature_of(MethodType(func, cls)) for func in _constructors(cls)]
    telling = [signature for signature in found if not _takes_args(signature)]
    return next(iter((*telling, *found)), None) or Signature()


def _constructors(cls: type) -> Iterator[Callable[..., Any]]:
    """Give what takes part in construction, in the order in which `inspect` looks for it."""
    metaclasses = [
        m for m in inspect.getmro(type(cls)) if m is not Dispatching and "__call__" in vars(m)
    ]
    if metaclasses[0] is not type:
        yield vars(metaclasses[0])["__call__"]
    for base in cls.__mro__[:-1]:
        for name in ("__new__", "__init__"):
            if name in vars(base):
                yield getattr(base, name)


def _takes_args(signature: Signature) -> bool:
    return any(p.kind is Parameter.VAR_POSITIONAL for p in signature.parameters.values())


def _objection(cls: Any) -> str | None:
    """Say why a class cannot be dispatched, where that shows before it is tried."""
    if not isinstance(cls, type):
        return "is no class; decorate a function with backend_dispatch."
    if _build_of(cls) is not None:
        return "is dispatched already; decorate it once."
    if isinstance(cls, EnumMeta):
        return "is an enumeration; calling it looks up a member and constructs nothing."
    if cls.__flags__ & _IMMUTABLE:
        return "is built in and cannot be changed; decorate a subclass of it."
    if type(cls) is type and cls.__subclasses__():
        return "has subclasses already, which would not follow; decorate it where it is defined."
    return None


def _derived(cls: type) -> Any:
    """Give the metaclass of ours that does what a class's own does; one for all that share it."""
    metaclass: Any = type(cls)
    if issubclass(metaclass, Dispatching):
        return metaclass
    if metaclass not in _metaclasses:

        class Derived(Dispatching, metaclass):  # type: ignore[misc]
            __slots__ = ()

        Derived.__name__ = f"Dispatching{metaclass.__name__}"
        # Where pickle finds it, in any process: it is made when this class is decorated.
        Derived.__module__, Derived.__qualname__ = cls.__module__, f"{cls.__qualname__}.__class__"
        _metaclasses[metaclass] = Derived
    return _metaclasses[metaclass]


def _made_anew(cls: type) -> Any:
    """Make a class once more, for `type` itself lets no class go to another metaclass."""
    own = {
        name: value
        for name, value in vars(cls).items()
        if not isinstance(value, (GetSetDescriptorType, MemberDescriptorType))
        or value.__objclass__ is not cls
    }
    own["__qualname__"] = cls.__qualname__
    made: Any = DispatchingABCMeta(cls.__name__, cls.__bases__, own)
    # Marks of abstract methods meant nothing before.
    made.__abstractmethods__ = frozenset()
    _repoint(own.values(), cls, made)
    return made


def _repoint(values: Iterable[object], old: type, new: type) -> None:
    """Give a class's functions the new class where they hold the old, as ``super()`` does."""
    seen: set[int] = set()
    waiting = [*values]
    while waiting:
        found = waiting.pop()
        if type(found) not in _HOLDERS or id(found) in seen:
            continue
        seen.add(id(found))
        held = gc.get_referents(found)
        if isinstance(found, CellType) and held and held[0] is old:
            found.cell_contents = new
        waiting += held
