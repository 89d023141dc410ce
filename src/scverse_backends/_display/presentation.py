"""The presentation of a function: the signature and the docstring that its users see.

A signature is worked out when somebody looks at it. A docstring is text that
anybody may have copied, so it is written again when more becomes known.
"""

from __future__ import annotations

import inspect
from contextlib import suppress
from functools import cached_property
from operator import itemgetter
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground import caller
from scverse_backends._ground.docstrings import Entry, read
from scverse_backends._ground.foreign import exact, shown
from scverse_backends._ground.layers import layers
from scverse_backends._routing.routes import Route
from scverse_backends.exceptions import BackendLoadError, BackendRegistrationWarning

from .additions import View
from .docstrings import default_note, merge, opening, selector_entry
from .signatures import combine, insert, selector_parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from inspect import Parameter, Signature

    from scverse_backends._ground.records import LoadedBackend
    from scverse_backends._routing.functions import Dispatch

    from .additions import Addition
    from .signatures import Option


class _Known(NamedTuple):
    """What one backend makes of the function, and the implementation or route that says so."""

    additions: list[Addition]
    implementation: Any
    route: Route | None = None


class Presentation:
    """What users see of one dispatched function, with what backends add as far as that is known."""

    def __init__(self, dispatch: Dispatch) -> None:
        self.function = dispatch.function
        self.planner = dispatch.planner
        self._registry = registry = dispatch.selector.registry
        self._vouched = registry.configuration.trusted_names
        self._known: dict[LoadedBackend, _Known] = {}
        self._resolved: tuple[Any, Signature] | None = None
        self._written: list[str] = []
        self._problems: list[BackendRegistrationWarning] = []
        self._asking = Lock()
        self._watches = False

    def learn(self, routes: Iterable[object]) -> None:
        """Take in the routes to implementations."""
        learned = ((r.backend, self._learned(r)) for r in routes if isinstance(r, Route))
        self._update({backend: known for backend, known in learned if known})

    def _update(self, new: Mapping[LoadedBackend, _Known]) -> None:
        """Add what is known of new backends, and drop those that are not there any more.

        A backend that is loaded replaces what its manifest said of it.
        """
        if new and not self._watches:
            self._watches = True
            self._registry.changes.watch(self._forget)
        there = {*self._registry.known()} if self._known else ()
        kept = {backend: known for backend, known in self._known.items() if backend in there}
        if new or len(kept) < len(self._known):
            # Replaced, never changed: other threads may be reading it.
            self._known = {**kept, **new}
            self._rewrite()

    def ask(self, *, report: bool = False) -> None:
        """Learn from every known backend, and tell what of it cannot be shown."""
        # Not again while it is being done: an adapter may look at signatures when it is asked.
        if self._asking.acquire(blocking=False):
            try:
                asked = ((b, self._asked(b, report=report)) for b in self._registry.known())
                self._update({backend: known for backend, known in asked if known})
            finally:
                self._asking.release()
        while self._problems:
            caller.warn(self._problems.pop())

    def _asked(self, backend: LoadedBackend, *, report: bool) -> _Known | None:
        """Learn from one backend; ``None`` if there is nothing new."""
        if backend.described is not None:
            if backend in self._known or self.function.name not in backend.described:
                return None
            found = backend.described[self.function.name]
            if found is not None and not self._is_class:
                return self._sketched(backend, found)
        try:
            route = self.planner.route(backend)
        except BackendLoadError as error:
            if report:
                self._problems.append(self._problem(backend, f"it {error.trouble}"))
            return None
        return self._learned(route) if isinstance(route, Route) else None

    def _sketched(self, backend: LoadedBackend, found: Any) -> _Known:
        """Learn from a manifest, without a route that nobody could take."""
        renames = backend.renames.get(self.function.name, {})
        additions = self._view.of_outline(found.outline, renames)
        return self._checked(backend, _Known(additions, found))

    def _learned(self, route: Route) -> _Known | None:
        """Learn from a route, unless that was done."""
        known = self._known.get(route.backend)
        if known is not None and known.route is route:
            return None
        additions = self._view.of_route(route)
        return self._checked(route.backend, _Known(additions, route.implementation, route))

    def _checked(self, backend: LoadedBackend, known: _Known) -> _Known:
        """Note what cannot be shown."""
        for found in known.additions:
            if found.hidden:
                name, why = found.hidden
                what = f"the parameter {name!r} of its {self.function.name!r}"
                self._problems.append(self._problem(backend, f"{what} is not shown: {why}"))
        return known

    @cached_property
    def _view(self) -> View:
        return View(self.function)

    @cached_property
    def _is_class(self) -> bool:
        return inspect.isclass(self.function.public)

    def signature(self) -> Signature:
        """Give the merged signature, asking backends that were loaded since the last look."""
        now = (self._registry.changes.generation, self._registry.known())
        if self._resolved is None or self._resolved[0] != now:
            self.ask()
            self._resolved = (now, self._merged_signature())
        return self._resolved[1]

    def _merged_signature(self) -> Signature:
        name = self.function.selector
        selector = [selector_parameter(name)] if name else []
        options = [option.parameter for option in _options(self._providers()).values()]
        return insert(self._view.host, [*selector, *options])

    def _providers(self) -> list[tuple[str, _Known]]:
        """List who is known, in an order that does not depend on who was asked first."""
        known = [(backend.name, known) for backend, known in self._known.items()]
        return sorted(known, key=itemgetter(0))

    def _problem(self, backend: LoadedBackend, problem: str) -> BackendRegistrationWarning:
        return BackendRegistrationWarning(
            backend.name,
            host=self._registry.configuration.host,
            distribution=backend.distribution,
            version=backend.version,
            problem=problem,
        )

    def _forget(self) -> None:
        """Drop the backends that are not there any more."""
        if self._known:
            self._update({})

    def _rewrite(self) -> None:
        """Write the docstring anew, from the host's own, wherever it is shown."""
        self._resolved = None
        own = self.function.func.__doc__
        if not own:
            return
        merged = self._merged_docstring(own)
        if not self._written:
            self._written.append(opening(own, self.function.selector, self._vouched) or own)
        for layer in layers(self.function.public):
            _replace(layer, self._written, merged)
        if merged not in self._written:
            self._written = sorted([*self._written, merged], key=len, reverse=True)

    def _merged_docstring(self, own: str) -> str:
        providers = self._providers()
        labels = dict.fromkeys((*self._vouched, *(name for name, _ in providers)))
        name = self.function.selector
        return merge(
            own,
            selector_entry(name, tuple(labels)) if name else None,
            [_entry(option, providers) for option in _options(providers).values()],
            _notes(providers),
        )


