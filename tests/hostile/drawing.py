"""Worlds drawn at random: a host, its backends, who selects what, and one call."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from functools import cache
from pathlib import Path

from .reference import (
    ABSENT,
    ANY,
    EITHER,
    KEYS,
    KEYWORD,
    POSITIONAL,
    Backend,
    Function,
    Layer,
    Parameter,
    World,
    called,
    own_options,
    selected,
    takes_option,
)


class Unclear:
    """Its comparisons give no single truth value, as those of arrays do."""

    def __eq__(self, other):
        return [True]

    __hash__ = None


class Broken:
    """Its comparisons fail."""

    def __eq__(self, other):
        raise ArithmeticError

    __hash__ = None


class Claims:
    """Says that it equals one thing, of another type, and only that."""

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return other is self.value

    __hash__ = None


class Twin:
    """Equals every other of its kind."""

    def __eq__(self, other):
        return type(other) is Twin

    __hash__ = None


VALUES = [0, 1, 2.5, None, "text", float("nan"), Unclear(), Broken(), Twin(), object()]
NAMES = "abcdef"
LABELS = {"one": ("ONE", "uno", "First_Alias"), "two": ("Two", "dos"), "three": ("tres", "t-r.e_s")}
POLICIES = ["warn", "silent", "error"]


DATA = Path(__file__).parents[1] / "data" / "scanpy_rapids_signatures.json"
PAIRS = json.loads(DATA.read_text(encoding="utf-8"))["functions"]
KINDS = {"POSITIONAL_OR_KEYWORD": EITHER, "KEYWORD_ONLY": KEYWORD, "VAR_KEYWORD": ANY}


class Opaque:
    """A recorded default that is no literal."""

    def __init__(self, text):
        self.text = text


@cache
def default_of(text):
    """Read a recorded default; the same text is the same object on both sides."""
    try:
        return ast.literal_eval(text)
    except ValueError:
        return Opaque(text)


def recorded(parameters):
    found = [
        (p["name"], KINDS[p["kind"]], default_of(p["default"]) if "default" in p else ABSENT)
        for p in parameters
    ]
    return Function(tuple(Parameter(*one) for one in found))


def some(random, items, most):
    items = sorted(items)
    return random.sample(items, random.randint(0, min(most, len(items))))


def draw_function(random, names):
    kinds = [POSITIONAL, EITHER, EITHER, EITHER, KEYWORD]
    order = [POSITIONAL, EITHER, KEYWORD]
    found = sorted(((random.choice(kinds), n) for n in names), key=lambda k: order.index(k[0]))
    parameters, optional = [], False
    for kind, name in found:
        required = random.random() < 0.4 and not (optional and kind != KEYWORD)
        optional = optional or not required
        parameters.append(Parameter(name, kind, ABSENT if required else random.choice(VALUES)))
    if random.random() < 0.3:
        parameters.append(Parameter("rest", ANY))
    return Function(tuple(parameters))


def draw_aliases(random, host):
    """Draw groups of names that mean one parameter, of which the host's signature has one or none."""
    if random.random() < 0.5:
        return ()
    own = [p.name for p in host.parameters if p.kind != ANY]
    others = [name for name in (*NAMES, "old", "older") if name not in own]
    random.shuffle(others)
    groups = []
    for first in [*some(random, own, 1), others.pop()][: random.randint(1, 2)]:
        group = [first, *(others.pop() for _ in range(min(len(others), random.choice([1, 1, 2]))))]
        groups.append(tuple(random.sample(group, len(group))))
    return tuple(group for group in groups if len(group) > 1)


def draw_backend(random, name, host, function=None, aliases=()):
    own = {p.name for p in host.parameters if p.kind != ANY}
    others = [n for names in aliases for n in names if n not in own]
    names = {n for n in sorted(own) if random.random() < 0.8} | set(some(random, NAMES, 2))
    names |= {n for n in others if random.random() < 0.4}
    if function is None:
        function = draw_function(random, random.sample(sorted(names), len(names)))
    names = {p.name for p in function.parameters if p.kind != ANY}
    theirs = names - own
    also = [n for n in others if n not in names and random.random() < 0.3]
    renamed = some(random, {*own, *also} - names, 2)
    random.shuffle(renamed)
    fixed = some(random, {*own, *others}, 1) if random.random() < 0.15 else []
    return Backend(
        name=name,
        aliases=LABELS[name],
        offers=random.choice(["it"] * 12 + ["nothing", "in vain"]),
        lists=random.random() < 0.3,
        function=function,
        renames=dict(zip(renamed, some(random, theirs, 2), strict=False)),
        answer=random.choice([ABSENT] * 6 + [True] * 3 + [False, "too big", "", None]),
        calls_back=random.random() < 0.2,
        rather=draw_preference(random),
        fixed={n: draw_value(random, host.get(n)) for n in fixed},
    )


def draw_preference(random):
    return random.choice([ABSENT] * 12 + [True] * 3 + [False, "too small"])


def draw_labels(random, backends):
    spellings = [label for b in backends for label in (b.name, *b.aliases)] + ["cpu", "CPU"]
    labels = [random.choice(spellings) for _ in range(random.choice([1, 1, 2, 3]))]
    labels = [f"{label}?" if random.random() < 0.2 else label for label in labels]
    if random.random() < 0.2:
        labels.insert(random.randint(0, len(labels)), "absent?")
    return tuple(labels)


