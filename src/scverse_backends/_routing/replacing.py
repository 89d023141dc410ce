"""Replacing: a class that was made anew takes the place of the class before.

The first class was announced to its bases and its descriptors when it was
defined. What they keep of it becomes the new class; they are not told twice.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from contextlib import suppress
from functools import partial, partialmethod, wraps
from itertools import repeat
from operator import is_, is_not
from types import (
    CellType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary, getweakrefs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

_HOLDERS = {CellType, dict, frozenset, list, partial, partialmethod, set, tuple}
"""Through these, and through descriptors, a class's own functions are reached, and the cells in which
they hold the class."""

_CONTAINERS = {list, set, WeakSet, OrderedDict, dict, WeakValueDictionary, WeakKeyDictionary}

_PLAIN = {
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    classmethod,
    property,
    staticmethod,
    str,
    tuple,
    type(None),
}
"""What the attributes of a class mostly are; none of them is a registry."""

_class = object.__dict__["__class__"]  # a class of the host may guard its attributes


class Unannounced:
    """Stands behind a class while it is made, so that its bases are not told of it."""

    __slots__ = ()

    def __init_subclass__(cls, **_: Any) -> None:
        pass


def tells_owner(value: object) -> bool:
    """Whether it wants to be told of which class it is an attribute."""
    kind = type(value)
    return kind not in _PLAIN and type(getattr(kind, "__set_name__", None)) is FunctionType


def was_announced(cls: type) -> bool:
    """Whether a class's bases were told of it when it was defined."""
    return any("__init_subclass__" in vars(base) for base in cls.__mro__[1:-1])


def replace(old: type, new: type, own: dict[str, Any], fields: dict[str, Any]) -> None:
    """Put a new class where the old one is kept: in attributes, functions and registries.

    Parameters
    ----------
    old, new
        The two classes.
    own
        The attributes that they share.
    fields
        Those that are told of which class they are.

    Raises
    ------
    Exception
        Whatever a descriptor raises that keeps its class, and wants no other.
    """
    if fields:
        _tell_owner(old, new, fields)
    for cls in new.__mro__[:-1]:
        if any(map(is_, vars(cls).values(), repeat(old))):
            for name in [name for name, value in vars(cls).items() if value is old]:
                type.__setattr__(cls, name, new)
    _repoint(own.values(), old, new)
    for container in _registries(old, fields.values()):
        _replace_in(container, old, new)
    _lead_on(old, new, own)


