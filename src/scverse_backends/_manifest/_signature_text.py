"""Signatures as text: one line of Python, read back without running any of it.

A default that is a literal comes back as its value. Any other comes back as an
`Opaque` that shows what was written: a bare expression where it is one, else
``opaque('<what it shows>')``. Annotations come back as strings.
"""

from __future__ import annotations

import ast
import inspect
from functools import lru_cache
from inspect import Parameter, Signature
from itertools import chain, repeat
from math import isnan
from typing import TYPE_CHECKING, Any, cast

from scverse_backends._docstrings import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 20_000
"""The longest signature that is read; the longest known ones have a tenth of this."""

_STARS: dict[Any, str] = {Parameter.VAR_POSITIONAL: "*", Parameter.VAR_KEYWORD: "**"}
_DEEPEST = 16
_INFINITY = "1e999"  # as Python reads it
_NO_LITERAL = object()
_BAD_TEXT = (SyntaxError, ValueError, TypeError, MemoryError, RecursionError)


class Opaque:
    """A default value that a text can show and cannot give; it equals nothing.

    Parameters
    ----------
    text
        How the default is written.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = object.__hash__


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
    if len(text) > LONGEST or not text.startswith("(") or not text.isprintable():
        msg = f"{shown(text)} is no signature"
        raise ValueError(msg)
    try:
        return _by_parts(text) or _whole(text)
    except _BAD_TEXT as error:
        msg = f"{shown(text)} is no signature: {error}"
        raise ValueError(msg) from error


def _whole(text: str) -> Signature:
    """Parse a signature, or raise one of `_BAD_TEXT`."""
    source = f"def _{text}:\n    pass"
    (definition,) = ast.parse(source).body
    function = cast("ast.FunctionDef", definition)
    line = source.encode()
    return Signature(
        [*_parameters(function.args, line)], return_annotation=_text(function.returns, line)
    )


def _by_parts(text: str) -> Signature | None:
    """Put a signature together from parameters met before; ``None`` if it is not so simple.

    Real functions share most parameters, and parsing is most of what reading
    costs. Wherever a comma is no end of a parameter, what stands before it is
    a parameter only in part, and is none.
    """
    head, arrow, returned = text.rpartition(") -> ") if text[-1] != ")" else (text[:-1], ")", "")
    parts = head[1:].split(", ") if head[1:] else []
    parameters = [*_in_order(parts)]
    annotation = Signature.empty if arrow == ")" else _returned(returned)
    if not arrow or None in parameters or annotation is None:
        return None
    return Signature(cast("list[Parameter]", parameters), return_annotation=annotation)


def _in_order(parts: list[str]) -> Iterator[Parameter | None]:
    """Read parameters one by one; ``None`` stands for what only all of them together tell."""
    kind: Any = Parameter.POSITIONAL_OR_KEYWORD
    for part, following in zip(parts, [*parts[1:], ""], strict=False):
        if (
            part == "*"
            and kind is Parameter.POSITIONAL_OR_KEYWORD
            and following[:1] not in ("", "*")
        ):
            kind = Parameter.KEYWORD_ONLY
        elif part.startswith("*") and (following or not part.startswith("**")):
            yield None
        else:
            yield _part(part, kind)


@lru_cache(maxsize=4096)
def _part(text: str, kind: Any) -> Parameter | None:
    """Read one parameter, or nothing."""
    try:
        signature = _whole(f"({text})")
        (found,) = signature.parameters.values()
    except _BAD_TEXT:
        return None
    if signature.return_annotation is not Signature.empty:
        return None
    return found.replace(kind=kind) if found.kind is Parameter.POSITIONAL_OR_KEYWORD else found


@lru_cache(maxsize=1024)
def _returned(text: str) -> Any:
    """Read one annotation, or nothing."""
    try:
        return _whole(f"() -> {text}").return_annotation
    except _BAD_TEXT:
        return None


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
    return repr(text) if node is None or isinstance(_value(node), str) else text


def _formatted(annotation: Any) -> str:
    try:
        return inspect.formatannotation(annotation)
    except Exception:  # noqa: BLE001 - a foreign __repr__ may raise anything
        return shown(annotation)


def _default(value: Any) -> str:
    """Write a default: as a literal, as the expression that it shows, or as neither."""
    literal = _literal(value)
    if literal is not None:
        return literal
    text = shown(value) if not isinstance(value, Opaque) else value.text
    node = _expression(text)
    is_plain = node is not None and _value(node) is _NO_LITERAL and _marked(node) is None
    return text if is_plain else f"opaque({text!r})"


def _expression(text: str) -> ast.expr | None:
    """Parse a text that could stand as an annotation or default, and would read back exactly."""
    source = f"lambda _={text}, __=0: 0"
    try:
        body: Any = ast.parse(source, mode="eval").body
        first, _ = body.args.defaults
    except (AttributeError, *_BAD_TEXT):
        return None
    return first if _text(first, source.encode()) == text and text.isprintable() else None


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


def _parameters(arguments: ast.arguments, line: bytes) -> Iterator[Parameter]:
    """Read the parameters in their order."""
    by_position = [
        *((found, Parameter.POSITIONAL_ONLY) for found in arguments.posonlyargs),
        *((found, Parameter.POSITIONAL_OR_KEYWORD) for found in arguments.args),
    ]
    bare = len(by_position) - len(arguments.defaults)
    defaults: Iterator[ast.expr | None] = chain(repeat(None, bare), arguments.defaults)
    for (found, kind), default in zip(by_position, defaults, strict=True):
        yield _read(found, kind, line, default)
    if arguments.vararg:
        yield _read(arguments.vararg, Parameter.VAR_POSITIONAL, line)
    for found, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _read(found, Parameter.KEYWORD_ONLY, line, default)
    if arguments.kwarg:
        yield _read(arguments.kwarg, Parameter.VAR_KEYWORD, line)


def _read(found: ast.arg, kind: Any, line: bytes, default: ast.expr | None = None) -> Parameter:
    value: Any = Parameter.empty
    if default is not None:
        value = _value(default)
        if value is _NO_LITERAL:
            value = Opaque(_marked(default) or _text(default, line))
    return Parameter(found.arg, kind, default=value, annotation=_text(found.annotation, line))


def _value(node: ast.expr) -> Any:
    """Read a literal; `_NO_LITERAL` for any other expression."""
    if isinstance(node, ast.Constant):
        return node.value
    try:
        return ast.literal_eval(node)
    except _BAD_TEXT:
        return _NO_LITERAL


def _marked(node: ast.expr) -> str | None:
    """Read ``opaque('text')``."""
    match node:
        case ast.Call(ast.Name("opaque"), [ast.Constant(str(text))], []):
            return text
    return None


def _text(node: ast.expr | None, line: bytes) -> Any:
    """Give an expression as it is written; a string stands for what it says."""
    if node is None:
        return Parameter.empty
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return line[node.col_offset : node.end_col_offset].decode()
