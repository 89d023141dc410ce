"""Signatures and manifests drawn at random: what is written is read back as it was."""

from __future__ import annotations

import ast
import cmath
import json
import keyword
import math
import tomllib
from enum import Enum
from fractions import Fraction
from inspect import Parameter, Signature
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scverse_backends import manifest
from scverse_backends.manifest import Opaque, read_signature, write_signature

DATA = Path(__file__).parents[1] / "data" / "scanpy_rapids_signatures.json"
PAIRS = json.loads(DATA.read_text(encoding="utf-8"))["functions"]
KINDS = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


class Colour(Enum):
    RED = 1


class Shy:
    def __repr__(self):
        raise RuntimeError


SIGNS = ["'", '"', "'''", "\\", "\n", "\r\n", "\t", "\0", "\x7f", "\ud800", "é", chr(0x1D518)]
texts = st.text(max_size=12) | st.sampled_from([*SIGNS, "a b", "# no", "()"])
atoms = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_infinity=False, allow_nan=False)
    | texts
    | st.binary(max_size=8)
    | st.just(...)
)
hashable = st.recursive(atoms, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=4)
literals = st.recursive(
    hashable,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(hashable, inner, max_size=3)
        | st.sets(hashable, max_size=3)
    ),
    max_leaves=6,
)
circle = []
circle.append(circle)
OPAQUE = [*map(Opaque, ["x", "1", "opaque('x')", "a, b", "x\ny", "é.f(*g)", "lambda: x"])]
NUMBERS = [np.float32, np.float64(0.5), np.arange(3), float("nan"), Fraction(1, 2), 10**5000]
OBJECTS = [object(), print, Colour.RED, lambda x: x, Shy(), circle, range(9), range(3)]
HOLDERS = [frozenset("a"), [object()], {"a": print}, complex(0, float("inf"))]
opaque = st.sampled_from([*OPAQUE, *NUMBERS, *OBJECTS, *HOLDERS])
WORDS = "int|'Later'|a, b|x: y|int = 3|# no|(a)| int|lambda: x|*Ts|é[ß]||None|if|x)|\\|f'{x}'|yield"
MORE = "await x|x := 1|a\nb|'a' 'b'|np.ndarray , None".replace(" , ", " | ")
TYPES = [int, np.ndarray, list[int], int | None, Shy(), "np.ndarray | None"]
annotations = st.sampled_from([*TYPES, *WORDS.split("|"), *MORE.split("|")]) | texts
names = st.text("abcxyzéß_0", min_size=1, max_size=4).filter(str.isidentifier)


@st.composite
def signatures(draw):
    chosen = draw(st.lists(names, unique=True, max_size=8))
    chosen = [name for name in chosen if not keyword.iskeyword(name)]
    kinds = sorted(draw(st.lists(st.sampled_from(KINDS), min_size=8, max_size=8)))
    parameters, optional = [], False
    for name, kind in zip(chosen, kinds, strict=False):
        default = Parameter.empty
        if draw(st.booleans()) or (optional and kind is not Parameter.KEYWORD_ONLY):
            default, optional = draw(literals | opaque), True
        parameters.append(Parameter(name, kind, default=default, annotation=draw(annotated)))
    at = sum(kind is not Parameter.KEYWORD_ONLY for kind in kinds[: len(chosen)])
    if draw(st.booleans()):
        kind = Parameter.VAR_POSITIONAL
        parameters.insert(at, Parameter("args", kind, annotation=draw(annotated)))
    if draw(st.booleans()):
        kind = Parameter.VAR_KEYWORD
        parameters.append(Parameter("kwargs", kind, annotation=draw(annotated)))
    return Signature(parameters, return_annotation=draw(annotated))


annotated = st.just(Parameter.empty) | annotations


def is_literal(value):
    """Whether a value is made of what Python writes as literals."""
    if type(value) in (list, tuple, set):
        return value is not circle and all(map(is_literal, value))
    if type(value) is dict:
        return all(map(is_literal, value)) and all(map(is_literal, value.values()))
    if type(value) is float:
        return not math.isnan(value)
    if type(value) is complex:  # one with an infinite part, or a negative zero, is no literal
        return not cmath.isinf(value) and repr(ast.literal_eval(repr(value))) == repr(value)
    if type(value) is int:
        return abs(value) < 10**4000
    return value is ... or type(value) in (type(None), bool, str, bytes)


def check(signature):
    """Check that a signature comes back: all of it, as far as a text can hold it."""
    text = write_signature(signature)
    back = read_signature(text)
    assert text.isprintable()
    assert write_signature(back) == text
    assert [*back.parameters] == [*signature.parameters]
    ours = [*back.parameters.values()]
    for one, other in zip(ours, signature.parameters.values(), strict=True):
        assert one.kind is other.kind
        check_annotation(one.annotation, other.annotation)
        check_default(one.default, other.default)
    check_annotation(back.return_annotation, signature.return_annotation)


def check_annotation(ours, theirs):
    if theirs is Parameter.empty or isinstance(theirs, str):
        assert ours == theirs
    else:
        assert isinstance(ours, str)


def check_default(ours, theirs):
    if isinstance(theirs, Opaque):
        assert isinstance(ours, Opaque)
        assert repr(ours) == repr(theirs)
    elif theirs is Parameter.empty:
        assert ours is theirs
    elif is_literal(theirs):
        assert type(ours) is type(theirs)
        assert ours == theirs
    else:
        assert isinstance(ours, Opaque)
        assert ours != ours  # noqa: PLR0124 - it equals nothing
        assert ours != theirs


