"""Classes: making the construction of a class a call that backends can take.

Construction is a call of the class, which its metaclass answers; so a
dispatched class has a metaclass of ours. Everything else about the class, its
``__new__`` and ``__init__`` too, stays the host's own.
"""

from __future__ import annotations

import sys
from abc import ABCMeta
from enum import EnumMeta
from functools import partial
from inspect import Parameter, Signature, getmro
from operator import attrgetter
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any, TypeAlias

from scverse_backends._ground.callables import (
    VARARGS,
    VARKEYWORDS,
    is_plain_method,
    once,
    parameter_names,
    signature_of,
)
from scverse_backends._ground.safe_repr import ask_text, attempt, class_qualname, describe_error
from scverse_backends._selection.blocks import DISPATCH

from .host import INITIALIZER, shown_name
from .replacing import Unannounced, replace, tells_owner, was_announced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import CodeType

_CONSTRUCTION = "__scverse_construction__"
"""Where a dispatched class keeps how it is constructed."""

_ANYTHING = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
"""What a constructor takes that only passes it on."""

_SAYS_NOTHING = {"($self, /, *args, **kwargs)", "($type, *args, **kwargs)"}
"""What Python shows for its own constructors; reading it takes a hundred times as long as a look."""

_ANY_ARGUMENTS = Signature([*map(Parameter, ("args", "kwargs"), _ANYTHING)])

_NAMES = {name: attrgetter(name) for name in ("__module__", "__name__", "__qualname__", "__doc__")}
"""What the construction of a class is called after the class."""

_IMMUTABLE = 1 << 8  # Py_TPFLAGS_IMMUTABLETYPE

_NATIVE = {
    BuiltinFunctionType: "__self__",
    MethodDescriptorType: "__objclass__",
    WrapperDescriptorType: "__objclass__",
}
"""Where a method in C, and a constructor in C, say which class they are written for."""

_SLOTS = {GetSetDescriptorType, MemberDescriptorType}
"""Attributes by which Python reaches what it keeps in an object."""

_Beginnings: TypeAlias = "Mapping[str, tuple[str, ...]]"
"""By module, with what the qualified names of some functions begin."""

_COPYING: _Beginnings = {"copy": ("",), "dataclasses": ("",), "attr._make": ("evolve",)}
"""Functions that call a class only to make another object like one that is there."""


class _Construction:
    """How a dispatched class is constructed.

    Its bases and metaclasses are given by the names that they have now, and may lose later.
    """

    def __init__(self, cls: type, build: Any, kinds: list[tuple[type, str, str]]) -> None:
        dispatch = getattr(build, DISPATCH)
        self.cls, self.build = cls, build
        self.selector: str = dispatch.function.selector_name
        self.awake: list[bool] = dispatch.state.awake  # empty until anything was ever selected
        self._kinds = kinds

    @once
    def own(self) -> _Beginnings:
        """Name the functions that are written in the class, in its bases and in its metaclass."""
        own = {**_COPYING}
        for kind, home, name in self._kinds:
            # Copied first: another thread may add an attribute meanwhile.
            functions = [f for f in (*vars(kind).values(),) if type(f) is FunctionType]
            # A class may be shown in another module than the one that it is written in.
            for module in {home, *(f.__globals__.get("__name__", "") for f in functions)}:
                own[module] = (*own.get(module, ()), f"{name}.")
        return own


class _Signature:
    """What `inspect.signature` shows of a class, where the class itself does not say."""

    def __get__(self, cls: type | None, metaclass: type) -> Signature:
        if cls is None:
            raise AttributeError
        found = _construction_of(cls)
        if found is not None:
            return found.build.__signature__  # type: ignore[no-any-return]
        try:
            return _read_constructor(cls)
        except ValueError as error:
            raise AttributeError from error


class _Dispatch:
    """What decides the constructions of a dispatched class; no subclass inherits it."""

    def __get__(self, cls: type | None, metaclass: type) -> Any:
        found = None if cls is None else _construction_of(cls)
        if found is None:
            raise AttributeError
        return getattr(found.build, DISPATCH)


