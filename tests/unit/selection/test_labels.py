"""Labels: which of them mean the same, which are reserved, and what a wrong one is told."""

import re
from enum import StrEnum

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scverse_backends.exceptions import (
    BackendNotInstalledError,
    ReservedBackendError,
    UnknownBackendError,
)

WAYS = {
    "call": lambda host, label: host.where(backend=label),
    "coroutine": lambda host, label: host.where_async(backend=label),
    "explain": lambda host, label: host.settings.explain(host.where, backend=label),
    "default": lambda host, label: setattr(host.settings, "backend", label),
    "block": lambda host, label: host.settings.use_backend(label).__enter__(),
    "get": lambda host, label: host.settings.get_backend(label),
    "dispatcher": lambda host, label: host.dispatcher.get_backend(label),
}


@pytest.fixture(params=WAYS)
def choose(request):
    """Choose a label in each way in which it can be chosen."""
    return WAYS[request.param]


@pytest.fixture(params=["call", "default", "block"])
def choose_several(request):
    """Choose labels in each way in which several can be chosen."""
    return WAYS[request.param]


SEPARATORS = st.text("-_.", min_size=1, max_size=3)


@st.composite
def spellings(draw):
    """Spell ``my-fast-backend`` in any way that means the same."""
    words = [
        "".join(letter.upper() if draw(st.booleans()) else letter for letter in word)
        for word in ("my", "fast", "backend")
    ]
    return words[0] + draw(SEPARATORS) + words[1] + draw(SEPARATORS) + words[2]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(spelling=spellings())
def test_labels_match_without_regard_to_case_and_separators(host, install, spelling):
    install("My.fast_Backend")
    assert host.where(backend=spelling) == "My.fast_Backend"
    with host.settings.use_backend(spelling):
        assert host.settings.backend == "My.fast_Backend"
    assert host.settings.explain(host.where, backend=spelling).backend == "My.fast_Backend"


@pytest.mark.parametrize("spelling", ["my-fastbackend", "myfast-backend", "my fast backend"])
def test_a_separator_more_or_less_is_another_label(host, install, spelling):
    install("my-fast-backend")
    with pytest.raises(UnknownBackendError, match="Did you mean 'my-fast-backend'"):
        host.where(backend=spelling)


@pytest.mark.parametrize("label", ["auto", "AUTO", "gpu", "G.P.U"])
def test_reserved_labels_choose_nothing(make_host, choose, label):
    host = make_host(reserved_backends={"gpu": "Name one.", "g-p-u": "Name one."})
    with pytest.raises(ReservedBackendError) as caught:
        choose(host, label)
    assert (caught.value.label, caught.value.host) == (label, "example_host")
    assert "example_host" in str(caught.value)
    assert "Name " in caught.value.reason


@pytest.mark.parametrize(
    ("label", "meant"),
    [("cudaa", "cuda"), ("MINES", "mine"), ("othre", "other"), ("cpuu", "cpu"), ("fasst", "fast")],
)
@pytest.mark.usefixtures("backends")
def test_an_unknown_label_is_told_the_nearest_known_one(make_host, choose, label, meant):
    host = make_host(trusted_backends={"trusted": {"package": "trusted", "aliases": ["fast"]}})
    with pytest.raises(UnknownBackendError, match=f"Did you mean '{meant}'") as caught:
        choose(host, label)
    assert (caught.value.label, caught.value.suggestion) == (label, meant)
    assert {"mine", "cuda", "other", "jax", "trusted", "fast"} <= {*caught.value.known}


def test_a_label_unlike_any_other_is_told_all_known_ones(host, choose, install):
    with pytest.raises(UnknownBackendError, match="No backend is installed"):
        choose(host, "xyzzy")
    install("mine")
    host.dispatcher.refresh()
    with pytest.raises(UnknownBackendError, match=r"Known: .*'mine'") as caught:
        choose(host, "xyzzy")
    assert caught.value.suggestion is None


@pytest.mark.parametrize(
    "label", [7, 1.5, b"mine", object(), {"mine"}, "", "-mine", "mine.", "x" * 200]
)
@pytest.mark.usefixtures("backends")
def test_what_is_no_label_is_refused_and_shown(host, choose, site, label):
    with pytest.raises(UnknownBackendError) as caught:
        choose(host, label)
    assert caught.value.label == (label if isinstance(label, str) else repr(label))
    assert site.imported() == set()


ALLOWED = (
    "use ASCII letters, digits, '.', '_' and '-', "
    "begin with a letter or digit and do not end with '.' or '-'"
)


def test_a_label_may_have_128_characters(host, install):
    install("x" * 128)
    host.settings.backend = "x" * 128
    assert host.settings.backend == "x" * 128


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("x" * 129, "at most 128 characters, not 129"),
        ("my backend-", f"'my backend-' is not a valid backend name: {ALLOWED}"),
        (None, "backend name must be a string; use 'cpu' for the host"),
        ("mine, other", "is not a valid backend name; write several as a list, ['mine', 'other']"),
    ],
)
def test_what_a_label_may_be_and_what_to_write_instead_is_told(host, wrong, said):
    with pytest.raises(UnknownBackendError, match=re.escape(said)):
        host.settings.backend = wrong


class Spelled(StrEnum):
    MINE = "mine"


@pytest.mark.parametrize("label", [Spelled.MINE, np.str_("mine")])
@pytest.mark.usefixtures("backends")
def test_any_kind_of_string_will_do(host, label):
    assert host.where(backend=label) == "mine"
    host.settings.backend = label
    assert host.settings.backends == ("mine",)
    assert host.settings.explain(host.where, backend=label).backend == "mine"


@pytest.mark.parametrize("nothing", [[], ()])
def test_no_label_at_all_is_a_mistake(host, choose_several, nothing):
    with pytest.raises(ValueError, match="at least one backend"):
        choose_several(host, nothing)


@pytest.mark.parametrize("label", ["accel", "accelerated", "ACCELERATED"])
def test_a_known_but_absent_backend_is_told_how_to_install_it(make_host, choose, label):
    trusted = {"accel": {"aliases": ["accelerated"], "package": "example-host-accel"}}
    host = make_host(trusted_backends=trusted)
    with pytest.raises(BackendNotInstalledError, match="pip install example-host-accel") as caught:
        choose(host, label)
    assert (caught.value.label, caught.value.backend) == (label, "accel")
