"""Fit: what becomes of a function's calls on one implementation, read off the compiled route to it.

It says what routing will do, because it reads what routing reads. An object
that only has the signature and docstring of the implementation is enough.
"""

from __future__ import annotations

import inspect
from inspect import Parameter, Signature
from typing import TYPE_CHECKING

from scverse_backends._display.presentation import objection
from scverse_backends._ground.callables import gives_coroutine
from scverse_backends._ground.docstrings import read_parameters
from scverse_backends._ground.labels import closest, did_you_mean, quoted
from scverse_backends._ground.members import shown
from scverse_backends._ground.records import Refusal
from scverse_backends._ground.safe_repr import ask_text, short_repr
from scverse_backends._routing.defaults import same
from scverse_backends._routing.routes import MISSING

from .findings import REQUIRED, SEVERITIES, Finding, Fit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scverse_backends._routing.host import HostFunction
    from scverse_backends._routing.routes import Route

    from .findings import Severity


def compare(function: HostFunction, route: Route | Refusal) -> Fit:
    """Compare a host function with a backend's implementation.

    Parameters
    ----------
    function
        The host function.
    route
        The compiled route to the implementation, or why there is none.

    Returns
    -------
    Fit
        What was found, the worst first.
    """
    if isinstance(route, Refusal):
        missing = route.reason == MISSING
        severity, kind = ("info", "not-implemented") if missing else ("error", "refused")
        found = Finding(severity, kind, function.name, route.reason)  # type: ignore[arg-type]
        return Fit(function.name, implemented=False, findings=(found,))
    findings = _Finder(function, route).findings()
    ordered = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
    implemented = not route.out_of_reach
    return Fit(function.name, implemented=implemented, findings=tuple(ordered))


