"""The configuration: what a host told its dispatcher, checked whole before anything is built."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from time import time
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast, get_args

from scverse_backends._ground.callables import is_coroutine_function
from scverse_backends._ground.labels import RESERVED, closest, did_you_mean, fault, fold

if TYPE_CHECKING:
    from collections.abc import Sequence

FallbackPolicy = Literal["warn", "silent", "error"]
UntrustedPolicy = Literal["warn", "allow", "refuse"]

STARTED = time()
"""When this process imported the library: with its hosts."""

BLOCK_VARIABLE = "SCVERSE_BACKENDS_BLOCK"
OFF_VARIABLE = "SCVERSE_BACKENDS_OFF"
FALLBACK_POLICIES: tuple[str, ...] = get_args(FallbackPolicy)
UNTRUSTED_POLICIES: tuple[str, ...] = get_args(UntrustedPolicy)

_LISTS = ("aliases", "distributions", "entrypoints", "object_refs", "module_prefixes")
_RULE_KEYS = ("aliases", "package", *_LISTS[1:])


class TrustRule(NamedTuple):
    """Who may serve one trusted name; an empty tuple asks nothing of its kind."""

    name: str
    aliases: tuple[str, ...]
    package: str
    distributions: tuple[str, ...]
    entrypoints: tuple[str, ...]
    object_refs: tuple[str, ...]
    module_prefixes: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label by which users ask for it, its name first."""
        return (self.name, *self.aliases)


class Configuration(NamedTuple):
    """What a host told its dispatcher, checked; labels are keyed by their folded form."""

    group: str
    host: str
    trusted: Mapping[str, TrustRule]
    reserved: Mapping[str, str]
    ignorable: frozenset[str]
    parameter_aliases: Mapping[str, str]
    fallback: FallbackPolicy
    untrusted: UntrustedPolicy
    should_run: Callable[[str, dict[str, Any]], object] | None

    @property
    def rules(self) -> tuple[TrustRule, ...]:
        """Each trust rule once."""
        return tuple(dict.fromkeys(self.trusted.values()))

    @property
    def trusted_names(self) -> tuple[str, ...]:
        """The names that the host trusts."""
        return tuple(rule.name for rule in self.rules)

    def reservation(self, label: str) -> str | None:
        """Say of a reserved label what to write instead; ``None`` if it is not reserved."""
        reason = self.reserved.get(fold(label))
        return reason and f"{label!r} is reserved. {reason}"


def configure(
    *,
    entrypoint_group: Any,
    host_name: Any,
    trusted_backends: Any,
    reserved_backends: Any,
    ignorable: Any,
    parameter_aliases: Any,
    fallback: Any,
    untrusted: Any,
    should_run: Any = None,
) -> Configuration:
    """Check what a host configured.

    Raises
    ------
    BackendConfigurationError
        With every mistake, if there are any.
    """
    mistakes: list[str] = []
    for option, value in (("entrypoint_group", entrypoint_group), ("host_name", host_name)):
        if not isinstance(value, str) or not value.strip():
            mistakes.append(f"{option} must be a non-empty string, not {value!r}")
    _check_choice("fallback", fallback, FALLBACK_POLICIES, mistakes)
    _check_choice("untrusted", untrusted, UNTRUSTED_POLICIES, mistakes)
    if should_run is not None and (not callable(should_run) or is_coroutine_function(should_run)):
        mistakes.append(f"should_run must be a plain function, not {should_run!r}")
    reserved = _reserved(reserved_backends, mistakes)
    configuration = Configuration(
        group=entrypoint_group,
        host=host_name,
        trusted=_trusted(trusted_backends, reserved, mistakes),
        reserved=reserved,
        ignorable=frozenset(names_in(ignorable, "ignorable", mistakes)),
        parameter_aliases=aliases_in(parameter_aliases, "parameter_aliases", mistakes),
        fallback=fallback,
        untrusted=untrusted,
        should_run=should_run,
    )
    if mistakes:
        from scverse_backends.exceptions import BackendConfigurationError

        raise BackendConfigurationError(str(host_name), mistakes)
    return configuration


def names_in(value: Any, option: str, mistakes: list[str]) -> tuple[str, ...]:
    """Read an option that holds several strings; a lone string is a mistake, not its letters."""
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes)):
        mistakes.append(f"{option} must be a list or tuple of strings, not {value!r}")
        return ()
    found = tuple(value)
    wrong = [item for item in found if not (isinstance(item, str) and item.strip())]
    mistakes.extend(f"{option} holds {item!r}, which is no name" for item in wrong)
    return () if wrong else found


def aliases_in(value: Any, option: str, mistakes: list[str]) -> dict[str, str]:
    """Read ``{old name: new name}`` of parameters, of which none may lead back to itself."""
    pairs = dict(_mapping(value, option, mistakes))
    names = [name for pair in pairs.items() for name in pair]
    wrong = [name for name in names if not (isinstance(name, str) and name.isidentifier())]
    mistakes.extend(f"{option} holds {name!r}, which is no name of a parameter" for name in wrong)
    mistakes.extend(
        f"{option} leads from {name!r} back to {name!r}; map each old name to a newer one"
        for name in ([] if wrong else circles(pairs))
    )
    return pairs


def circles(pairs: Mapping[str, str]) -> list[str]:
    """List the names that lead back to themselves, one of each circle."""
    found = []
    for start in pairs:
        on_the_way = [start]
        while (name := pairs.get(on_the_way[-1])) is not None and name not in on_the_way:
            on_the_way.append(name)
        if name == start == min(on_the_way):
            found.append(start)
    return found


