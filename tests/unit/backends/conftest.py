"""What the tests of backends share."""

import pytest


@pytest.fixture
def dispatcher(make_dispatcher):
    """Give a host that does not mind who made a backend: most tests are about something else."""
    return make_dispatcher(untrusted="allow")
