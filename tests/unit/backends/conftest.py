"""What the tests of backends share."""

import importlib

import pytest


@pytest.fixture
def dispatcher(make_dispatcher):
    """Give a host that does not mind who made a backend: most tests are about something else."""
    return make_dispatcher(untrusted="allow")


@pytest.fixture
def stage(site, dispatcher):
    """A module by which what is imported reaches the test's dispatcher."""
    site.write("stage.py", "")
    module = importlib.import_module("stage")
    module.dispatcher = dispatcher
    return module


@pytest.fixture
def whoami(dispatcher):
    """A host function that backends implement, each with its own answer."""
    return dispatcher.backend_dispatch(name="whoami")(lambda: "host")
