"""The presentation of a function: the signature and the docstring that its users see.

A signature is worked out when somebody looks at it, parameter by parameter. A
docstring is text that anybody may have copied, so it is written again when more
becomes known.
"""

from __future__ import annotations

import inspect
from contextlib import suppress
from inspect import Parameter, Signature
from operator import attrgetter
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground import messages
from scverse_backends._ground.callables import (
    begin_locks,
    docstring_of,
    lazy,
    signature_of,
    with_decorators,
)
from scverse_backends._ground.docstrings import (
    Entry,
    default_note,
    merge,
    option_entry,
    read_parameters,
    selector_entry,
    with_selector,
)
from scverse_backends._ground.labels import SELECTOR_TYPE
from scverse_backends._ground.safe_repr import ask_text, safe_repr, short_repr
from scverse_backends._routing.parameters import by_kind
from scverse_backends._routing.routes import Route
from scverse_backends.exceptions import BackendLoadError, BackendRegistrationWarning

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scverse_backends._ground.records import LoadedBackend
    from scverse_backends._routing.functions import Dispatch
    from scverse_backends._routing.parameters import ParameterMap, Parameters


class _Known(NamedTuple):
    """What one backend adds to the function, and the implementation or route that says so."""

    backend: LoadedBackend
    options: list[Parameter]
    """Parameters that the host lacks, as a caller may give them."""
    defaults: list[tuple[str, str]]
    """Parameters of the host that have another default there, and this default."""
    implementation: Any
    route: Route | None = None


class Presentation:
    """What users see of one dispatched function, with what backends add as far as that is known."""

    def __init__(self, dispatch: Dispatch) -> None:
        self.function = dispatch.function
        self._routes = dispatch.routes
        self._registry = dispatch.selector.registry
        self._trusted = self._registry.configuration.trusted_names
        self._known: dict[LoadedBackend, _Known] = {}
        self._shown: tuple[Any, Any, Signature] | None = None
        self._written: list[str] = []
        self._problems: list[BackendRegistrationWarning] = []
        begin_locks(self)
        self._registry.changes.watch(lambda: self._update(()))

    def begin_locks(self) -> None:
        """Make the locks, anew in a forked child."""
        self._asking = Lock()
        self._updating = RLock()

    def learn(self, routes: Iterable[object]) -> None:
        """Take in the routes to implementations."""
        self._update(self._from_route(route) for route in routes if isinstance(route, Route))

    def ask(self, *, report: bool = False) -> None:
        """Learn from every known backend, and warn of what cannot be shown."""
        # Not again while it is being done: an adapter may look at signatures when it is asked.
        asking = self._asking
        if asking.acquire(blocking=False):
            try:
                offering = self._registry.offering(self.function.name)
                self._update(self._from_backend(one, report=report) for one in offering)
            finally:
                asking.release()
        while self._problems:
            messages.warn(self._problems.pop())

    def signature(self) -> Signature:
        """Give the merged signature, asking backends that were loaded since the last look."""
        now = (self._registry.changes.generation, self._registry.known())
        shown = self._shown
        if shown is None or shown[0] is not self._known or shown[1] != now:
            self.ask()
            known = self._known
            self._shown = shown = (known, now, self._merged_signature(known))
        return shown[2]

    @lazy
    def _own(self) -> Signature:
        return signature_of(self.function.func)

    def _merged_signature(self, known: Mapping[LoadedBackend, _Known]) -> Signature:
        """Add the selector and options behind the host's own parameters, before ``**kwargs``."""
        own, name = [*self._own.parameters.values()], self.function.selector_name
        tail = [own.pop()] if own and own[-1].kind is Parameter.VAR_KEYWORD else []
        if name:
            kind = Parameter.KEYWORD_ONLY
            own.append(Parameter(name, kind, default=None, annotation=SELECTOR_TYPE))
        options = [offers[0][1] for offers in _options(_by_name(known)).values()]
        return self._own.replace(parameters=[*own, *options, *tail])

    def _update(self, found: Iterable[_Known | None]) -> None:
        """Add what was found, and drop the backends that are not there any more.

        A backend that is loaded replaces what its manifest said of it.
        """
        new = {known.backend: known for known in found if known}
        # One thread at a time, or what another one learned meanwhile would be forgotten.
        with self._updating:
            there = {*self._registry.known()} if self._known else ()
            kept = {backend: known for backend, known in self._known.items() if backend in there}
            if new or len(kept) < len(self._known):
                # Replaced, never changed: other threads may be reading it.
                self._known, self._shown = {**kept, **new}, None
                self._rewrite()

    def _from_backend(self, backend: LoadedBackend, *, report: bool) -> _Known | None:
        """Learn from one backend; ``None`` if there is nothing new."""
        if backend.described is not None:
            if backend in self._known or self.function.name not in backend.described:
                return None
            found = backend.described[self.function.name]
            if found is not None and not inspect.isclass(self.function.public):
                parameters = by_kind(found.__signature__.parameters.values())
                renames = backend.renames.get(self.function.name, {})
                where = self.function.map_to(renames, parameters)
                return _Known(backend, *self._additions(backend, where, parameters), found)
        try:
            route = self._routes.route(backend)
        except BackendLoadError as error:
            if report:
                self._note(backend, f"it {error.trouble}")
            return None
        return self._from_route(route) if isinstance(route, Route) else None

    def _from_route(self, route: Route) -> _Known | None:
        """Learn from a route; ``None`` if that was done."""
        known = self._known.get(route.backend)
        if known is not None and known.route is route:
            return None
        added = self._additions(route.backend, route.map, route.parameters)
        return _Known(route.backend, *added, route.implementation, route)

    def _additions(
        self, backend: LoadedBackend, where: ParameterMap, parameters: Parameters
    ) -> tuple[list[Parameter], list[tuple[str, str]]]:
        """Tell what an implementation adds that takes these, and note what cannot be shown."""
        named, options = parameters.names, []
        for one in parameters.own:
            if one.name in named and where.is_option(one.name):
                why = objection(one.name, self._own, self.function.selector_name)
                if why is None:
                    options.append(_as_option(one))
                else:
                    what = f"the parameter {one.name!r} of its {self.function.name!r}"
                    self._note(backend, f"{what} is not shown: {why}")
        defaults = {} if self.function.host_defaults else parameters.defaults
        received = ((where.differing(*one), one[1]) for one in defaults.items())
        return options, [(ours, short_repr(default)) for ours, default in received if ours]

    def _note(self, backend: LoadedBackend, problem: str) -> None:
        warning = BackendRegistrationWarning(
            backend.name,
            host=self._registry.configuration.host,
            distribution=backend.distribution,
            version=backend.version,
            problem=problem,
        )
        self._problems.append(warning)

    def _rewrite(self) -> None:
        """Write the docstring anew, from the host's own, wherever it is shown."""
        own = docstring_of(self.function.func)
        if not own:
            return
        merged = self._merged_docstring(own)
        if not self._written:
            self._written.append(
                with_selector(own, self.function.selector_name, self._trusted) or own
            )
        for layer in with_decorators(self.function.public):
            _replace(layer, self._written, merged)
        if merged not in self._written:
            self._written = sorted([*self._written, merged], key=len, reverse=True)

    def _merged_docstring(self, own: str) -> str:
        known = _by_name(self._known)
        labels = dict.fromkeys((*self._trusted, *(one.backend.name for one in known)))
        name = self.function.selector_name
        return merge(
            own,
            selector_entry(name, tuple(labels)) if name else None,
            [_entry(option, offers) for option, offers in _options(known).items()],
            _notes(known),
        )


