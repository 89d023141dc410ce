"""A manifest has a budget: whatever a file says, it is read or refused in a moment."""

import sys
from inspect import stack
from itertools import product
from string import ascii_letters
from time import process_time

import pytest

from scverse_backends import manifest
from scverse_backends.exceptions import BackendRegistrationWarning

pytestmark = pytest.mark.filterwarnings(
    "ignore::scverse_backends.exceptions.UntrustedBackendWarning"
)

HEAD = "schema = 1\nname = 'tiled'\n"
ADAPTER = "name = 'tiled'\ndef scale(values, factor=2, *, own=1): return 'ran'"
MOMENT = 2.0
"""Seconds of processor time: many times what it takes, and less than what it took without a budget."""

SIZE = 250_000
NAMES = [f"x{a}{b}" for a, b in product(ascii_letters, repeat=2)]
STRUCTURE, KEY = "characters outside of its strings", "has a key of too many parts"
ALIASES = "has more than 50 aliases"
DEEP, ESCAPES = "nests its values too deep", "backslashes"
WORDS, LONG = "words and signs in its signatures", "is too long"


def many(write, size=SIZE):
    """Write something for one number after another, until there is enough of it."""
    text, number = "", 0
    while len(text) < size:
        text, number = text + write(number), number + 1
    return text


def functions(signature, count):
    """Write functions that have one signature."""
    return "".join(f"[functions.f{n}]\nsignature = '{signature}'\n" for n in range(count))