def _options(providers: Iterable[tuple[str, _Known]]) -> dict[str, Option]:
    return combine(
        (name, [found.option for found in known.additions if found.option])
        for name, known in providers
    )


def _entry(option: Option, providers: Iterable[tuple[str, _Known]]) -> Entry:
    """Document an option, as the first of its providers that does so."""
    name, parameter = option.parameter.name, option.parameter
    offering = {*option.providers}
    docs = (_docstring(known.implementation) for label, known in providers if label in offering)
    documented = (read(doc).get(name) for doc in docs if doc and name in doc)
    entry = next(filter(None, documented), Entry(name))
    return entry._replace(
        type=entry.type or (_kind(parameter) if len(option.providers) == 1 else "optional"),
        text=entry.text or "An option of the backend.",
        providers=option.providers,
    )


def _docstring(implementation: object) -> str | None:
    try:
        found = exact(implementation.__doc__)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException:  # noqa: BLE001 - a foreign object may raise anything
        return None
    return found if type(found) is str else None


def _kind(parameter: Parameter) -> str:
    """Say what a parameter takes, where no docstring does."""
    annotation = parameter.annotation
    if annotation is not parameter.empty:
        return annotation if type(annotation) is str else shown(annotation)
    return "required" if parameter.default is ... else f"default {shown(parameter.default)}"


def _notes(providers: Iterable[tuple[str, _Known]]) -> dict[str, list[str]]:
    """Say of each of the host's parameters on which backends its default is another."""
    notes: dict[str, list[str]] = {}
    for provider, known in providers:
        for name, default in [found.default for found in known.additions if found.default]:
            notes.setdefault(name, []).append(default_note(name, provider, default))
    return notes


def _replace(layer: Any, written: Iterable[str], merged: str) -> None:
    """Replace what was written before; what others wrote around it stays."""
    text = layer.__doc__
    for before in written:
        if isinstance(text, str) and before in text:
            with suppress(AttributeError, TypeError):
                layer.__doc__ = text.replace(before, merged, 1)
            return
