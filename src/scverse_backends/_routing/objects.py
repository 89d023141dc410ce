"""Callable objects: what stands for a callable of a host that is no plain function.

A ufunc, a partial, an ``lru_cache``, a bound method or an instance with ``__call__`` is more than
what happens when it is called. So users get an object that looks in every other way like it, and
its calls are dispatched.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from types import MethodType
from typing import TYPE_CHECKING, Any

from scverse_backends._selection.blocks import DISPATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DISPATCHED = frozenset(
    {DISPATCH, "__wrapped__", "__signature__", "__doc__", "__annotations__", "__annotate__"}
)
"""Attributes of the dispatched function that answers the calls."""

_NAMES = frozenset({"__name__", "__qualname__", "__module__"})
"""Attributes that it has where the callable has none."""

_KEPT = frozenset(
    {
        "__call__",
        "__class__",
        "__copy__",
        "__deepcopy__",
        "__dict__",
        "__get__",
        "__reduce__",
        "__reduce_ex__",
    }
)
"""Attributes of what stands for the callable."""

_NOT_FORWARDED = _KEPT | {
    "__annotate__",
    "__annotations__",
    "__class_getitem__",
    "__del__",
    "__delattr__",
    "__getattr__",
    "__getattribute__",
    "__getnewargs__",
    "__getnewargs_ex__",
    "__getstate__",
    "__init__",
    "__init_subclass__",
    "__new__",
    "__setattr__",
    "__setstate__",
    "__subclasshook__",
}
"""Special methods by which an object is made, kept and asked, which is done here."""

_ALWAYS = ("__dir__", "__format__", "__repr__", "__str__")
"""Special methods by which the callable is shown, also where it takes them from `object`."""


class DispatchedObject:
    """Looks like a callable object, and dispatches its calls.

    Each object has a class of its own, whose ``__call__`` is the dispatched function: a call then
    costs no more than one of a plain function.
    """

    __slots__ = ("__weakref__",)

    def __getattribute__(self, name: str) -> Any:
        public = _public(self)
        if name in _DISPATCHED:
            return getattr(public, name)
        if name in _KEPT:
            return object.__getattribute__(self, name)
        try:
            return getattr(public.__wrapped__, name)
        except AttributeError:
            if name not in _NAMES:
                raise
        return getattr(public, name)

    def __setattr__(self, name: str, value: Any) -> None:
        public = _public(self)
        setattr(public if name in _DISPATCHED else public.__wrapped__, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(_callable(self), name)

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        """What `functools.wraps` copies to a decorator outside of ours."""
        return {**getattr(_callable(self), "__dict__", {}), **vars(_public(self))}

    @property  # type: ignore[misc] # never set
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] # as above
        # `inspect` reads the signature of a method from what it is bound to, and looks no further.
        found = _callable(self)
        return type(self) if type(found) is MethodType else found.__class__

    def __copy__(self) -> Any:
        """Give the same object: it is dispatched under one name, as a function is."""
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:
        from pkgutil import resolve_name

        return resolve_name, (_address(self),)


def stand_for(func: Any, public: Callable[..., Any]) -> Any:
    """Make what users get in place of a callable object.

    Parameters
    ----------
    func
        The host's own.
    public
        The dispatched function, which answers the calls.
    """
    kind: Any = type(func)
    namespace = {"__slots__": (), "__call__": staticmethod(public), "__doc__": _docstring}
    return type(kind.__name__, (_base(kind),), namespace)()


@lru_cache
def _base(kind: Any) -> type:
    """Make what the objects that stand for callables of one class have in common."""
    own = {name for base in kind.__mro__[:-1] for name in vars(base)}
    special = {name: _forwarded(kind, name) for name in (*own, *_ALWAYS) if _is_special(name)}
    if hasattr(kind, "__get__"):
        special["__get__"] = _bind
    return type(kind.__name__, (DispatchedObject,), {**special, "__slots__": ()})


_docstring = property(lambda self: self.__doc__)
"""From where `help` reads it."""


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in _NOT_FORWARDED


def _forwarded(kind: type, name: str) -> Any:
    """Answer a special method by that of the callable; what is none stays what it is."""
    found = getattr(kind, name, None)
    return _special_method(name) if callable(found) else found


def _special_method(name: str) -> Callable[..., Any]:
    def special(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        return getattr(_callable(self), name)(*args, **kwargs)

    special.__name__ = name
    return special


def _bind(self: Any, instance: Any, owner: type | None = None) -> Any:
    """Bind as the callable does; what is bound to an object dispatches its calls as well."""
    func = _callable(self)
    bound = type(func).__get__(func, instance, owner)
    if bound is func:
        return self
    if type(bound) is MethodType and bound.__func__ is func:
        return MethodType(self, bound.__self__)
    return bound


def _public(self: object) -> Any:
    """Give the dispatched function that answers the calls."""
    kind: Any = type(self)
    return kind.__call__


def _callable(self: object) -> Any:
    """Give the host's own."""
    return _public(self).__wrapped__


def _address(self: Any) -> str:
    """Find the name under which it can be imported.

    Raises
    ------
    pickle.PicklingError
        If it has none.
    """
    from pickle import PicklingError

    for module, name in _places(self):
        found: Any = sys.modules.get(module)
        for part in name.split("."):
            found = getattr(found, "__dict__", {}).get(part)
        if found is self:
            return f"{module}:{name}"
    function = getattr(self, DISPATCH).function.name
    msg = (
        f"Cannot pickle {self!r}, dispatched as {function!r}: no module has it under this name. "
        "A dispatched callable is pickled as a function is, by its name; assign it to that name "
        "in a module."
    )
    raise PicklingError(msg)


def _places(self: Any) -> Iterator[tuple[str, str]]:
    """Give where it may be found: where it says, else in any module under one of its names."""
    name = getattr(self, DISPATCH).function.name
    names = dict.fromkeys((self.__qualname__, self.__name__, name, name.rpartition(".")[2]))
    for module in (self.__module__, *sys.modules):
        for known in names:
            yield module, known
