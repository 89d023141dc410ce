"""A slow reference: where a call runs and what arrives, from the words of the design alone.

Every rule is written out where it is used, nothing is compiled, and nothing is shared with the
library but the names of its errors.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

ABSENT: Any = object()
POSITIONAL, EITHER, KEYWORD, ANY = "positional", "either", "keyword", "any"


@dataclass(frozen=True)
class Parameter:
    """One parameter; its default is `ABSENT` if it is required."""

    name: str
    kind: str
    default: Any = ABSENT


@dataclass(frozen=True)
class Function:
    """What a host function or an implementation takes."""

    parameters: tuple[Parameter, ...]

    def get(self, name):
        return next((p for p in self.parameters if p.name == name and p.kind != ANY), None)

    @property
    def takes_any(self):
        return any(p.kind == ANY for p in self.parameters)

    @property
    def places(self):
        return [p for p in self.parameters if p.kind in (POSITIONAL, EITHER)]

    def receives(self, args, kwargs):
        """Tell what a real call of it binds, or that it does not fit, as Python would."""
        bound, rest = {}, {}
        if len(args) > len(self.places):
            return None
        for parameter, value in zip(self.places, args, strict=False):
            bound[parameter.name] = value
        for name, value in kwargs.items():
            known = self.get(name)
            if known is not None and known.kind != POSITIONAL:
                if name in bound:
                    return None
                bound[name] = value
            elif self.takes_any:
                rest[name] = value
            else:
                return None
        for parameter in self.parameters:
            if parameter.kind != ANY and parameter.name not in bound:
                if parameter.default is ABSENT:
                    return None
                bound[parameter.name] = parameter.default
        return bound | {f"**{name}": value for name, value in rest.items()}


@dataclass(frozen=True, eq=False)
class Backend:
    """One adapter: what it offers under the function's name, and what it says of itself."""

    name: str
    aliases: tuple[str, ...]
    offers: str  # "it", "nothing", "in vain" (it lists the name and has it not)
    lists: bool
    function: Function
    renames: dict[str, str]
    answer: Any  # of can_run; ABSENT where there is none
    calls_back: bool
    rather: Any = ABSENT  # the answer of should_run
    fixed: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Layer:
    """One place where somebody selected: a call, a block, or the whole process."""

    labels: tuple[str, ...]
    policy: str | None
    keyed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """A host, its backends, who selected what, and one call."""

    host: Function
    backends: tuple[Backend, ...]
    ignorable: frozenset[str]
    host_defaults: bool
    policy: str
    process: Layer | None
    block: Layer | None
    call: Layer | None
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    rather: Any = ABSENT  # the answer of the host's own should_run
    aliases: tuple[tuple[str, ...], ...] = ()  # names of one parameter, the newest first

    def names_of(self, name):
        return next((names for names in self.aliases if name in names), (name,))

    def own(self, name):
        """Give the host's parameter that has a name, or another name of the same parameter."""
        return next(filter(None, map(self.host.get, (name, *self.names_of(name)))), None)


@dataclass
class Expected:
    """What must be seen of one call."""

    ran: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    error: str | None = None
    falls_back: bool = False
    names_owners: bool = False
    backend: str = "cpu"
    left_out: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    mistaken: int = 0  # how many adapters had to be told of
    options: dict[str, Any] = field(default_factory=dict)
    ignored: set[str] = field(default_factory=set)
    differing: set[str] = field(default_factory=set)

    @property
    def is_settled(self):
        """Whether it could be decided who runs the call."""
        return self.error != "BackendLoadError"


def named(function):
    """Leave out what collects any other keywords."""
    return [p for p in function.parameters if p.kind != ANY]


def is_same(value, default):
    """Identity first, then the same type and ``==`` where it yields one true value."""
    if value is default:
        return True
    if type(value) is not type(default):
        return False
    try:
        return (value == default) is True
    except ArithmeticError:
        return False


# Which of the keys that may be drawn fit the function, the one that holds first standing first.
KEYS = {"func": True, "*func": True, "fu??": True, "f*": True, "*": True, "other": False}


def selected(world):
    """The call's own choice, then the innermost block's, then the process's, then the host.

    Of a mapping the longest key that fits holds, names before patterns. Gives also who was left
    out on the way there: an optional backend that is absent.
    """
    left_out = []
    for layer in (world.call, world.block, world.process):
        keyed = {} if layer is None else dict(layer.keyed)
        fitting = [keyed[key] for key, fits in KEYS.items() if fits and key in keyed]
        for labels in [*fitting, () if layer is None else layer.labels]:
            there = [label.removesuffix("?") for label in labels if label != "absent?"]
            left_out += ["absent"] if "absent?" in labels else []
            if there:
                return there, left_out
    return ["cpu"], left_out


