"""A ``use_backend`` that is neither entered nor used as a decorator warns: alone it selects nothing."""

import linecache
import pickle
import warnings

import pytest

from scverse_backends.exceptions import UnusedBlockWarning

pytestmark = pytest.mark.usefixtures("backends")


def test_a_statement_that_selects_nothing_warns_at_its_line(host):
    with pytest.warns(UnusedBlockWarning) as caught:
        host.settings.use_backend("cuda")  # the slip
    assert host.where() == "cpu"
    (warning,) = caught
    assert warning.filename == __file__
    assert "# the slip" in linecache.getline(__file__, warning.lineno)
    assert str(warning.message) == (
        "use_backend('cuda') alone selects nothing for example_host. Write "
        "'with settings.use_backend('cuda'):', decorate a function with it, or set "
        "settings.backend = 'cuda' for the whole process."
    )


@pytest.mark.parametrize(
    ("labels", "fallback", "instead"),
    [
        (("mine", "cpu"), None, "settings.backend = ('mine', 'cpu')"),
        (("mine",), "error", "settings.backend = 'mine'"),
        ((), "error", "settings.fallback = 'error'"),
    ],
)
def test_the_warning_says_what_was_asked_for_and_what_to_write(host, labels, fallback, instead):
    with pytest.warns(UnusedBlockWarning, match="alone selects nothing") as caught:
        host.settings.use_backend(*labels, fallback=fallback)
    message = caught[0].message
    assert (message.labels, message.fallback, message.host) == (labels, fallback, "example_host")
    assert instead in str(message)


def test_a_block_that_is_kept_warns_when_it_is_thrown_away(host):
    block = host.settings.use_backend("mine")
    with warnings.catch_warnings(record=True) as early:
        warnings.simplefilter("always")
        assert "use_backend('mine')" in repr(block)
    assert not early
    with pytest.warns(UnusedBlockWarning):
        del block


def enter(block):
    with block:
        pass


def fail_inside(block):
    with pytest.raises(KeyError), block:
        raise KeyError


def decorate(block):
    block(print)


@pytest.mark.parametrize("use", [enter, fail_inside, decorate, pickle.dumps])
def test_a_block_that_was_used_does_not_warn(host, use, recwarn):
    use(host.settings.use_backend("mine"))
    assert not recwarn.list


def test_a_block_that_was_sent_to_another_process_need_not_be_used_there(host, recwarn):
    pickle.loads(pickle.dumps(host.settings.use_backend("mine")))
    assert not recwarn.list
