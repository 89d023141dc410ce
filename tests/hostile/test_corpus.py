"""Whatever an installed package does: it is named, the host stays up, and its data stay right.

The packages are in ``corpus/``, each with what is expected beside it.
"""

import inspect
import io
import os
import pickle
import pydoc
import subprocess
import sys

import pytest

from scverse_backends.exceptions import BackendError

from . import host as hosts
from .corpus import PAGE, page
from .host import VALUES, Met, finish

pytestmark = pytest.mark.timeout(30)

MEETINGS = (
    "test_the_error_names_the_culprit",
    "test_the_host_stays_up",
    "test_the_data_stay_right",
)
LONGEST = 2000  # characters of a message that somebody is to read


def load(installed, label):
    return Met(lambda: installed.dispatcher.get_backend(label))


def call(installed, member, label):
    function = getattr(installed, member.function)
    return Met(lambda: finish(function([*VALUES], **member.arguments, backend=label)))


def on_the_host(member):
    """What the host itself gives."""
    known = inspect.signature(getattr(hosts, member.function)).parameters
    given = {name: value for name, value in member.arguments.items() if name in known}
    return finish(getattr(hosts, member.function)([*VALUES], **given))


def check_text(text):
    """Somebody can read it, and it does nothing to a terminal."""
    assert len(text) < LONGEST
    assert text.isprintable()


def check_error(error, member, said):
    """An error of ours says who it was and what happened, and can travel."""
    text = str(error)
    assert said in text
    check_text(text)
    if hasattr(error, "distribution"):
        assert error.distribution == (member.known_as or member.distribution)
        assert error.distribution in text
    if getattr(error, "entry_point", None) is not None:
        assert error.entry_point == (member.reference or member.home)
    assert str(sent(error)) == text


def sent(error):
    """What another process receives; Dask, once imported, would pickle the cause as well."""
    parcel = io.BytesIO()
    pickler = pickle.Pickler(parcel)
    pickler.dispatch_table = {}
    pickler.dump(error)
    return pickle.loads(parcel.getvalue())


def check_call(met, member):
    """A call ends as is expected of the package."""
    fallbacks = [found for found in met.fallbacks if found.function == member.function]
    outcome = met.raised or ("host" if fallbacks else "backend")
    either = ("host", "backend")
    expected = {"odd result": ("backend",), "either": either}.get(member.runs, (member.runs,))
    assert outcome in expected, met.error
    if not met.raised and member.runs != "odd result":
        assert met.result == on_the_host(member)
    for warning in fallbacks:
        assert warning.refusals[0].backend == member.id
        check_error(warning, member, member.because)
    if isinstance(met.error, BackendError):
        check_error(met.error, member, member.because)


def test_the_error_names_the_culprit(installed, member):
    loaded = load(installed, member.name)
    called = [call(installed, member, member.name) for _ in range(2)]

    assert (loaded.raised or "loads") == member.load, loaded.error
    if isinstance(loaded.error, BackendError):
        check_error(loaded.error, member, member.problem)
    for text in loaded.told():
        check_text(text)
    assert all(text in " ".join(loaded.told()) for text in member.warns), loaded.told()
    for met in called:
        if member.load == "loads":
            check_call(met, member)
        else:
            assert met.raised == member.load
    assert not any(met.strange(member.adds) for met in (loaded, *called))
    for label in member.labels:
        assert load(installed, label).error is None
        check_call(call(installed, member, label), member)


def surfaces(installed, member):
    """Everything by which somebody looks at what is there."""
    dispatcher, settings = installed.dispatcher, installed.settings
    function = getattr(installed, member.function)
    yield "backends", lambda: repr(dispatcher.backends())
    yield "first look", lambda: f"{settings!r} {dispatcher!r}"
    yield "load", lambda: load(installed, member.name)
    yield "explain", lambda: f"{explained(installed, member)} {explained(installed, member)!r}"
    yield "signature", lambda: str(inspect.signature(function))
    yield "discover", dispatcher.discover
    yield "signature after discovery", lambda: str(inspect.signature(function))
    yield "help", lambda: pydoc.render_doc(function)
    yield "labels", dispatcher.available_backend_names
    yield "canonical names", settings.available_backends
    yield "unknown label", lambda: str(Met(lambda: settings.use_backend("no-such-one")).error)
    yield "foreign option", lambda: Met(lambda: installed.double([1], no_such_option=1))
    yield "trace", lambda: traced(installed, member)
    yield "last look", lambda: f"{settings!r} {settings._repr_html_()} {dispatcher!r}"
    yield "refresh", dispatcher.refresh
    yield "backends after all", lambda: repr(dispatcher.backends())


def explained(installed, member):
    function = getattr(installed, member.function)
    given = {**member.arguments, "backend": member.name}
    met = Met(lambda: installed.settings.explain(function, [*VALUES], **given))
    assert met.error is None or isinstance(met.error, BackendError) or met.raised == member.load
    return met.result


def traced(installed, member):
    """Show a trace of a call in every way there is."""
    with installed.settings.trace() as trace:
        call(installed, member, member.name)
    return f"{trace} {trace!r} {trace._repr_html_()} {trace.to_json()} {trace.provenance()}"


def test_the_host_stays_up(site, installed, member):
    listed = Met(installed.dispatcher.backends)

    assert "fine" in [info.name for info in listed.result]
    assert site.imported() == set()
    for info in listed.result:
        check_text(f"{info.name} {info.distribution} {info.version}")
    for name, look in surfaces(installed, member):
        met = Met(look)
        assert met.error is None or met.raised == member.load == "KeyboardInterrupt", name
        assert not met.strange(member.adds), name
        for text in met.told():
            check_text(text)
    assert installed.ran == [] or member.load == "loads"


def test_the_data_stay_right(installed, member):
    settings = installed.settings

    def block():
        with settings.use_backend("cpu", "fine", fallback="silent"):
            call(installed, member, member.name)
            return settings.backends, settings.fallback

    if member.stays == "cpu":
        assert Met(block).result == (("cpu", "fine"), "silent")
    for _ in range(2):
        call(installed, member, member.name)
        Met(installed.dispatcher.discover)
        assert (settings.backends, settings.fallback) == ((member.stays,), "warn")
        for label in ("cpu", "fine", "good", "GOOD"):
            met = Met(lambda label=label: installed.scale([*VALUES], 3, backend=label))
            assert (met.error, met.result, met.fallbacks) == (None, [3, 6, 9], [])
        Met(installed.dispatcher.refresh)


@pytest.mark.alone
@pytest.mark.timeout(120)
def test_a_package_that_changes_the_interpreter_is_met_alone(request, member):
    """The same, in a process of its own."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:cov"]
    places = [f"{request.path}::{name}[{member.id}]" for name in MEETINGS]
    environment = {"HOSTILE_ALONE": member.id}
    finished = subprocess.run(
        [*command, *places],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert finished.returncode == 0, finished.stdout


def test_what_is_documented_is_what_is_tested():
    assert PAGE.read_text(encoding="utf-8") == page()