REFUSED = {
    "a dotted key": (".".join("a" * (SIZE // 2)) + " = 1", STRUCTURE),
    "a short dotted key": ("a.b.c.d.e.f = 1", KEY),
    "a dotted key of strings": (".".join(["'a'"] * 2_000) + " = 1", KEY),
    "a dotted key with spaces": (" . ".join("a" * 2_000) + " = 1", KEY),
    "a dotted table": (f"[{'.'.join('a' * 2_000)}]", KEY),
    "a dotted array of tables": (f"[[{'.'.join('a' * 2_000)}]]", KEY),
    "dotted keys in dotted tables": (
        many(lambda n: f"[a.b.c.d.e.f{n}]\na.b.c.d.e.f{n} = 1\n", 11_000),
        KEY,
    ),
    "a dotted key in an inline table": (f"x = {{{'.'.join('a' * 2_000)} = 1}}", KEY),
    "many keys": (many(lambda n: f"k{n} = 1\n"), STRUCTURE),
    "many tables": (many(lambda n: f"[t{n}]\n"), STRUCTURE),
    "many empty lines": ("\n" * SIZE, STRUCTURE),
    "many arrays of tables": (many(lambda n: "[[a]]\n"), STRUCTURE),
    "an array of numbers": (f"x = [{'1,' * (SIZE // 2)}]", STRUCTURE),
    "an array of strings": ("x = [" + "''," * (SIZE // 3) + "]", STRUCTURE),
    "an array of inline tables": (f"x = [{'{},' * (SIZE // 3)}]", STRUCTURE),
    "an inline table": (f"x = {{{many(lambda n: f'k{n} = 1, ')}}}", STRUCTURE),
    "comments": ("#\n" * (SIZE // 2), STRUCTURE),
    "comments that look like strings": ("# '''\nx = 1 # \"\"\"\n" * 9_000, STRUCTURE),
    "strings that look like comments": ("\n".join(["'#' = 1"] * 9_000), STRUCTURE),
    "arrays in one another": (f"x = {'[' * 5_000}{']' * 5_000}", DEEP),
    "arrays in one another, between others": (f"x = {'[[],' * 2_000}", DEEP),
    "inline tables in one another": (f"x = {'{a = ' * 2_000}", DEEP),
    "escaped characters": ('x = "' + r"\n" * (SIZE // 2) + '"', ESCAPES),
    "escaped code points": ('x = "' + r"\u0041" * (SIZE // 6) + '"', ESCAPES),
    "escaped ends of lines": ('x = """' + "\\\n" * (SIZE // 2) + '"""', ESCAPES),
    "a string without an end": ("x = '" + "a" * SIZE, "cannot be read"),
    "text without an end": ("x = '''" + "''a" * (SIZE // 3), "cannot be read"),
    "escaped text without an end": ('x = """' + r'\"""' * 4_000, "cannot be read"),
    "quotes": ("'" * SIZE, STRUCTURE),
    "a long number": (f"x = 1{'_1' * (SIZE // 2)}", STRUCTURE),
    "a long hexadecimal number": (f"x = 0x{'f' * SIZE}", STRUCTURE),
    "a long fraction": (f"x = 0.{'1' * SIZE}", STRUCTURE),
    "aliases": ("aliases = [" + many(lambda n: f"'a {n}', ", 20_000) + "]", ALIASES),
    "lines of text": ("x = '''" + "x\n" * 50_000 + "'''", "has more than 10000 lines"),
    "a signature of many parameters": (functions(f"({', '.join(NAMES)})", 1), LONG),
    "signatures of many parameters": (functions(f"({', '.join(NAMES[:700])})", 50), WORDS),
    "a signature of a long list": (functions(f"(x=[{'1,' * 5_000}])", 1), LONG),
    "a signature of many words": (functions(f"(x={'not ' * 5_000}x)", 1), LONG),
    "a signature of attributes": (functions(f"(x=x{'.x' * 5_000})", 1), LONG),
    "a signature of signs": (functions(f"(x={'-' * 5_000}1)", 1), LONG),
    "a signature of brackets": (functions(f"(x={'(' * 700}", 1), "is wrong about 'f0'"),
    "a signature of brackets and words": (
        functions(f"(x={'(lambda x=' * 180}", 1),
        "is wrong about 'f0'",
    ),
}
READ = {
    "keys": many(lambda n: f"k{n} = 1\n", 11_900),
    "tables of keys": many(lambda n: f"[a.b.c.d.e{n}]\na.b.c.d.e = 1\n", 11_900),
    "arrays of tables": many(lambda n: "[[a]]\n", 11_900),
    "an array of numbers": f"x = [{'1,' * 5_900}]",
    "an array of strings": "x = [" + "''," * 5_900 + "]",
    "inline tables": f"x = [{'{a = 1},' * 1_400}]",
    "escaped characters": 'x = "' + r"\n" * 4_990 + "a" * 200_000 + '"',
    "quotes in text": 'x = """' + '""a' * 80_000 + '"""',
    "quotes in literal text": "x = '''" + "''a" * 80_000 + "'''",
    "a comment": "#" * SIZE,
    "a function of many namespaces": f"[functions.'{'a.' * 100_000}b']",
    "a function of an endless name": f"[functions.{'a' * 10_000}]",
    "functions": functions("(x)", 300),
    "parameters": functions(f"({', '.join(NAMES[:700])})", 14),
    "defaults": functions(f"(x=[{'1,' * 740}])", 13),
    "words": functions(f"(x={'not ' * 1_490}x)", 13),
    "signs": functions(f"(x={'-' * 1_490}1)", 13),
    "operators": functions(f"(x=x{'+x' * 740})", 13),
    "attributes": functions(f"(x=x{'.x' * 740})", 13),
    "strings": functions(f'(x="{"-a" * 700}")', 13),
    "numbers": functions(f"(x={'9' * 4_200})", 55),
    "hexadecimal numbers": functions(f"(x=0x{'f' * 10_000})", 20),
}


def moments(work):
    """Tell what a look takes."""
    started = process_time()
    found = work()
    return found, process_time() - started


@pytest.mark.parametrize("case", REFUSED)
def test_what_says_too_much_is_refused_in_a_moment(ship, site, dispatcher, scale, case):
    text, said = REFUSED[case]
    ship((HEAD + text).encode(), modules={"tiled.adapter": ADAPTER})
    with pytest.warns(BackendRegistrationWarning) as caught:
        (info,), seconds = moments(dispatcher.backends)
    assert seconds < MOMENT
    (warning,) = (str(w.message) for w in caught)
    assert said in warning
    assert len(warning) < 1_000
    assert (info.name, site.imported()) == ("tiled_point", set())
    dispatcher.discover()
    assert "Only with backend ``'tiled'``" in scale.__doc__


@pytest.mark.parametrize("case", READ)
def test_what_says_as_much_as_it_may_is_read_in_a_moment(ship, dispatcher, case):
    ship((HEAD + READ[case]).encode())
    (info,), seconds = moments(dispatcher.backends)
    assert (info.name, seconds < MOMENT) == ("tiled", True)


def test_a_manifest_of_two_hundred_real_functions_is_within_the_budget():
    parameter = "neighbors_{}: str | Sequence[int] | None = None"
    signature = f"(adata: AnnData, {', '.join(map(parameter.format, range(7)))})"
    text = "key : str\n    What it's for, in a sentence.\n" * 20
    offers = {
        f"tl.function_{n}": manifest.Offer("function", signature, parameters=text)
        for n in range(200)
    }
    whole = manifest.Manifest("mine", {"name": "mine"}, offers)
    assert len(manifest.loads(manifest.dumps(whole).encode()).offers) == 200


def test_a_fixed_value_that_is_too_long_is_written_in_part_and_is_no_disagreement(site, dispatcher):
    adapter = f"{ADAPTER}\nfixed = {{'scale': {{'genes': [*range(1000)], 'factor': 3}}}}"
    site.install("tiled", entry_points={"tiled": "tiled"}, modules={"tiled": adapter})
    manifest.write("tiled")
    del sys.modules["tiled"]
    assert [info.state for info in dispatcher.backends()] == ["installed"]
    scale = dispatcher.backend_dispatch(name="scale")(lambda values, factor=3, genes=None: "host")
    dispatcher.discover()
    assert site.imported() == set()
    assert scale(1, genes=[*range(1000)], backend="tiled") == "ran"


def test_a_stack_that_is_nearly_full_is_not_taken_for_a_damaged_manifest():
    text = f"{HEAD}x = [[[[1]]]]\n{functions('(x=[[[[-1]]]], *, y: list[int] = {{1: [2]}})', 2)}"
    whole = manifest.loads(text.encode())

    def below(levels):
        return below(levels - 1) if levels else manifest.loads(text.encode())

    room = sys.getrecursionlimit() - len(stack(0))
    outcomes = []
    for spare in range(2, 150, 3):
        try:
            outcomes.append(below(room - spare) == whole)
        except RecursionError:
            outcomes.append(None)
    assert None in outcomes
    assert True in outcomes
    assert False not in outcomes


@pytest.mark.parametrize(
    "entry", ["x : int\n", "x : int\n    What it is.\n", "x, y\n\n\n", "x\n---\n"]
)
def test_documentation_of_any_length_is_shown_in_a_moment(ship, dispatcher, scale, entry):
    text = entry * (9_900 // entry.count("\n"))
    ship(f"{HEAD}[functions.scale]\nsignature = '(values, x=1)'\nparameters = '''\n{text}'''\n")
    _, seconds = moments(dispatcher.discover)
    assert "Only with backend ``'tiled'``" in scale.__doc__
    assert seconds < 2 * MOMENT