def _check_choice(option: str, value: Any, choices: Sequence[str], mistakes: list[str]) -> None:
    if value not in choices:
        mistakes.append(f"{option} must be one of {', '.join(map(repr, choices))}, not {value!r}")


def _mapping(value: Any, option: str, mistakes: list[str]) -> Mapping[Any, Any]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    mistakes.append(f"{option} must be a mapping, not {value!r}")
    return {}


def _reserved(value: Any, mistakes: list[str]) -> dict[str, str]:
    """Key the reserved labels, the host's and ours, by their folded form."""
    reserved = dict(RESERVED)
    for label, reason in _mapping(value, "reserved_backends", mistakes).items():
        problem = fault(label)
        if problem:
            mistakes.append(f"reserved_backends: {problem}")
        elif not isinstance(reason, str) or not reason.strip():
            mistakes.append(f"reserved_backends[{label!r}] must be a reason, not {reason!r}")
        else:
            reserved[fold(label)] = reason
    return reserved


def _trusted(value: Any, reserved: Mapping[str, str], mistakes: list[str]) -> dict[str, TrustRule]:
    """Key the trust rules by every label they serve."""
    by_label: dict[str, TrustRule] = {}
    for name, options in _mapping(value, "trusted_backends", mistakes).items():
        rule = _rule(name, options, mistakes)
        for label in rule.labels if rule else ():
            _claim(by_label, label, cast("TrustRule", rule), reserved, mistakes)
    return by_label


def _claim(
    by_label: dict[str, TrustRule],
    label: str,
    rule: TrustRule,
    reserved: Mapping[str, str],
    mistakes: list[str],
) -> None:
    """Give a label to a trust rule, unless something else has it."""
    where = f"trusted_backends[{rule.name!r}]"
    holder = by_label.get(fold(label))
    if fold(label) in reserved:
        mistakes.append(f"{where}: {label!r} is reserved")
    elif holder is not None and holder is not rule:
        mistakes.append(f"{where}: {label!r} already belongs to {holder.name!r}")
    else:
        by_label[fold(label)] = rule


def _rule(name: Any, options: Any, mistakes: list[str]) -> TrustRule | None:
    """Read the trust rule of one backend."""
    problem = fault(name)
    if problem:
        mistakes.append(f"trusted_backends: {problem}")
        return None
    where = f"trusted_backends[{name!r}]"
    if not isinstance(options, Mapping):
        mistakes.append(f"{where} must be a mapping, not {options!r}")
        return None
    _check_keys(options, where, mistakes)
    lists = {n: names_in(_listed(n, options), f"{where}[{n!r}]", mistakes) for n in _LISTS}
    mistakes.extend(f"{where}: {p}" for alias in lists["aliases"] if (p := fault(alias)))
    package = options.get("package", name)
    if not isinstance(package, str) or not package.strip():
        mistakes.append(f"{where}['package'] must be a non-empty string, not {package!r}")
    if "package" in options and not lists["distributions"]:
        lists["distributions"] = (str(package),)
    if not any(lists[option] for option in _LISTS[1:]):
        mistakes.append(f"{where} says nothing that could be verified; give at least 'package'")
    return TrustRule(name=name, package=str(package), **lists)


def _listed(option: str, options: Mapping[Any, Any]) -> Any:
    """Give an option's strings; a lone one stands for itself, as in release 0.0.3, but as an alias."""
    value = options.get(option, ())
    return (value,) if isinstance(value, str) and option != "aliases" else value


def _check_keys(options: Mapping[Any, Any], where: str, mistakes: list[str]) -> None:
    for option in options:
        if option not in _RULE_KEYS:
            hint = did_you_mean(closest(str(option), _RULE_KEYS))
            mistakes.append(f"{where} has an unknown key {option!r}{hint}")


class Environment(NamedTuple):
    """What the environment selects, as it was when the dispatcher was made; not checked yet."""

    backend_variable: str
    backend: str | None
    fallback_variable: str
    fallback: str | None
    off: str | None
    """The variable that sends every call to the host, if one does."""

    @property
    def origin(self) -> str:
        """Where the choice is made, in words."""
        return f"the environment variable {self.backend_variable}"


def read_environment(host: str) -> Environment:
    """Read the variables that select for one host."""
    variable = re.sub(r"\W+", "_", host.upper(), flags=re.ASCII) + "_BACKEND"
    fallback = f"{variable}_FALLBACK"
    off = next(filter(_is_on, (f"{variable}_OFF", OFF_VARIABLE)), None)
    return Environment(variable, _stripped(variable), fallback, _stripped(fallback), off)


def _is_on(variable: str) -> bool:
    return (_stripped(variable) or "").lower() not in ("", "0", "false", "no")


def _stripped(variable: str) -> str | None:
    value = os.environ.get(variable)
    return None if value is None else value.strip()


def blocked_labels() -> tuple[frozenset[str], list[str]]:
    """Read the labels and distributions that must never be imported, and what is wrong with them."""
    found = [label.strip() for label in os.environ.get(BLOCK_VARIABLE, "").split(",")]
    labels = [label for label in found if label]
    mistakes = [
        f"{BLOCK_VARIABLE} holds {label!r}, which names nothing. Write names of backends or of "
        f"distributions, without versions, and a comma between two: {BLOCK_VARIABLE}=torch,old-cuda"
        for label in labels
        if fault(label)
    ]
    return frozenset(map(fold, labels)), mistakes
