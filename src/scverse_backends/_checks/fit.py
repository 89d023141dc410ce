"""Fit: what becomes of a function's calls on one implementation, told without a call.

Everything is read off the compiled route to it, so that it is what routing will
do. An implementation may be stood in for by anything that has its signature and
docstring.
"""

from __future__ import annotations

import inspect
from inspect import Parameter
from typing import TYPE_CHECKING

from scverse_backends._display.signatures import objection
from scverse_backends._ground.callables import gives_coroutine, signature_of
from scverse_backends._ground.docstrings import read_parameters
from scverse_backends._ground.labels import closest
from scverse_backends._ground.records import Refusal
from scverse_backends._ground.safe_repr import ask_text, short_repr
from scverse_backends._routing.routes import MISSING

from .findings import Finding, Fit

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        What is to be said of it, the worst first.
    """
    if isinstance(route, Refusal):
        return Fit(function.name, implemented=False, findings=(_refused(function, route),))
    finder = _Finder(function, route)
    order: dict[str, int] = {"error": 0, "warning": 1, "info": 2}
    found = sorted(finder.findings(), key=lambda finding: order[finding.severity])
    return Fit(function.name, implemented=True, findings=tuple(found))


def _refused(function: HostFunction, refusal: Refusal) -> Finding:
    if refusal.reason == MISSING:
        return Finding("info", "not-implemented", function.name, refusal.reason)
    return Finding("error", "refused", function.name, refusal.reason)


class _Finder:
    """Looks at one route; each method tells of one kind of difference."""

    def __init__(self, function: HostFunction, route: Route) -> None:
        self.function = function
        self.route = route
        self.host = signature_of(function.func)
        self.own = {parameter.name: parameter for parameter in route.parameters.own}
        self.options = [name for name in self.own if name in route.options]
        self.meant = {name: found for name in self._ours() if (found := self._counterpart(name))}

    def findings(self) -> Iterator[Finding]:
        yield from self._lost()
        yield from self._needed()
        yield from self._renames_of_nothing()
        yield from self._other_defaults()
        yield from self._received_otherwise()
        yield from self._additions()
        yield from self._other_results()

    def _found(
        self,
        severity: Severity,
        kind: str,
        message: str,
        parameter: str | None = None,
        host: str | None = None,
        backend: str | None = None,
    ) -> Finding:
        return Finding(severity, kind, self.function.name, message, parameter, host, backend)

    def _lost(self) -> Iterator[Finding]:
        """Tell which of the host's parameters have nowhere to go."""
        ours = self.function.parameters
        for name in self._ours():
            if self.route.targets[name] is not None:
                continue
            if self.function.may_ignore(name):
                text = f"ignores {name!r}, as the host lets it"
                yield self._found("info", "ignored-parameter", text, name)
                continue
            needed = name in ours.required
            end = "which every call gives" if needed else "so calls that set it go elsewhere"
            text = f"does not take {name!r}, {end}{self._hint(name)}"
            yield self._found("error" if needed else "warning", "missing-parameter", text, name)
        if ours.takes_kwargs and not self.route.parameters.takes_kwargs:
            text = "takes no other keywords, as the host does, so calls with some go elsewhere"
            yield self._found("warning", "missing-parameter", text, "**kwargs")

    def _ours(self) -> list[str]:
        """List the host's named parameters in their order."""
        return [name for name in self.host.parameters if name in self.route.targets]

    def _hint(self, name: str) -> str:
        """Say what might have been meant for a parameter that has nowhere to go."""
        promised = self.route.renames.get(name)
        if promised is not None:
            return f"; its renames send it to {promised!r}, which it does not have"
        for ours, theirs in self.route.renames.items():
            if theirs == name and ours in self.route.targets:
                return f"; what it calls {name!r} is the host's {ours!r}, say its renames"
        meant = self.meant.get(name)
        return f"; if its {meant!r} is that, let renames[{self.function.name!r}] say so" * bool(
            meant
        )

    def _counterpart(self, name: str) -> str | None:
        """Give the option that may be meant to be a parameter that has nowhere to go."""
        if self.route.targets[name] is not None or self.function.may_ignore(name):
            return None
        return closest(name, self.options, 0.8) or self._beside(name)

    def _beside(self, name: str) -> str | None:
        """Give the option that stands where the host has a parameter that every call gives."""
        if name not in self.function.parameters.required:
            return None
        place = [*self.host.parameters].index(name)
        found = [*self.own][place : place + 1]
        return found[0] if found and found[0] in self.options else None

    def _needed(self) -> Iterator[Finding]:
        """Tell what the implementation requires and an ordinary call does not give."""
        targets = self.route.targets
        given = {targets[name] for name in self.function.parameters.required}
        sources = {target: name for name, target in targets.items()}
        for name in self.own:
            if name not in self.route.parameters.required - given - self.route.supplied.keys():
                continue
            if name in self.meant.values():
                continue
            if name in sources:
                text = f"needs {name!r}, so calls that leave it to the host's default go elsewhere"
                yield self._found("warning", "required-parameter", text, sources[name])
            else:
                text = f"needs {name!r}, which the host does not have, so only calls that name it"
                yield self._found("error", "required-option", f"{text} go there", name)

    def _renames_of_nothing(self) -> Iterator[Finding]:
        """Tell which renames are of parameters that the host does not have."""
        ours = self.function.parameters
        for name in sorted(self.route.renames.keys() - ours.names):
            if ours.takes_kwargs:
                return
            meant = closest(name, ours.names)
            hint = f"; did it mean {meant!r}?" if meant else ""
            target = self.route.renames[name]
            if target in ours.names:
                right = {target: name}
                hint = f"; a rename goes from the host's name to the backend's: {right}"
            text = f"renames {name!r}, which the host does not have{hint}"
            yield self._found("error", "unknown-rename", text, name, meant)

    def _other_defaults(self) -> Iterator[Finding]:
        """Tell which defaults are not the host's."""
        for name, host, backend in self.route.differing:
            ours, theirs = short_repr(host), short_repr(backend)
            text = f"has {theirs} as the default of {name!r}, the host {ours}"
            yield self._found("warning", "differing-default", text, name, ours, theirs)

    def _received_otherwise(self) -> Iterator[Finding]:
        """Tell what arrives under another name, or only by way of ``**kwargs``."""
        for name in self._ours():
            target = self.route.targets[name]
            if target is None:
                continue
            if target not in self.route.parameters.names:
                text = f"takes {name!r} in its **keywords; whether it honours it cannot be told"
                yield self._found("info", "unchecked-parameter", text, name, name, target)
            elif target != name:
                text = f"receives {name!r} as {target!r}"
                yield self._found("info", "renamed-parameter", text, name, name, target)

    def _additions(self) -> Iterator[Finding]:
        """Tell which options it adds, and whether users will learn of them."""
        documented = read_parameters(ask_text(inspect.getdoc, self.route.implementation))
        for name in self.options:
            if name in self.meant.values():
                continue
            why = objection(name, self.host, self.function.selector)
            if why:
                private = name.startswith("_")
                text = f"has a parameter {name!r} that is not shown: {why}"
                yield self._found("info" if private else "warning", "hidden-option", text, name)
                continue
            default = self.own[name].default
            value = "required" if default is Parameter.empty else short_repr(default)
            text = f"adds the option {name!r} ({value})"
            yield self._found("info", "added-parameter", text, name, None, value)
            if name not in documented:
                text = f"adds {name!r} and does not document it"
                yield self._found("warning", "undocumented-option", text, name)

    def _other_results(self) -> Iterator[Finding]:
        """Tell where a call gives another kind of thing, or parameters never get anything."""
        found = self.route.implementation
        if self.function.is_coroutine and not gives_coroutine(found):
            text = "is a plain function where the host's is a coroutine function"
            yield self._found("info", "plain-function", f"{text}, so it holds up the event loop")
        if inspect.isgeneratorfunction(found) != inspect.isgeneratorfunction(self.function.func):
            text = "gives values one by one where the host's function does not, or the reverse"
            yield self._found("warning", "generator", text)
        for name, parameter in self.own.items():
            if parameter.kind is Parameter.VAR_POSITIONAL:
                text = f"has *{name}, which never receives anything: arguments go by their names"
                yield self._found("info", "variadic", text, name)