def _by_name(known: Mapping[LoadedBackend, _Known]) -> list[_Known]:
    """List what is known, in an order that does not depend on who was asked first."""
    return sorted(known.values(), key=attrgetter("backend.name"))


def _options(providers: Iterable[_Known]) -> dict[str, list[tuple[_Known, Parameter]]]:
    """Group what backends have and the host lacks; the first one's parameter is shown."""
    options: dict[str, list[tuple[_Known, Parameter]]] = {}
    for known in providers:
        for option in known.options:
            options.setdefault(option.name, []).append((known, option))
    return options


def _entry(name: str, offers: list[tuple[_Known, Parameter]]) -> Entry:
    """Document an option, as the first of its providers that does so."""
    docs = (ask_text(attrgetter("__doc__"), known.implementation) for known, _ in offers)
    documented = (read_parameters(doc).get(name) for doc in docs if doc and name in doc)
    entry = next(filter(None, documented), Entry(name))
    kind = entry.type or (_kind(offers[0][1]) if len(offers) == 1 else "optional")
    return option_entry(name, kind, entry.text, [known.backend.name for known, _ in offers])


def _kind(parameter: Parameter) -> str:
    """Say what a parameter takes, where no docstring does."""
    annotation = parameter.annotation
    if annotation is not parameter.empty:
        return annotation if type(annotation) is str else short_repr(annotation)
    return "required" if parameter.default is ... else f"default {short_repr(parameter.default)}"


def _notes(providers: Iterable[_Known]) -> dict[str, list[str]]:
    """Say of each of the host's parameters on which backends its default is another."""
    notes: dict[str, list[str]] = {}
    for known in providers:
        for name, default in known.defaults:
            notes.setdefault(name, []).append(default_note(name, known.backend.name, default))
    return notes


def _replace(layer: Any, written: Iterable[str], merged: str) -> None:
    """Replace what was written before; what others wrote around it stays."""
    text = layer.__doc__
    for before in written:
        if isinstance(text, str) and before in text:
            with suppress(AttributeError, TypeError):
                layer.__doc__ = text.replace(before, merged, 1)
            return


def objection(name: str, host: Signature, selector: str) -> str | None:
    """Say why a backend's parameter cannot stand beside the host's own, if it cannot."""
    if name == selector:
        return "it is the name of the host's selector"
    if name.startswith("_"):
        return "its name is private"
    if name in host.parameters:
        return f"the host's own {host.parameters[name]} has the same name"
    return None


def _as_option(parameter: Parameter) -> Parameter:
    """Show a parameter of a backend as a caller may give it: by keyword, or not at all."""
    if ask_text(str, parameter) is None:
        unreadable = Unreadable(parameter.default)
        parameter = parameter.replace(annotation=Parameter.empty, default=unreadable)
    # One that the backend requires is required by no other caller of the host's function.
    default = ... if parameter.default is Parameter.empty else parameter.default
    return parameter.replace(kind=Parameter.KEYWORD_ONLY, default=default)


class Unreadable:
    """Stands in a signature for a value whose ``repr`` fails."""

    def __init__(self, value: object) -> None:
        self._text = safe_repr(value)

    def __repr__(self) -> str:
        return self._text


class PublicSignatureType(Signature):
    """The class that a public signature shows; `copy.replace` asks a class, not the object."""

    def __replace__(self, **changes: Any) -> Any:
        return self.replace(**changes)
