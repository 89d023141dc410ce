"""``settings.refresh()`` looks again at what is installed."""

import inspect
import pickle

import pytest

from scverse_backends.exceptions import UnknownBackendError


@pytest.mark.parametrize("sent", [False, True], ids=["the host's settings", "a pickled copy"])
def test_a_backend_that_was_installed_meanwhile_can_be_selected(host, install, sent):
    settings = pickle.loads(pickle.dumps(host.settings)) if sent else host.settings
    with pytest.raises(UnknownBackendError):
        settings.backend = "late"
    install("late")
    settings.refresh()
    settings.backend = "late"
    assert host.where() == "late"


def test_what_discover_showed_is_shown_anew(host, install):
    host.dispatcher.discover()
    source = "name = 'late'\ndef where(*, tile=3): return 'late'"
    install("late", source=source)
    assert "tile" not in str(inspect.signature(host.where))
    host.settings.refresh()
    host.dispatcher.discover()
    assert "tile=3" in str(inspect.signature(host.where))
