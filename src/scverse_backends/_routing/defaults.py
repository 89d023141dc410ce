"""Defaults: whether a value is one, whether two say the same, and how much one says."""

from __future__ import annotations

from enum import Enum
from types import EllipsisType
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.safe_repr import attempt

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORDS = ("deprecated", "warn", "unset")
"""What scientific packages write as the default of a parameter that is on its way out."""


def same(value: object, default: object) -> bool:
    """Whether a value certainly is a default: identical, or of its type and equal by one true value."""
    if value is default:
        return True
    # 1, 1.0 and True are three values: one feature, all features, and a switch.
    return type(value) is type(default) and attempt(lambda: _equal(value, default), lambda _: False)


def _equal(value: Any, default: Any) -> bool:
    if type(value) not in (list, tuple, dict):
        # A truth value of Python's or of numpy's; an array or expression is no answer.
        equal = value == default
        if not (type(equal).__name__ in ("bool", "bool_") and equal):
            return False
    return all(same(one, other) for one, other in _parts(value, default))


def _parts(value: Any, default: Any) -> Iterable[tuple[Any, Any]]:
    """Pair what two values of one type consist of; raises if one has more than the other."""
    if isinstance(value, (set, frozenset)):
        known = {one: one for one in default}
        return [(one, known[one]) for one in value]
    if isinstance(value, dict):
        return zip(value.items(), default.items(), strict=True)
    if isinstance(value, (list, tuple)):
        return zip(value, default, strict=True)
    fields = getattr(type(value), "__dataclass_fields__", {})
    return [(getattr(value, n), getattr(default, n)) for n in fields if fields[n].compare]


def alike(ours: object, theirs: object) -> bool:
    """Whether two defaults say the same, as far as can be told: equal, or both only a mark.

    Each library has a mark of its own for "not given", which means nothing to the other.
    """
    return same(ours, theirs) or (_is_mark(theirs, type(ours)) and _is_mark(ours, type(theirs)))


def _is_mark(value: object, other: type) -> bool:
    """Whether a value is the only one of its kind, or has but its identity and a class of this name."""
    kind = type(value)

    def looks_so() -> bool:
        if kind in (EllipsisType, object) or (issubclass(kind, Enum) and len(kind) == 1):
            return True
        plain = kind.__eq__ is object.__eq__ and kind.__new__ is object.__new__
        return plain and kind.__name__ == other.__name__ and object.__getstate__(value) is None

    return attempt(looks_so, lambda _: False)


def vagueness(default: object) -> int:
    """Rate how little a default says: 0 for a value, 1 for ``None``, 2 for a mark of "not given"."""
    if default is None:
        return 1
    is_word = type(default) is str and default in _WORDS
    return 2 if is_word or _is_mark(default, type(default)) else 0