def options(world, backend):
    """What the block gives a call: options that this backend has and the call does not give."""
    if world.call is not None or world.block is None:
        return {}
    return {
        name: value
        for name, value in world.block.options.items()
        if takes_option(world, backend, name)
        and world.kwargs.keys().isdisjoint(world.names_of(name))
    }


def takes_option(world, backend, name):
    """Whether a backend's function takes what the host's has under no name."""
    if world.own(name) is not None:
        return False
    aim = renames(world, backend).get(name, name)
    if backend.function.get(aim):
        return aim not in aims(world, backend)
    return backend.function.takes_any


def own_options(world, backend):
    """List the parameters of a backend's function that the host's has under no name."""
    own = {p.name for p in named(backend.function) if world.own(p.name) is None}
    return own - aims(world, backend)


def aims(world, backend):
    """Name what of a backend's function the host's parameters are meant for."""
    return {target(world, backend, p.name, p) for p in named(world.host)}


def had_better_not(world, backend):
    """Whether the backend, or the host for all backends, leaves a call that did not name it."""
    only_there = bool(unknown(world)) and not world.host.takes_any  # the host cannot run it at all
    asked = () if world.call is not None or only_there else (backend.rather, world.rather)
    return any(answer not in (ABSENT, True) for answer in asked)


def unknown(world):
    """Name what the call gives and the host has under no name."""
    return {name for name in world.kwargs if world.own(name) is None}


def by_two_names(world):
    """Whether the call gives one parameter by two names."""
    apart = {p.name for p in world.host.parameters if p.kind == POSITIONAL}
    given = {*world.kwargs} - apart | {p.name for p in world.host.places[: len(world.args)]}
    return any(len(given.intersection(names)) > 1 for names in world.aliases)


def policy(world):
    """A block's policy holds inside it, then the process's, then the host's."""
    for layer in (world.block, world.process):
        if layer is not None and layer.policy:
            return layer.policy
    return world.policy


def called(world, label):
    """Labels match without regard to case and to ``-``, ``_``, ``.``."""

    def folded(text):
        return text.lower().replace("_", "-").replace(".", "-")

    for backend in world.backends:
        if folded(label) in map(folded, (backend.name, *backend.aliases)):
            return backend
    return None


def given(world):
    """Name every argument of the call by the host's parameter, in the order given."""
    found = [(p.name, value) for p, value in zip(world.host.places, world.args, strict=False)]
    return [*found, *world.kwargs.items()]


def renames(world, backend):
    """Give the adapter's renames, which hold for all names of a parameter; else it has the newest."""
    found = dict(backend.renames)
    for names in world.aliases:
        elsewhere = [to for ours, to in backend.renames.items() if ours not in names]
        renamed = [backend.renames[name] for name in names if name in backend.renames]
        known = [n for n in names if backend.function.get(n) and n not in elsewhere]
        for name in names:
            exact = [name] if name in known else []
            for to in (renamed or exact or known)[:1]:
                found.setdefault(name, to)
    return found


def target(world, backend, name, own):
    """Give the backend's parameter that an argument reaches: renamed, else of the same name.

    What a rename makes another of the host's parameters is not of the same name.
    """
    to = renames(world, backend)
    others = [aim for ours, aim in to.items() if ours != name and world.host.get(ours)]
    if own is not None and name in others and name not in to:
        return None
    aim = to.get(name, name)
    return aim if backend.function.get(aim) or backend.function.takes_any else None


def is_mistaken(world, backend):
    """Whether a backend's function needs what no call can give."""
    to, hosts = renames(world, backend), {p.name for p in named(world.host)}
    given = {target(world, backend, p.name, p) for p in named(world.host)}
    names = {*to, *(p.name for p in named(backend.function))} - hosts
    needed = {p.name for p in named(backend.function) if p.default is ABSENT}
    return bool(needed - given - {to.get(name, name) for name in names})


def takes(world, backend):
    """Give what the backend receives and which arguments are ignored; ``None`` if it cannot."""
    aimed = place(world, backend)
    if aimed is None or by_two_names(world) or not means_what_is_fixed(world, backend):
        return None
    if backend.answer not in (ABSENT, True):
        return None
    placed, ignored = aimed
    arrived = set(placed)
    if world.host_defaults:
        for p in named(world.host):
            aim = target(world, backend, p.name, p)
            if p.default is not ABSENT and aim is not None and backend.function.get(aim):
                placed.setdefault(aim, p.default)
    received = {}
    for p in named(backend.function):
        received[p.name] = placed.pop(p.name, p.default)
    if any(value is ABSENT for value in received.values()):
        return None
    return received | {f"**{name}": value for name, value in placed.items()}, ignored, arrived


