"""Verification: one backend held against everything that its host dispatches, without a call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from scverse_backends._backends.facts import ABOUT_ITSELF
from scverse_backends._backends.loading import exported, fetch
from scverse_backends._ground.labels import closest, did_you_mean
from scverse_backends._ground.records import ABSENT, Verdict
from scverse_backends._ground.safe_repr import attempt, describe_error
from scverse_backends.dispatcher import (
    BackendDispatcher,
    parts,
)
from scverse_backends.exceptions import BackendLoadError

from .findings import Finding, Fit, Verification
from .fit import compare

if TYPE_CHECKING:
    from scverse_backends._backends.registry import Registry
    from scverse_backends._ground.records import LoadedBackend
    from scverse_backends._routing.functions import Dispatch


def verify(dispatcher: BackendDispatcher, backend: str) -> Verification:
    """Compare what a backend offers with what its host dispatches; no function is called.

    Parameters
    ----------
    dispatcher
        The host's dispatcher. What the host decorates later is not seen.
    backend
        Any label of an installed or registered backend; it is imported. If that fails
        and it ships a manifest, the manifest is compared.

    Returns
    -------
    Verification
        What was found; it prints well, and writes itself as JSON and JUnit XML.

    Raises
    ------
    ValueError
        If the label names the host itself.
    UnknownBackendError, BackendNotInstalledError, BackendLoadError, UntrustedBackendError
        As for `Settings.backend`.

    Examples
    --------
    >>> from scverse_backends import BackendDispatcher
    >>> from scverse_backends.testing import verify
    >>> dispatcher = BackendDispatcher(
    ...     entrypoint_group="example.backends", host_name="example"
    ... )
    >>> @dispatcher.backend_dispatch
    ... def cluster(data, n_clusters=8, *, seed=0):
    ...     return [0 for _ in data]
    >>> class Fast:
    ...     name = "fast"
    ...     __all__ = ["cluster"]
    ...
    ...     def cluster(self, data, n_clusters=10):
    ...         return [0 for _ in data]
    >>> with dispatcher.register(Fast):
    ...     print(verify(dispatcher, "fast"))
    fast of example: 1 of 1 functions
    no errors, 2 warnings
    <BLANKLINE>
    cluster
      warning  does not take 'seed', so calls that set it go elsewhere
      warning  has another default: n_clusters=10 (host: 8)
    """
    registry = parts(dispatcher).registry
    located = registry.locate(backend)
    if located is None:
        msg = f"{backend!r} is the host itself; name a backend to verify."
        raise ValueError(msg)
    subject, notice = _load(registry, located)
    found = inspected(dispatcher, subject)
    return found._replace(findings=(*notice, *found.findings))


def inspected(dispatcher: BackendDispatcher, backend: LoadedBackend) -> Verification:
    """Hold a loaded or described backend against its host."""
    dispatches = parts(dispatcher).catalogue.dispatches()
    functions = tuple(_fit(dispatch, backend) for dispatch in dispatches)
    offered = {item.function for item in functions if item.implemented}
    names = _examine_names(backend, dispatcher.dispatched, offered)
    findings = (*names, *(found for item in functions for found in item.findings))
    source = (backend.distribution, backend.version)
    return Verification(dispatcher.host_name, backend.name, *source, functions, findings)


def _fit(dispatch: Dispatch, backend: LoadedBackend) -> Fit:
    """Compare one function; one that cannot be fetched is a finding, and hides no other."""
    function = dispatch.function

    def failed(error: BaseException) -> Fit:
        why = error.problem if isinstance(error, BackendLoadError) else describe_error(error)
        broken = Finding("error", "broken", function.name, f"is broken: {why}")
        return Fit(function.name, implemented=False, findings=(broken,))

    return attempt(lambda: compare(function, dispatch.routes.route(backend)), failed)


def _load(
    registry: Registry, located: LoadedBackend | Verdict
) -> tuple[LoadedBackend, tuple[Finding, ...]]:
    """Load a backend; where that fails, its manifest can say what it offers."""
    try:
        return registry.load(located), ()
    except BackendLoadError as error:
        described = registry.described(located) if isinstance(located, Verdict) else None
        if described is None:
            raise
        text = f"cannot be loaded here, so its manifest was read instead: {error.problem}"
        return described, (Finding("warning", "not-loaded", described.name, text),)


def _examine_names(
    backend: LoadedBackend,
    functions: Mapping[str, Callable[..., Any]],
    implemented: Collection[str],
) -> Iterator[Finding]:
    """Find the names in an adapter that match no function of the host."""
    adapter, absent = backend.adapter, [name for name in functions if name not in implemented]
    # An adapter's own code runs here. If it fails, the findings of its functions say so.
    for name in attempt(lambda: [*_listed(adapter, functions)], lambda _: []):
        yield _unmatched(name, functions, absent)
    for name in attempt(lambda: [*_stray(adapter, functions)], lambda _: []):
        if closest(name, absent):
            yield _unmatched(name, functions, absent)
    for name in absent:
        if attempt(partial(_is_unlisted, adapter, name, functions[name]), lambda _: False):
            text = f"has {name!r} and does not offer it, because its __all__ does not list it"
            yield Finding("warning", "unlisted-name", name, text)
    for kind, names in (("renames", backend.renames), ("fixed", backend.fixed)):
        for name in names:
            if name not in functions:
                meant = closest(name, functions)
                text = f"has {kind} for {name!r}, which the host does not dispatch{did_you_mean(meant)}"
                finding = "unknown-rename" if kind == "renames" else "unknown-fixed"
                yield Finding("error", finding, name, text, None, meant)


def _unmatched(name: str, functions: Collection[str], absent: Collection[str]) -> Finding:
    """Report a name that no host function has; it is an error if it is like one that is missing."""
    slip = closest(name, absent)
    meant = slip or closest(name, functions)
    text = f"offers {name!r}, which the host does not dispatch{did_you_mean(meant)}"
    return Finding("error" if slip else "warning", "unknown-name", name, text, None, meant)


def _listed(namespace: Any, functions: Collection[str], prefix: str = "") -> Iterator[str]:
    """List the names in ``__all__`` that no host function has."""
    for name in (one for one in exported(namespace) or () if isinstance(one, str)):
        full = f"{prefix}{name}"
        inner = f"{full}."
        if any(function.startswith(inner) for function in functions):
            yield from _listed(getattr(namespace, name, None), functions, inner)
        elif full not in functions and name not in functions and full not in ABOUT_ITSELF:
            yield full


def _stray(adapter: Any, functions: Collection[str]) -> Iterator[str]:
    """List the public functions of an adapter without ``__all__`` that no host function has."""
    if exported(adapter) is not None:
        return
    for name in dir(adapter):
        if name.startswith("_") or name in ABOUT_ITSELF or name in functions:
            continue
        found = inspect.getattr_static(adapter, name, None)
        if attempt(partial(inspect.isroutine, found), lambda _: False):
            yield name


def _is_unlisted(adapter: Any, name: str, host: Any) -> bool:
    """Whether an adapter has a function of its own that its ``__all__`` does not list."""
    if fetch(adapter, name) is not ABSENT:
        return False
    found = adapter
    for part in name.split("."):
        found = getattr(found, part)
    return callable(found) and found is not host and getattr(host, "__wrapped__", None) is not found
