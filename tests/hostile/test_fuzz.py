"""Text that nobody would write: labels, environment variables, metadata, manifests.

``pytest tests/hostile --hypothesis-profile=long`` draws 40,000 texts for each.
"""

import warnings

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scverse_backends.exceptions import BackendError, BackendWarning

pytestmark = pytest.mark.timeout(3600)
GROUP = "tests.example_host.backends"
TIMES = 10  # as many texts as the profile has examples, on the long one

many = settings(
    max_examples=settings.default.max_examples
    * (TIMES if settings.default.max_examples > 100 else 1),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def pieces(*known):
    """Draw text of pieces that mean something, and of some that mean nothing."""
    piece = st.sampled_from(known) | st.text(max_size=5)
    return st.lists(piece, max_size=30).map("".join)


def tell(work):
    """Do something; whatever it raises or warns of must be ours."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            return work()
        except BackendError as error:
            str(error)
            return error
        finally:
            assert all(isinstance(found.message, BackendWarning) for found in caught)


LABELS = pieces(
    "fine", "FINE", "cpu", "auto", "gpu", "vouched", "-", "_", ".", ",", " ", "\0", "\n"
)


@many
@given(label=LABELS | st.none() | st.binary() | st.integers() | st.floats() | st.lists(LABELS))
@example(label="f" * 200)
@example(label=[["fine"]])
def test_a_label(host, label):
    chosen = {"cpu", "fine"}
    for work in (
        lambda: host.settings.use_backend(label).__class__,
        lambda: setattr(host.settings, "backend", label),
        lambda: host.double([1], backend=label),
        lambda: host.dispatcher.get_backend(label),
    ):
        try:
            tell(work)
        except (TypeError, ValueError):
            assert not isinstance(label, str)
    assert host.settings.backend in chosen
    host.settings.backend = "cpu"


VARIABLES = ("EXAMPLE_HOST_BACKEND", "EXAMPLE_HOST_BACKEND_FALLBACK", "SCVERSE_BACKENDS_BLOCK")
SETTINGS = pieces("fine", "cpu", ",", " ", "warn", "silent", "error", "gpu", "-", "_").filter(
    lambda text: "\0" not in text and text.isascii()
)


@many
@given(values=st.tuples(*[st.none() | SETTINGS] * len(VARIABLES)))
def test_the_environment(host, make_dispatcher, monkeypatch, values):
    with monkeypatch.context() as environment:
        for variable, value in zip(VARIABLES, values, strict=True):
            if value is None:
                environment.delenv(variable, raising=False)
            else:
                environment.setenv(variable, value)
        dispatcher = make_dispatcher()
        double = dispatcher.backend_dispatch(name="double")(lambda values: "host")
        repr(dispatcher.settings)
        found = tell(lambda: double([1]))
        if isinstance(found, BackendError):
            text = f"{found} {getattr(found, '__notes__', '')}"
            assert any(variable in text for variable in VARIABLES)
        else:
            assert found in ("host", [2])


ENTRIES = pieces(
    *(f"[{GROUP}]\n", "[", "]", "\n", "=", " = ", "#", ";", ":", ".", "evil", "fine", "vouched"),
    *("no_such_module", "fine_backend", "[cuda]", "gpu = ", "cpu", "\r\n", "\t", "\ufeff", "\0"),
)
NAMES = ("evil", "fine-backend", "vouched-backend")
METADATA = pieces("Name: ", "Version: ", *NAMES, "\n", "\n\n", ":", " ", "1.0")


@many
@example(entries="fine=", metadata="", encoding="utf-8")
@example(entries="FINE = no_such_module", metadata="", encoding="utf-8")
@example(entries="fine = no_such_module", metadata="Name: evil\n", encoding="utf-8")
@given(entries=ENTRIES, metadata=METADATA, encoding=st.sampled_from(["utf-8", "utf-16", "latin-1"]))
def test_metadata(site, host, entries, metadata, encoding):
    folder = site.folder / "evil_backend-1.0.dist-info"
    folder.mkdir(exist_ok=True)
    for name, text in (("entry_points.txt", f"[{GROUP}]\n{entries}"), ("METADATA", metadata)):
        (folder / name).write_bytes(
            text.encode(encoding, "surrogatepass" if encoding != "latin-1" else "replace")
        )
    tell(host.dispatcher.refresh)
    found = tell(host.dispatcher.backends)
    assert "fine" in {info.name for info in found}
    assert all(f"{i.name} {i.distribution} {i.version}".isprintable() for i in found)
    assert repr(host.settings)
    assert not any(i.trusted for i in found if i.distribution != "vouched-backend")
    # Of two that say the same name, the first by its distribution's name has it.
    serving = next(i for i in found if i.name.lower() == "fine")
    if serving.distribution == "fine-backend":
        assert tell(lambda: host.scale([1], 3, backend="fine")) == [3]
    else:
        assert serving.distribution < "fine-backend"


MANIFEST = """schema = 1
adapter = "evil_backend"
offers = 1
name = "evil"
aliases = ["naughty"]

[functions.double]
signature = "(values, *, tiles=1)"
parameters = '''
tiles : int
    How many.
'''
"""


SPOILING = ('"', "'''", "[", "]", "=", "\n", "fine", "cpu", "9" * 50, "**", "/", "(", "lambda: 0")


@st.composite
def manifests(draw):
    """Draw a manifest in which something was cut, doubled or replaced."""
    text = MANIFEST
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 30)))
        new = draw(pieces(*SPOILING))
        text = text[:start] + new + text[end:]
    return text


@many
@given(text=manifests())
@example(text=MANIFEST)
@example(text="signature = " + "[" * 5000)
def test_a_manifest(site, host, text):
    site.install("evil-backend", entry_points={"evil": "evil_backend"})
    site.write("evil_backend.py", "name = 'evil'\ndef double(values, *, tiles=1): return values")
    (site.folder / "evil_backend.toml").write_text(text, encoding="utf-8", errors="replace")
    tell(host.dispatcher.refresh)
    tell(host.dispatcher.discover)
    assert {"fine", "evil"} <= {info.name for info in tell(host.dispatcher.backends)}
    assert repr(host.settings)
    assert tell(lambda: host.scale([1], 3, backend="fine")) == [3]
    assert tell(lambda: host.double([1], backend="evil")) in ([1], [2])
