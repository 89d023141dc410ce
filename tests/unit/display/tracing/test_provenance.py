"""What settings say of a call that would be made now."""

import json
import platform
import warnings
from datetime import UTC, datetime

import pytest

import scverse_backends
from scverse_backends.exceptions import BackendNotInstalledError, BackendSelectionWarning


def test_the_provenance_names_every_release_and_who_selected_it(site, make_dispatcher):
    site.install("my-host", version="3.2")
    site.backend("fast", version="2.1")
    settings = make_dispatcher(host_name="my_host", untrusted="allow").settings
    with settings.use_backend("fast", "cpu", fallback="error"):
        found = settings.provenance()
    date = datetime.fromisoformat(found.pop("date"))
    assert abs((datetime.now(UTC) - date).total_seconds()) < 600
    assert found == {
        "host": "my_host",
        "host_version": "3.2",
        "scverse_backends": scverse_backends.__version__,
        "python": platform.python_version(),
        "selected": ["fast", "cpu"],
        "selected_by": "use_backend",
        "fallback": "error",
        "backends": {"fast": {"distribution": "fast-backend", "version": "2.1"}},
    }
    assert json.loads(json.dumps(found)) == found


def test_what_is_left_out_and_selected_for_some_functions_is_told(dispatcher, offer):
    settings = dispatcher.settings
    dispatcher.backend_dispatch(name="double")(lambda values: values)
    offer("mine", double=lambda values, *, chunk=3: values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BackendSelectionWarning)
        block = settings.use_backend("gone?", {"double": "mine"}, "cpu")
    with block, settings.use_backend(options={"double": {"chunk": 5}}):
        found = settings.provenance()
    assert found["selected"] == ["cpu"]
    assert found["by_function"] == {"double": ["mine"]}
    assert found["options"] == {"double": ["chunk=5"]}
    assert found["left_out"] == {"gone": "is unknown"}
    assert found["backends"] == {"mine": {}}
    assert json.loads(json.dumps(found)) == found


def test_where_nothing_is_selected_nobody_selected_it(make_dispatcher):
    found = make_dispatcher(host_name="nobody_has_this").settings.provenance()
    assert "selected_by" not in found
    assert "host_version" not in found
    assert (found["selected"], found["backends"]) == (["cpu"], {})


def test_a_choice_of_the_environment_that_is_not_there_is_told(monkeypatch, make_dispatcher):
    monkeypatch.setenv("EXAMPLE_HOST_BACKEND", "fast")
    settings = make_dispatcher(trusted_backends={"fast": {"package": "fast-x"}}).settings
    with pytest.raises(BackendNotInstalledError):
        settings.provenance()


def test_the_json_of_a_trace_holds_the_provenance(dispatcher):
    double = dispatcher.backend_dispatch(name="double")(lambda values: values)
    with dispatcher.settings.trace() as trace:
        double([1])
    written = json.loads(trace.to_json())
    assert written["provenance"] == trace.provenance()
    assert written["records"][0]["site"]["file"] == __file__