class _Finder:
    """Looks at one route; each method finds one kind of difference."""

    def __init__(self, function: HostFunction, route: Route) -> None:
        self.function = function
        self.route = route
        self.host = Signature(function.parameters.own)
        self.ours = [name for name in self.host.parameters if name in route.targets]
        self.own = {parameter.name: parameter for parameter in route.parameters.own}
        self.options = [name for name in self.own if name in route.options]
        self.meant = {name: found for name in self.ours if (found := self._counterpart(name))}

    def findings(self) -> Iterator[Finding]:
        yield from self._lost()
        yield from self._needed()
        yield from self._renames_of_nothing()
        yield from self._fixed_of_nothing()
        yield from self._always()
        yield from self._members()
        yield from self._other_defaults()
        yield from self._received_otherwise()
        yield from self._additions()
        yield from self._other_results()

    def _found(self, severity: Severity, kind: str, message: str, *about: str | None) -> Finding:
        """Make a finding; `about` is its parameter, and what host and backend have there."""
        return Finding(severity, kind, self.function.name, message, *about)

    def _lost(self) -> Iterator[Finding]:
        """Find the host's parameters that the implementation does not receive."""
        ours = self.function.parameters
        for name in self.ours:
            if self.route.targets[name] is not None:
                continue
            if not self.route.fixed.keys().isdisjoint(self.function.names_of(name)):
                continue
            if self.function.may_ignore(name):
                text = f"ignores {name!r}, which the host allows"
                yield self._found("info", "ignored-parameter", text, name)
                continue
            needed = name in ours.required
            end = "which every call gives" if needed else "so calls that set it go elsewhere"
            text = f"does not take {name!r}, {end}{self._hint(name)}"
            wrong = needed or name in self.route.renames
            yield self._found("error" if wrong else "warning", "missing-parameter", text, name)
        if ours.rest and not self.route.takes_rest:
            text = (
                f"has no *args where the host has *{ours.rest}, so calls that fill it go elsewhere"
            )
            yield self._found("warning", "missing-parameter", text, f"*{ours.rest}")
        if ours.takes_kwargs and not self.route.parameters.takes_kwargs:
            text = "takes no other keywords, as the host does, so calls with some go elsewhere"
            yield self._found("warning", "missing-parameter", text, "**kwargs")

    def _hint(self, name: str) -> str:
        """Say what might have been meant for a parameter that is not received."""
        target = self.route.renames.get(name)
        if target is not None:
            return f"; its rename leads to {target!r}, which is not one of its parameters"
        for ours, theirs in self.route.renames.items():
            if theirs == name and ours in self.route.targets:
                return f"; its renames give that name to the host's {ours!r}"
        meant = self.meant.get(name)
        rename = f"renames = {{{self.function.name!r}: {{{name!r}: {meant!r}}}}}"
        return f"; if {meant!r} is the same parameter, declare {rename}" if meant else ""

    def _counterpart(self, name: str) -> str | None:
        """Find the option that may be meant to be a parameter that is not received."""
        if self.route.targets[name] is not None or self.function.may_ignore(name):
            return None
        return closest(name, self.options, 0.8) or self._beside(name)

    def _beside(self, name: str) -> str | None:
        """Find the option at the same place as a parameter of the host that every call gives."""
        if name not in self.function.parameters.required:
            return None
        place = [*self.host.parameters].index(name)
        found = [*self.own][place : place + 1]
        return found[0] if found and found[0] in self.options else None

    def _needed(self) -> Iterator[Finding]:
        """Find what the implementation requires and an ordinary call does not give."""
        targets = self.route.targets
        given = {targets[name] for name in self.function.parameters.required}
        sources = {target: name for name, target in targets.items()}
        needed = self.route.parameters.required - given - self.route.supplied.keys()
        for name in self.own:
            if name not in needed or name in self.meant.values():
                continue
            if name in self.route.out_of_reach:
                text = f"needs {name!r}, which no call can give"
                yield self._found("error", "required-option", text, name)
            elif name in sources:
                text = f"needs {name!r}, so calls that leave it to the host's default go elsewhere"
                yield self._found("warning", "required-parameter", text, sources[name])
            else:
                text = f"needs {name!r}, which the host does not have, so only calls that name it"
                yield self._found("error", "required-option", f"{text} go there", name)

    def _renames_of_nothing(self) -> Iterator[Finding]:
        """Find renames of parameters that the host does not have."""
        ours = self.function.parameters
        for name, meant in () if ours.takes_kwargs else self._unknown(self.route.declared):
            hint = did_you_mean(meant)
            target = self.route.declared[name]
            if target in ours.names:
                right = {target: name}
                hint = f"; a rename goes from the host's name to the backend's: {right}"
            text = f"renames {name!r}, which the host does not have{hint}"
            yield self._found("error", "unknown-rename", text, name, meant)

    def _fixed_of_nothing(self) -> Iterator[Finding]:
        """Find fixed values of parameters that the host does not have; of any keyword, what looks so."""
        for name, meant in self._unknown(self.route.fixed):
            if self.function.parameters.takes_kwargs and not meant:
                continue
            text = f"has a fixed value for {name!r}, which the host does not have"
            yield self._found("error", "unknown-fixed", text + did_you_mean(meant), name, meant)

    def _always(self) -> Iterator[Finding]:
        """Find the host's parameters for which it takes one value only."""
        ours = self.function.parameters
        for fixed, value in self.route.fixed.items():
            name = self.function.own_name(fixed)
            if name not in ours.names and not ours.takes_kwargs:
                continue
            default, always = ours.defaults.get(name, value), short_repr(value)
            host = None if same(default, value) else short_repr(default)
            text = (
                f"always works with {fixed}={always}, so calls that mean another value go elsewhere"
            )
            text += f", and those that leave it at {host}" if host else ""
            yield self._found("warning", "fixed-parameter", text, fixed, host, always)

    def _unknown(self, names: Iterable[str]) -> Iterator[tuple[str, str | None]]:
        """List the names that the host does not have, each with the one that may be meant."""
        ours = self.function.parameters.names
        for name in sorted(names):
            if self.function.own_name(name) not in ours:
                yield name, closest(name, ours)

    def _members(self) -> Iterator[Finding]:
        """Find what a host's class offers and the backend's class does not."""
        for name, parameters in self.route.missing:
            text = f"has no {name!r} in its class"
            if parameters:
                text = f"does not take {quoted(parameters)} in its method {name!r}"
            yield self._found("warning", "missing-member", text, shown(name, parameters))
        if self.function.is_class and self.route.backend.described is not None:
            text = "does not tell the methods and attributes of its class in its manifest"
            yield self._found("info", "unchecked-member", text)

    def _other_defaults(self) -> Iterator[Finding]:
        """Find defaults that are not the host's."""
        for name, host, backend in self.route.differing:
            ours, theirs = short_repr(host), short_repr(backend)
            text = f"has another default: {name}={theirs} (host: {ours})"
            yield self._found("warning", "differing-default", text, name, ours, theirs)

    def _received_otherwise(self) -> Iterator[Finding]:
        """Find what arrives under another name, or only among ``**kwargs``."""
        for name in self.ours:
            target = self.route.targets[name]
            if target is None:
                continue
            if target not in self.route.parameters.names:
                text = f"takes {name!r} among its **keywords; whether it uses it is not known"
                yield self._found("info", "unchecked-parameter", text, name, name, target)
            elif name not in (target, self.function.receiver):
                text = f"receives {name!r} as {target!r}"
                yield self._found("info", "renamed-parameter", text, name, name, target)

    def _additions(self) -> Iterator[Finding]:
        """Find the options that it adds, and whether users can read about them."""
        documented = read_parameters(ask_text(inspect.getdoc, self.route.implementation))
        for name in self.options:
            if name in self.meant.values():
                continue
            why = objection(name, self.host, self.function.selector_name)
            if why:
                severity: Severity = "info" if name.startswith("_") else "warning"
                text = f"has a parameter {name!r} that is not shown: {why}"
                yield self._found(severity, "hidden-option", text, name)
                continue
            default = self.own[name].default
            value = REQUIRED if default is Parameter.empty else short_repr(default)
            text = f"adds the option {name!r} ({value})"
            yield self._found("info", "added-parameter", text, name, None, value)
            if name not in documented:
                text = f"adds {name!r} and does not document it"
                yield self._found("warning", "undocumented-option", text, name)

    def _other_results(self) -> Iterator[Finding]:
        """Find where a call gives another kind of thing, or parameters never get anything."""
        found = self.route.implementation
        if self.function.is_coroutine and not gives_coroutine(found):
            text = "is a plain function where the host's is a coroutine function"
            yield self._found("info", "plain-function", f"{text}, so it blocks the event loop")
        if inspect.isgeneratorfunction(found) != inspect.isgeneratorfunction(self.function.func):
            text = "gives values one by one where the host's function does not, or the reverse"
            yield self._found("warning", "generator", text)
        for name, parameter in self.own.items():
            if parameter.kind is Parameter.VAR_POSITIONAL and not self.route.takes_rest:
                text = f"has *{name}, which never receives anything: arguments go by their names"
                yield self._found("info", "variadic", text, name)