def draw_layer(random, backends, *, policies=True, keys=True, both=False):
    policy = random.choice([None, *POLICIES]) if policies else None
    labels, keyed = draw_labels(random, backends), ()
    if keys and random.random() < 0.4:
        keyed = tuple(
            (key, draw_labels(random, backends)) for key in some(random, KEYS.keys() - {"*func"}, 3)
        )
    if keyed and not (both and random.random() < 0.5):
        labels = ()
        # Of this one nothing remains.
        keyed += (("*func", ("absent?",)),) if random.random() < 0.3 else ()
    return Layer(labels, policy, keyed)


def draw_options(random, world):
    """Draw options that a selected backend has, or an optional one that is left out may have."""
    labels, left_out = selected(replace(world, call=None))
    chosen = [backend for label in labels if (backend := called(world, label))]
    if any(backend.offers == "in vain" for backend in chosen):
        return {}
    known = {"whatever"} if left_out else set()
    for backend in chosen:
        if backend.offers == "it":
            candidates = {*own_options(world, backend), "anything", *sum(world.aliases, ())}
            known |= {name for name in candidates if takes_option(world, backend, name)}
    options = {name: random.choice(VALUES) for name in some(random, known, 2)}
    twice = any(len(options.keys() & set(names)) > 1 for names in world.aliases)
    return {} if twice or any(map(world.own, options)) else options


def draw_value(random, parameter):
    if parameter is not None and parameter.default is not ABSENT and random.random() < 0.5:
        return random.choice([parameter.default, Claims(parameter.default), Twin()])
    return random.choice(VALUES)


def draw_arguments(random, host, backends, aliases=()):
    args, kwargs, by_position = [], {}, True
    for parameter in host.parameters:
        if parameter.kind == ANY:
            continue
        wanted = random.random() < (0.97 if parameter.default is ABSENT else 0.5)
        value = draw_value(random, parameter)
        by_position = by_position and wanted and parameter.kind != KEYWORD
        if by_position and (parameter.kind == POSITIONAL or random.random() < 0.6):
            args.append(value)
        elif wanted and parameter.kind != POSITIONAL:
            by_position = False
            kwargs[parameter.name] = value
        else:
            by_position = False
    if random.random() < 0.3:
        options = {p.name for b in backends for p in b.function.parameters if p.kind != ANY}
        for name in some(random, {*options, "typo"}, 2):
            kwargs.setdefault(name, random.choice(VALUES))
    draw_other_names(random, host, aliases, kwargs)
    if random.random() < 0.02:
        args += [random.choice(VALUES)] * 3
    return tuple(args), kwargs


def draw_other_names(random, host, aliases, kwargs):
    """Have the call give some parameters by another name, or by two."""
    for names in aliases:
        own = next(filter(None, map(host.get, names)), None)
        for name in names:
            if host.get(name) is None and random.random() < 0.3:
                kwargs[name] = draw_value(random, own)
                if own and random.random() < 0.8:
                    kwargs.pop(own.name, None)


def draw_world(random, host=None, function=None):
    host = host or draw_function(random, random.sample(NAMES, random.randint(0, 4)))
    names = some(random, LABELS, 3) or ["one"]
    aliases = draw_aliases(random, host)
    backends = tuple(draw_backend(random, name, host, function, aliases) for name in names)
    args, kwargs = draw_arguments(random, host, backends, aliases)
    maybe = lambda chance, **how: (  # noqa: E731
        draw_layer(random, backends, **how) if random.random() < chance else None
    )
    known = {p.name for p in host.parameters if p.kind != ANY} | {"typo", *NAMES[:2]}
    world = World(
        host=host,
        backends=backends,
        ignorable=frozenset(some(random, known, 2)),
        host_defaults=random.random() < 0.3,
        policy=random.choice(POLICIES),
        process=maybe(0.4),
        block=maybe(0.4, both=True),
        call=maybe(0.4, policies=False, keys=False),
        args=args,
        kwargs=kwargs,
        rather=draw_preference(random),
        aliases=aliases,
    )
    if world.block is None or random.random() < 0.5:
        return world
    options = draw_options(random, world)
    both = some(random, options, 1) if random.random() < 0.5 else []  # the call gives it too
    given = {name: random.choice(VALUES) for name in both if name not in kwargs}
    block = replace(world.block, options=options)
    return replace(world, block=block, kwargs=kwargs | given)


def build(function, receive, defaults):
    """Make a real function that tells what it received."""
    shown, last = [], None
    for p in function.parameters:
        if last == POSITIONAL and p.kind != POSITIONAL:
            shown.append("/")
        if p.kind == KEYWORD and last != KEYWORD:
            shown.append("*")
        default = "" if p.default is ABSENT else f"=defaults[{p.name!r}]"
        shown.append(f"**{p.name}" if p.kind == ANY else f"{p.name}{default}")
        last = p.kind
    if last == POSITIONAL:
        shown.append("/")
    scope = {"receive": receive, "defaults": defaults}
    # No other way gives a function whose own code has these parameters.
    exec(f"def func({', '.join(shown)}): return receive(locals())", scope)  # noqa: S102
    return scope["func"]
