"""Signatures as text: one line of Python, read back without running any of it.

A default that is a literal comes back as its value. Any other comes back as an
`Opaque` that shows what was written: a bare expression where it is one, else
``opaque('<what it shows>')``. Annotations come back as strings.
"""

from __future__ import annotations

import ast
import inspect
import re
from functools import partial
from inspect import Parameter, Signature
from itertools import chain, repeat
from math import isnan
from typing import TYPE_CHECKING, Any, cast

from scverse_backends._ground.safe_repr import attempt, short_repr

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 1_500
"""Words and signs in the largest signature that is read; the largest known ones have a third."""

_WORD_OR_SIGN = re.compile(r"\w+|[^\w\s]")
# The parser says MemoryError of a text that nests too deep.
_BAD_TEXT = (SyntaxError, ValueError, TypeError, MemoryError)
_NO_LITERAL = object()
_ONLY, _EITHER = Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD
_DEEPEST = 16
_INFINITY = "1e999"  # as Python reads it


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


def size(text: str) -> int:
    """Count the words and signs of a text; the work of reading it grows with them."""
    return len(_WORD_OR_SIGN.findall(text))


def read_signature(text: str) -> Signature:
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
        If it is not a signature, or larger than any that is read.

    Examples
    --------
    >>> from scverse_backends.manifest import read_signature
    >>> signature = read_signature("(data, /, *, size: int = 2, dtype=float)")
    >>> signature.parameters["size"].default, signature.parameters["dtype"].default
    (2, float)
    >>> signature.parameters["dtype"].default == float
    False
    """
    if not text.startswith("(") or not text.isprintable():
        msg = f"{short_repr(text)} is not a signature"
        raise ValueError(msg)
    if size(text) > LARGEST:
        msg = f"{short_repr(text)} is too long"
        raise ValueError(msg)
    source = f"def _{text}:\n    pass"
    try:
        (definition,) = ast.parse(source).body
        return _signature(cast("ast.FunctionDef", definition), source.encode())
    except _BAD_TEXT as error:
        msg = f"{short_repr(text)} is not a signature: {error}"
        raise ValueError(msg) from error


def _signature(function: ast.FunctionDef, source: bytes) -> Signature:
    returned = _as_written(function.returns, source)
    return Signature([*_parameters(function.args, source)], return_annotation=returned)


def _parameters(arguments: ast.arguments, source: bytes) -> Iterator[Parameter]:
    """Read the parameters in their order."""
    read = partial(_parameter, source)
    by_position = [*arguments.posonlyargs, *arguments.args]
    bare = len(by_position) - len(arguments.defaults)
    kinds = chain(repeat(_ONLY, len(arguments.posonlyargs)), repeat(_EITHER))
    yield from map(read, by_position, kinds, chain(repeat(None, bare), arguments.defaults))
    if arguments.vararg:
        yield read(arguments.vararg, Parameter.VAR_POSITIONAL)
    yield from map(
        read, arguments.kwonlyargs, repeat(Parameter.KEYWORD_ONLY), arguments.kw_defaults
    )
    if arguments.kwarg:
        yield read(arguments.kwarg, Parameter.VAR_KEYWORD)


def _parameter(
    source: bytes, found: ast.arg, kind: Any, default: ast.expr | None = None
) -> Parameter:
    value: Any = Parameter.empty
    if default is not None:
        value = _literal(default)
        if value is _NO_LITERAL:
            value = Opaque(_marked(default) or _as_written(default, source))
    annotation = _as_written(found.annotation, source)
    return Parameter(found.arg, kind, default=value, annotation=annotation)


def _literal(node: ast.expr) -> Any:
    """Read a literal; `_NO_LITERAL` for any other expression."""
    if isinstance(node, ast.Constant):
        return node.value
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return _NO_LITERAL


def _marked(node: ast.expr) -> str | None:
    """Read ``opaque('text')``."""
    match node:
        case ast.Call(ast.Name("opaque"), [ast.Constant(str(text))], []):
            return text
    return None


def _as_written(node: ast.expr | None, source: bytes) -> Any:
    """Give an expression as it is written; a string stands for what it says."""
    if node is None:
        return Parameter.empty
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return source[node.col_offset : node.end_col_offset].decode()


def write_signature(signature: Signature) -> str:
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
        If it has parameters that Python has no text for, or is larger than any that is read.

    Examples
    --------
    >>> import inspect
    >>> from scverse_backends.manifest import write_signature
    >>> def embed(data, /, *, size: int = 2, dtype=float, rng=object()): ...
    >>> write_signature(inspect.signature(embed))
    "(data, /, *, size: int = 2, dtype=float, rng=opaque('<object object>'))"
    """
    parameters = [_shown_as_text(parameter) for parameter in signature.parameters.values()]
    returned = _annotation_text(signature.return_annotation)
    text = str(Signature(parameters, return_annotation=returned))
    read_signature(text)
    return text