class Dispatching(type):
    """The metaclass of dispatched classes, and of their subclasses, which construct normally."""

    __slots__ = ()
    __signature__ = _Signature()
    __scverse_dispatch__ = _Dispatch()

    def __call__(cls, /, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        found = cls.__dict__.get(_CONSTRUCTION)
        # A decorator outside ours may have rebuilt the class, and copied what it found in it.
        if (
            found is not None
            and found.cls is cls
            and not (
                found.awake
                and found.selector not in kwargs
                and _is_own(found.own, sys._getframe().f_back)  # noqa: SLF001 - only its code tells
            )
        ):
            return found.build(*args, **kwargs)
        return super().__call__(*args, **kwargs)


class DispatchingABCMeta(Dispatching, ABCMeta):
    """The metaclass of dispatched classes that had none of their own, or that of abstract classes.

    With it their subclasses may still mix in any abstract class.
    """


class _Unannounced(DispatchingABCMeta):
    """The metaclass of a class while it is made anew."""

    __slots__ = ()

    def mro(cls) -> list[type]:
        own, *bases = super().mro()
        return [own, Unannounced, *bases]


_metaclasses: dict[type, type] = {ABCMeta: DispatchingABCMeta}


def _is_own(own: _Beginnings, caller: Any) -> bool:
    """Whether a frame is of a function that makes objects for the class itself.

    It is ``None`` where a thread begins with the construction.
    """
    module = caller and caller.f_globals.get("__name__")
    if module == "typing":  # makes the call that is written ``Model[int]()``
        return _is_own(own, caller.f_back)
    return module in own and caller.f_code.co_qualname.startswith(own[module])


def _construction_of(cls: type) -> _Construction | None:
    """Give how exactly this class is constructed, if it is dispatched."""
    found = cls.__dict__.get(_CONSTRUCTION)
    return found if found is not None and found.cls is cls else None


def constructor(cls: Any) -> partial[Any]:
    """Give the construction of a class as a function that shows its signature.

    Raises
    ------
    TypeError
        If it is no class, or one that cannot be dispatched; the text says why.
    """
    found = attempt(
        lambda: _objection(cls) or _read(cls),
        lambda error: (
            f"has a signature that cannot be read: {describe_error(error)}; "
            "decorate a subclass with an __init__ of its own."
        ),
    )
    if isinstance(found, str):
        msg = f"{shown_name(cls)} {found}"
        raise TypeError(msg)
    construct: Any = partial(cls)
    setattr(construct, "__signature__" if isinstance(found, Signature) else "__wrapped__", found)
    for name, ask in _NAMES.items():
        setattr(construct, name, ask_text(ask, cls))
    return construct  # type: ignore[no-any-return]


def below(cls: type, construct: partial[Any]) -> partial[Any]:
    """Give the same construction as the host does it, below our metaclass."""
    metaclass: Any = cls  # for type checkers, a class that has ours for its metaclass
    above: Any = super(Dispatching, metaclass)
    bound = partial(above.__call__)
    bound.__dict__.update(construct.__dict__)
    is_usual = getattr(bound.func, "__objclass__", None) is type
    if is_usual and metaclass.__new__ is object.__new__:
        setattr(bound, INITIALIZER, metaclass.__init__)
    return bound


def dispatchable(cls: type) -> type:
    """Give a class a metaclass of ours: in place where Python lets us, else by making it anew.

    Raises
    ------
    TypeError
        If Python, its bases or its metaclass refuse; the class is then what it was.
    """
    try:
        if type(cls) is type:
            return _made_anew(cls)  # type: ignore[no-any-return]
        type.__setattr__(cls, "__class__", _derived(cls))
    except Exception as error:
        # Its bases and its metaclass may refuse with anything.
        msg = (
            f"{shown_name(cls)} cannot be dispatched: {describe_error(error)}; "
            "decorate a function that makes its objects."
        )
        raise TypeError(msg) from error
    return cls


def attach(cls: type, build: Any) -> type:
    """Let a function answer the construction of a class."""
    kinds = (*cls.__mro__[:-1], *getmro(type(cls))[:-1])  # nothing of `object` is written in Python
    named = [(kind, kind.__module__, class_qualname(kind)) for kind in kinds]
    type.__setattr__(cls, _CONSTRUCTION, _Construction(cls, build, named))
    said = any("__signature__" in vars(base) for base in cls.__mro__)
    if said and isinstance(getattr(cls, "__signature__", None), Signature):
        type.__setattr__(cls, "__signature__", build.__signature__)
    if build.__doc__ and build.__doc__ != cls.__doc__:
        type.__setattr__(cls, "__doc__", build.__doc__)
    return cls


def _read(cls: type) -> Signature | MethodType:
    """Read what the construction of a class takes: what it declares, else what it does.

    That takes long, so a constructor that surely can be read later is given itself.
    """
    declared = getattr(cls, "__signature__", None)
    if isinstance(declared, Signature):
        return declared
    first: Any = next(_constructors(cls), None)
    if not is_plain_method(first) or _passes_on(first.__func__.__code__):
        return _read_constructor(cls)
    # Bound to anything: what it is bound to is not shown, and would be kept alive.
    return MethodType(first.__func__, first.__func__)


def _passes_on(code: CodeType) -> bool:
    """Whether a method takes anything, and so says nothing of what it takes."""
    takes_any = code.co_flags & VARARGS and code.co_flags & VARKEYWORDS
    return bool(takes_any) and len(parameter_names(code)) == len(("self", *_ANYTHING))


def _read_constructor(cls: type) -> Signature:
    """Read what the construction of a class takes, whatever stands in for it.

    What only passes everything on says nothing, so the first that does more is
    believed: the metaclass, then ``__new__`` and ``__init__``.

    Raises
    ------
    ValueError
        If its constructor is not written in Python and says nothing of itself.
    """
    found = None
    for construct in _constructors(cls):
        says_nothing = getattr(construct, "__text_signature__", None) in _SAYS_NOTHING
        found = _ANY_ARGUMENTS if says_nothing else signature_of(construct)
        if tuple(p.kind for p in found.parameters.values()) != _ANYTHING:
            break
    return found or Signature()


def _constructors(cls: type) -> Iterator[Callable[..., Any]]:
    """Give what takes part in construction, in the order in which `inspect` looks for it."""
    for metaclass in getmro(type(cls)):
        if "__call__" in vars(metaclass) and metaclass not in (Dispatching, type):
            yield MethodType(vars(metaclass)["__call__"], cls)
    for base in cls.__mro__[:-1]:
        if getattr(base, "__text_signature__", None):  # one that is built in says it itself
            yield base
        for name in ("__new__", "__init__"):
            if name in vars(base):
                yield MethodType(getattr(base, name), cls)


def _objection(cls: Any) -> str | None:  # noqa: PLR0911 - one line for each reason
    """Say why a class cannot be dispatched, where that shows before it is tried."""
    if not issubclass(type(cls), type):
        return "is not a class; decorate a function with backend_dispatch."
    if _construction_of(cls) is not None:
        return "is dispatched already; decorate it once."
    if issubclass(cls, type):
        return "is a metaclass, whose objects are classes; decorate those."
    if issubclass(type(cls), EnumMeta):
        return "is an enumeration; calling it looks up a member and constructs nothing."
    if vars(cls).get("_is_protocol"):
        return "is a protocol, and cannot be constructed; decorate a class that implements it."
    if "__required_keys__" in vars(cls) and issubclass(cls, dict):
        return "is a typed dictionary, and makes plain ones; decorate a function that makes them."
    if _is_built_in(cls):
        return "is built in and stays what it is; decorate a subclass of it."
    if type(cls) is type and cls.__subclasses__():
        return "has subclasses already, which would not follow; decorate it where it is defined."
    return None


def _is_built_in(cls: type) -> bool:
    """Whether a class is not written in Python, and so cannot be changed or made anew."""
    if cls.__flags__ & _IMMUTABLE:
        return True
    methods = [(v, _NATIVE[type(v)]) for v in vars(cls).values() if type(v) in _NATIVE]
    return any(getattr(*found) is cls for found in methods)


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
        if type(value) not in _SLOTS or value.__objclass__ is not cls
    }
    # Its bases and descriptors were told of it when it was defined, and are not told again.
    fields = {name: value for name, value in own.items() if tells_owner(value)}
    namespace = {**own, **dict.fromkeys(fields), "__qualname__": cls.__qualname__}
    metaclass = _Unannounced if was_announced(cls) else DispatchingABCMeta
    made: Any = metaclass(cls.__name__, cls.__bases__, namespace)
    if metaclass is _Unannounced:
        type.__setattr__(made, "__class__", DispatchingABCMeta)
        type.__setattr__(made, "__bases__", cls.__bases__)  # has Python ask for the order again
    for name, value in fields.items():
        type.__setattr__(made, name, value)
    # Marks of abstract methods meant nothing before.
    made.__abstractmethods__ = frozenset()
    replace(cls, made, own, fields)
    return made
