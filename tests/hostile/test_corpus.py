"""Whatever an installed package does, the host stays up, its data stay right, and it is named.

The packages are in ``corpus/``, each with what is expected beside it.
"""

from __future__ import annotations

import inspect
import pickle
import pydoc

import pytest

from scverse_backends.exceptions import BackendError

from . import host as hosts
from .host import VALUES, Met, finish

pytestmark = pytest.mark.timeout(30)

LONGEST = 2000  # characters of a message that somebody is to read


def load(installed, member, label=None):
    return Met(lambda: installed.dispatcher.get_backend(label or member.name))


def call(installed, member, **options):
    function = getattr(installed, member.function)
    given = {**member.arguments, **options}
    return Met(lambda: finish(function([*VALUES], **given)))


def on_the_host(member):
    """What the host itself gives."""
    known = inspect.signature(getattr(hosts, member.function)).parameters
    given = {name: value for name, value in member.arguments.items() if name in known}
    return finish(getattr(hosts, member.function)([*VALUES], **given))


def check_error(error, member, said):
    """An error of ours says who it was and what happened, on few lines, and can travel."""
    text = str(error)
    assert said in text
    assert len(text) < LONGEST
    assert text.isprintable()
    if hasattr(error, "distribution"):
        assert error.distribution == (member.known_as or member.distribution)
        assert member.distribution in text or member.known_as
    if getattr(error, "entry_point", None) is not None:
        assert error.entry_point == (member.reference or member.home)
    assert str(pickle.loads(pickle.dumps(error))) == text


class TestTheErrorNamesTheCulprit:
    def test_when_it_is_loaded(self, installed, member):
        met = load(installed, member)

        assert (met.raised or "loads") == member.load, met.error
        assert not met.strange(member.adds)
        if isinstance(met.error, BackendError):
            check_error(met.error, member, member.problem)
        told = " ".join(met.told())
        assert all(text in told for text in member.warns), told
        assert all(len(text) < LONGEST and text.isprintable() for text in met.told())

    def test_when_it_is_called(self, installed, member):
        met = call(installed, member, backend=member.name)

        fallbacks = [found for found in met.fallbacks if found.function == member.function]
        assert not met.strange(member.adds)
        if member.load != "loads":
            assert met.raised == member.load
        elif member.runs == "backend":
            assert (met.raised, fallbacks) == ("", [])
            assert met.result == on_the_host(member)
        elif member.runs == "odd result":
            assert (met.raised, fallbacks) == ("", [])
        elif member.runs == "host":
            assert met.raised == ""
            assert met.result == on_the_host(member)
            (warning,) = fallbacks
            assert warning.refusals[0].backend == member.id
            assert member.because in str(warning)
            check_error(warning, member, member.because)
        else:
            assert met.raised == member.runs, met.error
            if isinstance(met.error, BackendError):
                check_error(met.error, member, member.because)

    def test_by_every_label_that_is_its_own(self, installed, member):
        for label in member.labels:
            assert load(installed, member, label).error is None
            assert call(installed, member, backend=label).result == on_the_host(member)


def surfaces(installed, member):
    """Everything by which somebody looks at what is there."""
    dispatcher, settings = installed.dispatcher, installed.settings
    function = getattr(installed, member.function)
    yield "backends", lambda: repr(dispatcher.backends())
    yield "load", lambda: load(installed, member) and None
    yield "explain", lambda: str(explain(installed, member))
    yield "repr of a decision", lambda: repr(explain(installed, member))
    yield "signature", lambda: str(inspect.signature(function))
    yield "discover", dispatcher.discover
    yield "signature after discovery", lambda: str(inspect.signature(function))
    yield "help", lambda: pydoc.render_doc(function)
    yield "docstring", lambda: function.__doc__
    yield "names", dispatcher.available_backend_names
    yield "canonical names", settings.available_backends
    yield "unknown label", lambda: Met(lambda: settings.use_backend("no-such-backend")) and None
    yield "repr of what is there", lambda: f"{settings!r} {dispatcher!r} {settings}"
    yield "foreign option", lambda: Met(lambda: installed.double([1], no_such_option=1)) and None
    yield "refresh", dispatcher.refresh
    yield "backends after all", lambda: repr(dispatcher.backends())


def explain(installed, member):
    function = getattr(installed, member.function)
    met = Met(
        lambda: installed.settings.explain(
            function, [*VALUES], **member.arguments, backend=member.name
        )
    )
    if met.error is None or isinstance(met.error, BackendError):
        return met.result
    assert met.raised == member.load
    return None


class TestTheHostStaysUp:
    def test_whoever_looks_at_it(self, installed, member):
        for name, look in surfaces(installed, member):
            met = Met(look)
            assert met.error is None or met.raised == member.load == "KeyboardInterrupt", name
            assert not met.strange(member.adds), name
            assert all(len(text) < LONGEST for text in met.told()), name

    def test_and_lists_it_without_importing_it(self, site, installed, member):
        met = Met(installed.dispatcher.backends)

        assert met.error is None
        assert "fine" in [info.name for info in met.result]
        assert site.imported() == set()
        assert all(info.distribution is None or info.distribution.isprintable() for info in met.result)


class TestTheDataStayRight:
    def test_on_the_host_and_on_another_backend(self, installed, member):
        for _ in range(2):
            call(installed, member, backend=member.name)
            Met(installed.dispatcher.discover)
            for label in ("cpu", "fine", "good", "GOOD"):
                met = Met(lambda label=label: installed.scale([*VALUES], 3, backend=label))
                assert (met.error, met.result) == (None, [3, 6, 9])
                assert not met.fallbacks
            Met(installed.dispatcher.refresh)

    def test_and_nothing_is_selected_that_nobody_selected(self, installed, member):
        call(installed, member, backend=member.name)
        Met(installed.dispatcher.discover)

        settings = installed.settings
        assert (settings.backends, settings.fallback) == (("cpu",), "warn")
        assert settings.explain(installed.double, [*VALUES]).backend == "cpu"

    def test_and_a_block_ends_as_it_should(self, installed, member):
        settings = installed.settings

        def inside():
            with settings.use_backend("cpu", "fine", fallback="silent"):
                call(installed, member, backend=member.name)
                return settings.backends, settings.fallback

        assert Met(inside).result == (("cpu", "fine"), "silent")
        assert (settings.backends, settings.fallback) == (("cpu",), "warn")

    def test_and_refused_code_never_runs(self, installed, member):
        for _, look in surfaces(installed, member):
            Met(look)

        assert installed.ran == [] or member.load == "loads"