def _shown_as_text(parameter: Parameter) -> Parameter:
    """Give a parameter that Python itself writes as we want it to be written."""
    default = parameter.default
    return Parameter(
        parameter.name,
        parameter.kind,
        default=default if default is Parameter.empty else Opaque(value_text(default)),
        annotation=_annotation_text(parameter.annotation),
    )


def _annotation_text(annotation: Any) -> Any:
    """Write an annotation bare where that reads back as the same string, else in quotes."""
    if annotation is Parameter.empty:
        return annotation
    text = annotation
    if not isinstance(annotation, str):
        text = attempt(
            lambda: inspect.formatannotation(annotation), lambda _: short_repr(annotation)
        )
    node = _expression(text)
    is_bare = node is not None and not isinstance(_literal(node), str)
    return Opaque(text if is_bare else repr(text))


_AS_SIGNATURE = "(*, value={})"


def read_value(text: str) -> Any:
    """Read one value that `value_text` wrote.

    Raises
    ------
    ValueError
        If it is not one value.
    """
    found = read_signature(_AS_SIGNATURE.format(text))
    if [*found.parameters] != ["value"] or found.return_annotation is not Signature.empty:
        msg = f"{short_repr(text)} is not a value"
        raise ValueError(msg)
    return found.parameters["value"].default


def value_text(value: Any) -> str:
    """Write one value for `read_value`: a literal, the expression that it shows, or neither."""
    exact = _readable(_literal_text(value))
    if exact:
        return exact
    text = (isinstance(value, Opaque) and _readable(value.text)) or short_repr(value)
    node = _expression(text)
    is_plain = node is not None and _literal(node) is _NO_LITERAL and _marked(node) is None
    return text if is_plain else f"opaque({text!r})"


def literal_text(value: Any) -> str:
    """Write a literal that can be read; of any other value, only that there is one."""
    return _readable(_literal_text(value)) or "opaque"


def _readable(text: str | None) -> str | None:
    """Give a text that is no longer than `read_value` reads."""
    is_short = text is not None and size(_AS_SIGNATURE.format(text)) <= LARGEST
    return text if is_short else None


def _expression(text: str) -> ast.expr | None:
    """Parse a text that could stand as an annotation or default, and would read back exactly."""
    if size(text) > LARGEST or not text.isprintable():
        return None
    source = f"lambda _={text}, __=0: 0"
    try:
        body: Any = ast.parse(source, mode="eval").body
        first, _ = body.args.defaults
    except (AttributeError, *_BAD_TEXT):
        return None
    return first if _as_written(first, source.encode()) == text else None


def _literal_text(value: Any, depth: int = 0) -> str | None:
    """Write a value of Python's own literal types; ``None`` for any other."""
    kind = type(value)
    if kind not in (tuple, list, set, dict):
        return _atom_text(value)
    if depth == _DEEPEST:
        return None
    inner = chain(*value.items()) if kind is dict else value
    items: list[Any] = [_literal_text(item, depth + 1) for item in inner]
    if None in items:
        return None
    if kind is set:
        return f"{{{', '.join(sorted(items))}}}" if items else "set()"
    shown: Any = map(Opaque, items)  # Python itself writes what is around them
    return repr(dict(zip(shown, shown, strict=True)) if kind is dict else kind(shown))


def _atom_text(value: Any) -> str | None:
    """Write one value, unless Python reads another one, or none, from what it writes."""
    if value is ...:
        return "..."
    kind = type(value)
    if kind is float:
        return None if isnan(value) else repr(value).replace("inf", _INFINITY)
    if kind not in (type(None), bool, int, str, bytes, complex):
        return None
    try:
        text = repr(value)
        return text if repr(ast.literal_eval(text)) == text else None
    except ValueError:  # an integer of more digits than are written, a complex infinity
        return None
