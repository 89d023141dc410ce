"""Outlines: signatures read from text, none of which is run or looked up.

Real functions share most of their parameters, and parsing is most of what
reading costs: so what was read once is the same object wherever it is met
again, and whoever works something out for one may keep it with the object.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from inspect import Parameter, Signature
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from scverse_backends._ground.safe_repr import short_repr

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 20_000
"""The longest signature that is read; the longest known ones have a tenth of this."""

NO_LITERAL = object()
BAD_TEXT = (SyntaxError, ValueError, TypeError, MemoryError, RecursionError)

_ORDER = re.compile(r"r*d*(\*[rd]+)?k?")
"""Required parameters, those with defaults, a star and what follows it, keywords."""
_MARKS: dict[Any, str] = {
    Parameter.POSITIONAL_OR_KEYWORD: "d",
    Parameter.VAR_POSITIONAL: "*",
    Parameter.VAR_KEYWORD: "k",
}


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


class Piece:
    """One parameter as it is written, wherever that is; compared by identity.

    Attributes
    ----------
    name
        Its name; a star for the mark between parameters.
    mark
        What it is to the order of the parameters.
    parameter
        What it says, for the place before any star.
    """

    __slots__ = ("mark", "name", "parameter")

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        self.name = parameter.name
        required = parameter.default is Parameter.empty
        mark = _MARKS.get(parameter.kind, "?")
        self.mark = "r" if mark == "d" and required else mark


STAR, FRAGMENT = (Piece(Parameter("_", Parameter.VAR_POSITIONAL)) for _ in "*?")
STAR.name, FRAGMENT.mark = "*", "?"
"""The mark between parameters, and what is no parameter."""


class Outline(NamedTuple):
    """A signature in the pieces that it is written in."""

    pieces: tuple[Piece, ...]
    returned: Any

    def signature(self) -> Signature:
        """Put the signature together."""
        return Signature([*self._parameters()], return_annotation=self.returned)

    def _parameters(self) -> Iterator[Parameter]:
        starred = False
        for piece in self.pieces:
            found = piece.parameter
            if piece is STAR:
                starred = True
            elif starred and found.kind is Parameter.POSITIONAL_OR_KEYWORD:
                yield found.replace(kind=Parameter.KEYWORD_ONLY)
            else:
                yield found


def outline(text: str) -> Outline:
    """Read a signature, as far as it takes to know that it is one.

    Raises
    ------
    ValueError
        If it is none.
    """
    if len(text) > LONGEST or not text.startswith("(") or not text.isprintable():
        msg = f"{short_repr(text)} is no signature"
        raise ValueError(msg)
    try:
        return _by_parts(text) or _outlined(whole(text))
    except BAD_TEXT as error:
        msg = f"{short_repr(text)} is no signature: {error}"
        raise ValueError(msg) from error


def whole(text: str) -> Signature:
    """Parse a signature, or raise one of `BAD_TEXT`."""
    source = f"def _{text}:\n    pass"
    (definition,) = ast.parse(source).body
    function = cast("ast.FunctionDef", definition)
    line = source.encode()
    return Signature(
        [*_parameters(function.args, line)], return_annotation=as_written(function.returns, line)
    )


def _outlined(signature: Signature) -> Outline:
    return Outline(tuple(map(Piece, signature.parameters.values())), signature.return_annotation)


def _by_parts(text: str) -> Outline | None:
    """Put an outline together from pieces met before; ``None`` if it is not so simple.

    Wherever a comma is no end of a parameter, what stands before it is a
    parameter only in part, and is none.
    """
    head, arrow, returned = text.rpartition(") -> ") if text[-1] != ")" else (text[:-1], ")", "")
    pieces = tuple(map(_piece, head[1:].split(", "))) if len(head) > 1 else ()
    names = {piece.name for piece in pieces}
    annotation = Signature.empty if arrow == ")" else _returned(returned)
    are_in_order = _is_order("".join([piece.mark for piece in pieces])) and len(names) == len(
        pieces
    )
    return (
        Outline(pieces, annotation) if arrow and annotation is not None and are_in_order else None
    )


@lru_cache(maxsize=1024)
def _is_order(marks: str) -> bool:
    """Whether parameters with these marks can follow one another."""
    return _ORDER.fullmatch(marks) is not None


@lru_cache(maxsize=8192)
def _piece(text: str) -> Piece:
    """Read one parameter, or tell that it is none."""
    if text == "*":
        return STAR
    try:
        signature = whole(f"({text})")
        (found,) = signature.parameters.values()
    except BAD_TEXT:
        return FRAGMENT
    alone = signature.return_annotation is Signature.empty
    return Piece(found) if alone and found.kind is not Parameter.VAR_POSITIONAL else FRAGMENT


@lru_cache(maxsize=1024)
def _returned(text: str) -> Any:
    """Read one annotation, or nothing."""
    try:
        return whole(f"() -> {text}").return_annotation
    except BAD_TEXT:
        return None


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
        value = literal(default)
        if value is NO_LITERAL:
            value = Opaque(marked(default) or as_written(default, line))
    return Parameter(found.arg, kind, default=value, annotation=as_written(found.annotation, line))


def literal(node: ast.expr) -> Any:
    """Read a literal; `NO_LITERAL` for any other expression."""
    if isinstance(node, ast.Constant):
        return node.value
    try:
        return ast.literal_eval(node)
    except BAD_TEXT:
        return NO_LITERAL


def marked(node: ast.expr) -> str | None:
    """Read ``opaque('text')``."""
    match node:
        case ast.Call(ast.Name("opaque"), [ast.Constant(str(text))], []):
            return text
    return None


def as_written(node: ast.expr | None, line: bytes) -> Any:
    """Give an expression as it is written; a string stands for what it says."""
    if node is None:
        return Parameter.empty
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return line[node.col_offset : node.end_col_offset].decode()
