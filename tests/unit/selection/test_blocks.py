"""``use_backend``: what it refuses, when it imports, how its blocks begin and end, and unused ones."""

import linecache
import pickle
import sys
import warnings
from types import SimpleNamespace

import pytest

from scverse_backends.exceptions import (
    BackendLoadError,
    UnknownBackendError,
    UnusedBlockWarning,
)

pytestmark = pytest.mark.usefixtures("backends")


@pytest.mark.parametrize("label", ["nope", "auto", "", 7, None, b"mine"])
def test_a_label_that_names_no_backend_raises_when_it_is_called(host, label):
    with pytest.raises(UnknownBackendError):
        host.settings.use_backend(label)
    with pytest.raises(UnknownBackendError):
        host.settings.use_backend("mine", label)


def test_the_backend_is_imported_when_it_is_entered_and_not_when_it_is_called(host, site):
    block = host.settings.use_backend("mine", "other")
    assert site.imported() == set()
    with block:
        assert site.imported() == {"mine_backend", "other_backend"}


def test_a_backend_that_fails_to_load_raises_when_it_is_entered_and_is_tried_again(
    host, site, install
):
    module = install("broken", source="raise RuntimeError('no device')")
    block = host.settings.use_backend("mine", "broken")
    for _ in range(2):
        with pytest.raises(BackendLoadError, match="no device"), block:
            pytest.fail("the block was entered")
        assert (host.where(), host.settings.backend) == ("cpu", "cpu")
    site.write(f"{module}.py", "name = 'broken'\ndef where(): return 'repaired'\n")
    with block:
        assert host.settings.backends == ("mine", "broken")
        assert host.where(backend="broken") == "repaired"


@pytest.mark.parametrize(
    "labels", [("mine", "other"), (("mine", "other"),), (["mine", "other"],), (["cuda"], "jax")]
)
def test_several_labels_may_be_given_apart_or_as_a_sequence(host, labels):
    with host.settings.use_backend(*labels):
        assert host.settings.backends == ("mine", "other")


def test_neither_a_label_nor_a_policy_is_a_mistake(host):
    with pytest.raises(TypeError, match=r"needs a backend, fallback=\.\.\., or options="):
        host.settings.use_backend()


@pytest.mark.parametrize("fallback", ["loud", "", 0, ["warn"]])
def test_a_policy_that_does_not_exist_raises_when_it_is_called(host, fallback):
    with pytest.raises(ValueError, match="'warn', 'silent', 'error'"):
        host.settings.use_backend("mine", fallback=fallback)


def test_the_same_object_can_be_entered_again_and_while_it_is_in_force(host):
    mine, other = host.settings.use_backend("mine"), host.settings.use_backend("other")
    for _ in "first", "after a refresh":
        with mine:
            with other:
                with mine, mine:
                    assert host.where() == "mine"
                assert host.where() == "other"
            with mine:
                host.settings.backend = "other"
                assert host.where() == "other"
            assert host.where() == "mine"
        assert host.where() == "cpu"
        host.dispatcher.refresh()


def test_a_backend_that_is_gone_by_then_raises_when_it_is_entered(host):
    registration = host.dispatcher.register(SimpleNamespace(name="passing"))
    block = host.settings.use_backend("passing")
    registration.remove()
    with pytest.raises(UnknownBackendError, match="'passing'"), block:
        pytest.fail("the block was entered")


def test_a_block_selects_who_has_its_label_each_time_it_is_entered(host):
    block, seen = host.settings.use_backend("mine"), []
    for aliases in [(), ("mine",), ()]:
        second = SimpleNamespace(name="second", aliases=aliases, where=lambda: "second")
        with host.dispatcher.register(second), block:
            seen.append(host.where())
    assert seen == ["mine", "second", "mine"]


def test_a_block_that_began_to_load_before_a_change_does_not_hide_what_selects_since(
    host, install, monkeypatch
):
    install("slow", source="import meanwhile; meanwhile.happen(); name = 'slow'")
    block, seen = host.settings.use_backend("slow"), []
    second = SimpleNamespace(name="second", aliases=("slow",), where=lambda: "second")

    def happen():
        host.dispatcher.register(second)
        with block:
            seen.append(host.settings.backend)

    monkeypatch.setitem(sys.modules, "meanwhile", SimpleNamespace(happen=happen))
    with block:
        seen.append(host.settings.backend)
    with block:
        seen.append(host.settings.backend)
    assert seen == ["second", "slow", "second"]


def test_the_first_choice_may_be_given_by_name(host):
    with host.settings.use_backend(backend="mine"):
        assert host.settings.backends == ("mine",)
    with host.settings.use_backend("other", backend="mine"):
        assert host.settings.backends == ("mine", "other")


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