@given(signatures())
def test_a_signature_is_read_back_as_it_was(signature):
    check(signature)


@pytest.mark.parametrize("side", ["host", "backend"])
@pytest.mark.parametrize("function", PAIRS)
def test_real_signatures_are_read_back_as_they_were(function, side):
    check(Signature([recorded(**found) for found in PAIRS[function][side]]))


def recorded(name, kind, default=None):
    value = Parameter.empty
    if default is not None:
        try:
            value = ast.literal_eval(default)
        except ValueError:
            value = Opaque(default)
    return Parameter(name, getattr(Parameter, kind), default=value)


FIXED = ["0", "'a'", "None", "[1, 2.0]", "1e999", "numpy.float32", "opaque('<object object>')"]

manifests = st.builds(
    manifest.Manifest,
    adapter=st.none() | texts,
    facts=st.fixed_dictionaries(
        {
            "name": texts,
            "aliases": st.lists(texts, max_size=3),
            "renames": st.dictionaries(
                texts, st.dictionaries(texts, texts, max_size=2), max_size=2
            ),
            "fixed": st.dictionaries(
                texts, st.dictionaries(texts, st.sampled_from(FIXED)), max_size=2
            ),
        }
    ),
    offers=st.dictionaries(
        texts | st.sampled_from(["tl.umap", "embed"]),
        st.builds(
            manifest.Offer,
            kind=st.sampled_from(["function", "class"]),
            signature=st.none() | signatures().map(write_signature),
            coroutine=st.booleans(),
            parameters=st.text("ab :\n\t'\"\\\r\x00é", max_size=20).map(lambda t: t.strip("\n")),
        ),
        max_size=3,
    ),
)


def without_halves(value):
    """Do as files must with halves of characters, for which they have no bytes."""
    return json.loads(
        "".join(
            "\ufffd" if "\ud800" <= c <= "\udfff" else c
            for c in json.dumps(value, ensure_ascii=False)
        )
    )


@settings(max_examples=3 * settings.default.max_examples)
@given(manifests)
def test_every_manifest_is_toml_and_is_read_back_as_it_was(drawn):
    text = manifest.dumps(drawn)
    tomllib.loads(text)
    read = manifest.loads(text.encode())
    assert without_halves(read) == without_halves(drawn)
    assert manifest.dumps(read) == text


PIECES = [
    "a",
    "b=1",
    "c: int",
    "d: 'x' = 2",
    "*",
    "/",
    "*args",
    "**rest",
    "*a",
    "e=[1",
    "2]",
    "f='",
    "",
    "g=(",
    "h)",
    "a) -> (b",
]
PIECES += ["lambda i", "j=lambda k", "l: 0", "a,b", "if", "m=n.o(", "'x'"]


@given(
    st.text()
    | signatures().map(write_signature).map(lambda text: text[:-1])
    | st.builds(
        "({}){}".format,
        st.lists(st.sampled_from(PIECES), max_size=6).map(", ".join),
        st.sampled_from(["", " -> int", " -> ", " -> (a, b)", ": pass; (x", " -> 'a) -> b'", "("]),
    )
)
@settings(max_examples=3 * settings.default.max_examples)
def test_a_text_is_read_if_python_would_read_it_in_a_definition(text):
    # Python tells whether these may stand where they do only when it compiles what is around them.
    assume("await" not in text and "yield" not in text)
    is_signature = text.startswith("(") and text.isprintable()
    try:
        compile(f"def _{text}:\n    pass", "", "exec")
    except (SyntaxError, ValueError):
        is_signature = False
    try:
        signature = read_signature(text)
    except ValueError:
        assert not is_signature
    else:
        assert is_signature
        assert read_signature(write_signature(signature)).parameters.keys() == (
            signature.parameters.keys()
        )


@given(st.binary() | st.text().map(str.encode))
def test_what_is_no_manifest_is_refused(data):
    with pytest.raises(manifest.ManifestError):
        manifest.loads(data)


HEADS = ["functions.a", "functions.b-c", 'functions."tl.d"', 'functions."e\\u0041"', "functions"]
VALUES = ["'(a)'", "'(a, '", "'''(b='x')'''", "'''(b='')'''", "'''(b='')''''", '"(c)"', "2"]
PARAMETERS = ["'''\na\n    It's ''so''.\n'''\n", "'''\n[functions.g]\n'''\n", "'''\n"]
TABLES = [
    *(f"[{head}]\n" for head in [*HEADS, "classes.a", "classes.F", "renames.a", "fixed.a"]),
    *(f"signature = {value}\n" for value in VALUES),
    *(f"parameters = {value}" for value in PARAMETERS),
    *("x = 'y'\n", "coroutine = true\n", "coroutine = false\n", "'''\n", "# No more.\n"),
    *("\t", "\r\n", "\n", "\n"),
]


def outcome(text):
    """Read a text; what is wrong with it may be told in other words."""
    try:
        return manifest.loads(text.encode())
    except manifest.ManifestError:
        return None


@settings(max_examples=3 * settings.default.max_examples)
@given(
    st.sampled_from(["", "aliases = []\n", "functions.h.coroutine = true\n", "name = '''\n"]),
    st.lists(st.sampled_from(TABLES), max_size=8).map("".join),
)
def test_a_manifest_says_the_same_however_it_is_written(head, tables):
    text = f"schema = 1\nname = 'b'\n{head}\n{tables}"
    # One with a remark at its end is not as this library writes it.
    assert outcome(text) == outcome(f"{text}\n# A remark.")