def _lead_on(old: type, new: type, own: dict[str, Any]) -> None:
    """Let the class before work where somebody keeps it, although ``super()`` means the new one.

    What it makes, and has as an attribute, becomes an object of the new one, on which its class methods
    are called.
    """
    start: Any = getattr(old, "__init__")  # noqa: B009 - of this class

    @wraps(start)
    def __init__(self: Any, /, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - as Python calls it
        kind: Any = type(self)
        if kind is old:
            _change_class(self, new)
        if start is object.__init__ and kind.__new__ is not object.__new__:
            return  # it takes nothing, and Python does not call it with what ``__new__`` took
        start(self, *args, **kwargs)

    type.__setattr__(old, "__init__", __init__)
    if "__new__" in own:
        type.__setattr__(old, "__new__", staticmethod(_constructor(old, new)))
    for name, value in own.items():
        if type(value) is classmethod and type(value.__func__) is FunctionType:
            type.__setattr__(old, name, _ClassMethod(value.__func__, old, new))
        elif type(value) is old:
            _change_class(value, new)


def _constructor(old: type, new: type) -> Callable[..., Any]:
    """Make the new class's objects where the old class, and no subclass of it, is asked for one."""
    make: Any = getattr(old, "__new__")  # noqa: B009 - of this class

    @wraps(make)
    def __new__(cls: type, /, *args: Any, **kwargs: Any) -> Any:  # noqa: N807 - as Python calls it
        # Python does not initialize what is not of the class that it was asked of.
        return type.__call__(new, *args, **kwargs) if cls is old else make(cls, *args, **kwargs)

    return __new__


class _ClassMethod:
    """A class method of a class before its decoration: its own subclasses keep it as it is."""

    def __init__(self, func: Callable[..., Any], old: type, new: type) -> None:
        self._func, self._old, self._new = func, old, new

    def __get__(self, instance: object, owner: type) -> MethodType:
        return MethodType(self._func, self._new if owner is self._old else owner)


def _change_class(value: object, new: type) -> None:
    """Make an object one of a class; Python does not let each, a tuple with attributes for one."""
    with suppress(TypeError):
        _class.__set__(value, new)


def _tell_owner(old: type, new: type, fields: dict[str, Any]) -> None:
    """Tell the descriptors that keep their class of the new one; all of the old, if one refuses."""
    kept = {id(old), *map(id, getweakrefs(old))}
    told = {n: v for n, v in fields.items() if not kept.isdisjoint(_held_by(v))}
    try:
        for name, value in told.items():
            value.__set_name__(new, name)
    except Exception:
        for name, value in told.items():
            value.__set_name__(old, name)
        raise


def _held_by(value: object) -> Iterator[int]:
    """Give the identities of what an object refers to itself."""
    yield from map(id, gc.get_referents(value))
    yield from map(id, getattr(value, "__dict__", {}).values())


def _repoint(values: Iterable[object], old: type, new: type) -> None:
    """Give a class's functions the new class where they hold the old, as ``super()`` does."""
    seen: set[int] = set()
    waiting: list[Any] = [*values]
    while waiting:
        found = waiting.pop()
        kind = type(found)
        if kind is FunctionType:  # what else it refers to cannot hold the class
            held = [*(found.__closure__ or ()), *(found.__defaults__ or ())]
        elif kind in _HOLDERS or hasattr(kind, "__get__"):
            held = gc.get_referents(found)
        else:
            continue
        if not held or id(found) in seen:
            continue
        seen.add(id(found))
        if kind is CellType and held[0] is old:
            found.cell_contents = new
        waiting += held


def _registries(cls: type, fields: Collection[object]) -> Iterator[object]:
    """Give what may have taken the class in when it was defined.

    Its bases and its descriptors did that: in their own attributes, in what their functions name, or
    by way of one more function.
    """
    told = [vars(base).get("__init_subclass__") for base in cls.__mro__[1:-1]]
    hooks = [hook.__func__ for hook in told if type(hook) is classmethod]
    hooks += [getattr(type(field), "__set_name__") for field in fields]  # noqa: B009 - its type has it
    if not hooks:
        return
    named = [*_named_by(hooks)]
    theirs = [v for kind in {*cls.__mro__[1:-1], *map(type, fields)} for v in vars(kind).values()]
    for found in (*named, *_named_by(named), *fields, *theirs):
        if type(found) not in _PLAIN:
            yield from filter(_is_container, (found, *_parts(found)))


def _is_container(found: object) -> bool:
    kind = type(found)
    return kind not in _PLAIN and not _CONTAINERS.isdisjoint(kind.__mro__)


def _named_by(functions: Iterable[object]) -> Iterator[object]:
    """Give what functions name: in their modules, in modules there, and around them."""
    for func in functions:
        if type(func) is FunctionType:
            names, scope = func.__code__.co_names, func.__globals__
            there = [scope[name] for name in names if name in scope]
            yield from there
            modules = [vars(found) for found in there if type(found) is ModuleType]
            yield from (scope[name] for scope in modules for name in names if name in scope)
            yield from (part for cell in func.__closure__ or () for part in gc.get_referents(cell))


def _parts(found: object) -> Iterator[object]:
    """Give what an object refers to itself, without running code of its class."""
    if isinstance(found, type):
        yield from vars(found).values()
    elif type(found) is not ModuleType:
        for part in gc.get_referents(found):
            yield part
            yield from part.values() if type(part) is dict else ()


def _replace_in(container: Any, old: type, new: type) -> None:
    """Replace a class in a list, set or table, without running code of a class derived from it."""
    kind: Any = next(kind for kind in type(container).__mro__ if kind in _CONTAINERS)
    is_table, is_list = hasattr(kind, "items"), hasattr(kind, "append")
    for place, held in enumerate([*(kind.items if is_table else kind.__iter__)(container)]):
        found = _renewed(held, old, new)
        if found is held:
            continue
        if is_list:
            kind.__setitem__(container, place, found)
        elif is_table:
            if found[0] is not held[0]:
                kind.pop(container, held[0])
            kind.__setitem__(container, *found)
        else:
            kind.discard(container, held)
            kind.add(container, found)


def _renewed(held: Any, old: type, new: type) -> Any:
    """Give the new class for the old one, also in a tuple; anything else is given as it is."""
    if held is old:
        return new
    if isinstance(held, tuple):
        found = [_renewed(one, old, new) for one in tuple.__iter__(held)]
        if any(map(is_not, found, held)):
            return tuple.__new__(type(held), found)
    return held
