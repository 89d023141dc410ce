"""Signatures as text: one line of Python, read back without running any of it.

A default that is a literal comes back as its value. Any other comes back as an
`Opaque` that shows what was written: a bare expression where it is one, else
``opaque('<what it shows>')``. Annotations come back as strings.
"""

from __future__ import annotations

import ast
import inspect
from inspect import Parameter, Signature
from itertools import chain
from math import isnan
from typing import TYPE_CHECKING, Any

from scverse_backends._ground.safe_repr import short_repr

from .outlines import BAD_TEXT, NO_LITERAL, Opaque, as_written, literal, marked, outline

if TYPE_CHECKING:
    from collections.abc import Iterator

_STARS: dict[Any, str] = {Parameter.VAR_POSITIONAL: "*", Parameter.VAR_KEYWORD: "**"}
_DEEPEST = 16
_INFINITY = "1e999"  # as Python reads it


def write(signature: Signature) -> str:
    """Write a signature as one line of text.

    Parameters
    ----------
    signature
        Any signature.

    Returns
    -------
    str
        What `read_signature` reads as the same one.

    Raises
    ------
    ValueError
        If it has parameters that Python has no text for.

    Examples
    --------
    >>> import inspect
    >>> from scverse_backends.manifest import write_signature
    >>> def embed(data, /, *, size: int = 2, dtype=float, rng=object()): ...
    >>> write_signature(inspect.signature(embed))
    "(data, /, *, size: int = 2, dtype=float, rng=opaque('<object object>'))"
    """
    text = f"({', '.join(_written(signature))})"
    if signature.return_annotation is not Signature.empty:
        text += f" -> {_annotation(signature.return_annotation)}"
    read(text)
    return text


def read(text: str) -> Signature:
    """Read a signature; none of what it names is looked up.

    Parameters
    ----------
    text
        What `write_signature` wrote.

    Returns
    -------
    inspect.Signature
        With annotations as strings, literal defaults as values, and any other
        default as an `Opaque`.

    Raises
    ------
    ValueError
        If it is no signature.

    Examples
    --------
    >>> from scverse_backends.manifest import read_signature
    >>> signature = read_signature("(data, /, *, size: int = 2, dtype=float)")
    >>> signature.parameters["size"].default, signature.parameters["dtype"].default
    (2, float)
    >>> signature.parameters["dtype"].default == float
    False
    """
    return outline(text).signature()


def _written(signature: Signature) -> Iterator[str]:
    """Write the parameters, and the marks between their kinds."""
    before, starred = None, False
    for parameter in signature.parameters.values():
        if before is Parameter.POSITIONAL_ONLY and parameter.kind is not before:
            yield "/"
        if parameter.kind is Parameter.KEYWORD_ONLY and not starred:
            yield "*"
        starred = starred or parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.KEYWORD_ONLY)
        before = parameter.kind
        yield _parameter(parameter)
    if before is Parameter.POSITIONAL_ONLY:
        yield "/"


def _parameter(parameter: Parameter) -> str:
    text, equals = _STARS.get(parameter.kind, "") + parameter.name, "="
    if parameter.annotation is not Parameter.empty:
        text, equals = f"{text}: {_annotation(parameter.annotation)}", " = "
    if parameter.default is not Parameter.empty:
        text += equals + _default(parameter.default)
    return text


def _annotation(annotation: Any) -> str:
    """Write an annotation bare where that reads back as the same string, else in quotes."""
    text = annotation if isinstance(annotation, str) else _formatted(annotation)
    node = _expression(text)
    return repr(text) if node is None or isinstance(literal(node), str) else text


def _formatted(annotation: Any) -> str:
    try:
        return inspect.formatannotation(annotation)
    except Exception:  # noqa: BLE001 - a foreign __repr__ may raise anything
        return short_repr(annotation)


def _default(value: Any) -> str:
    """Write a default: as a literal, as the expression that it shows, or as neither."""
    exact = _literal(value)
    if exact is not None:
        return exact
    text = short_repr(value) if not isinstance(value, Opaque) else value.text
    node = _expression(text)
    is_plain = node is not None and literal(node) is NO_LITERAL and marked(node) is None
    return text if is_plain else f"opaque({text!r})"


def _expression(text: str) -> ast.expr | None:
    """Parse a text that could stand as an annotation or default, and would read back exactly."""
    source = f"lambda _={text}, __=0: 0"
    try:
        body: Any = ast.parse(source, mode="eval").body
        first, _ = body.args.defaults
    except (AttributeError, *BAD_TEXT):
        return None
    return first if as_written(first, source.encode()) == text and text.isprintable() else None


def _literal(value: Any, depth: int = 0) -> str | None:
    """Write a value of Python's own literal types; ``None`` for any other."""
    kind = type(value)
    if kind is float:
        return None if isnan(value) else repr(value).replace("inf", _INFINITY)
    if value is ...:
        return "..."
    if kind in (type(None), bool, int, str, bytes, complex):
        return _atom(value)
    if kind not in (tuple, list, set, dict) or depth == _DEEPEST:
        return None
    inner = chain(*value.items()) if kind is dict else value
    items = [_literal(item, depth + 1) for item in inner]
    return None if None in items else _container(kind, items)


def _atom(value: Any) -> str | None:
    """Write one value, unless Python reads another one, or none, from what it writes."""
    try:
        text = repr(value)
        return text if repr(ast.literal_eval(text)) == text else None
    except ValueError:  # an integer of more digits than are written, a complex infinity
        return None


def _container(kind: type, items: list[Any]) -> str:
    if kind is dict:
        return f"{{{', '.join(map(': '.join, zip(items[::2], items[1::2], strict=True)))}}}"
    if kind is set:
        return f"{{{', '.join(sorted(items))}}}" if items else "set()"
    if kind is tuple:
        return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
    return f"[{', '.join(items)}]"