def place(world, backend):
    """Give what arrives where, and what is ignored; ``None`` if anything would be lost or doubled."""
    placed, ignored, arguments = {}, set(), owned(world)
    if arguments is None:
        return None
    may_be_ignored = {other for name in world.ignorable for other in world.names_of(name)}
    for name, own, value in arguments:
        aim = target(world, backend, name, own)
        if own is None and world.host.get(name) and name not in placed_by_name(arguments):
            aim = None  # by name, what the host takes by position alone is something else
        meant = own if world.host.get(name) else world.own(name)
        is_fixed = meant is not None and not backend.fixed.keys().isdisjoint(world.names_of(name))
        is_default = (
            meant is not None and meant.default is not ABSENT and is_same(value, meant.default)
        )
        if aim is not None:
            if aim in placed:
                return None
            placed[aim] = value
        elif not (is_fixed or is_default):
            if name not in may_be_ignored or not (meant or world.host.takes_any):
                return None
            ignored.add(name)
    return placed, ignored


def means_what_is_fixed(world, backend):
    """Whether the call means what the adapter always does, given or by the host's default."""
    for name, value in backend.fixed.items():
        names = world.names_of(name)
        defaults = [
            p.default for p in named(world.host) if p.name in names and p.default is not ABSENT
        ]
        by_name = [value for given, value in world.kwargs.items() if given in names]
        places = [p.name for p in world.host.places]
        by_place = [v for n, v in zip(places, world.args, strict=False) if n in names]
        if not all(is_same(meant, value) for meant in (by_place + by_name + defaults)[:1]):
            return False
    return True


def placed_by_name(arguments):
    """List the host's own parameters that the call gives."""
    return {name for name, own, _ in arguments if own is not None}


def owned(world):
    """Pair every argument with the host's parameter, if it has one; ``None`` if that is unclear."""
    if len(world.args) > len(world.host.places):
        return None
    found = []
    for index, (name, value) in enumerate(given(world)):
        own = world.host.get(name)
        if index >= len(world.args) and own is not None:
            if own.kind == POSITIONAL:
                own = None  # a host that takes any keyword takes another of this name
            elif any(name == before for before, _, _ in found):
                return None
        found.append((name, own, value))
    return found


def differing(world, backend, arrived):
    """What was left out, where the implementation's default is not the host's."""
    found = set()
    for p in world.host.parameters:
        optional = p.kind != ANY and p.default is not ABSENT
        aim = target(world, backend, p.name, p) if optional else None
        theirs = backend.function.get(aim) if aim is not None else None
        if theirs is None or theirs.default is ABSENT or aim in arrived:
            continue
        # A call that leaves it out does not come where another value is fixed: it gave another name of it.
        fixed = (backend.fixed.get(name, p.default) for name in world.names_of(p.name))
        if not all(is_same(value, p.default) for value in fixed):
            continue
        if not world.host_defaults and not is_same(p.default, theirs.default):
            found.add(p.name)
    return found


def has_foreign_options(world):
    """Whether the call gives an option that only backends have; else no host could take it at all."""
    if world.host.takes_any:
        return False
    options = {p.name for b in world.backends if b.offers == "it" for p in named(b.function)}
    return bool(options & unknown(world))


def expect(world):
    """Tell what must be seen of the call."""
    seen = Expected()
    received = world.host.receives(world.args, world.kwargs)
    seen.names_owners = received is None and has_foreign_options(world)
    ends_at_host = preferred = False
    labels, seen.left_out = selected(world)
    for backend in dict.fromkeys(called(world, label) for label in labels):
        if backend is None:
            ends_at_host = True
            break
        if backend.offers == "in vain":
            seen.error = "BackendLoadError"
            return seen
        seen.mistaken += backend.offers == "it" and is_mistaken(world, backend)
        given = options(world, backend)
        fuller = replace(world, kwargs=world.kwargs | given)
        taken = takes(fuller, backend) if backend.offers == "it" else None
        leaves = taken is not None and had_better_not(world, backend)
        preferred = preferred or leaves
        if taken is None or leaves:
            seen.refused.append(backend.name)
            continue
        seen.options = given
        arriving, seen.ignored, arrived = taken
        seen.backend, seen.ran = backend.name, [(backend.name, arriving)]
        seen.differing = differing(world, backend, arrived)
        if backend.calls_back and received is not None:
            seen.ran.append(("host", received))
        return seen
    fell = bool(seen.refused) and not ends_at_host and not preferred
    if fell and policy(world) == "error" and (received is not None or seen.names_owners):
        seen.error = "BackendFallbackError"
    elif received is None:
        seen.error = "TypeError"
    else:
        falls_back = fell and policy(world) == "warn"
        seen.ran, seen.falls_back = [("host", received)], falls_back
    return seen
