"""``use_backend``: what it refuses, when it imports, and how its blocks begin and end."""

import pytest

from scverse_backends.exceptions import (
    BackendLoadError,
    BackendNotInstalledError,
    ReservedBackendError,
    UnknownBackendError,
)

pytestmark = pytest.mark.usefixtures("backends")


@pytest.mark.parametrize("label", ["nope", "auto", "", 7, None, b"mine"])
def test_a_label_that_names_no_backend_raises_when_it_is_called(host, label):
    with pytest.raises(UnknownBackendError):
        host.settings.use_backend(label)
    with pytest.raises(UnknownBackendError):
        host.settings.use_backend("mine", label)


def test_an_absent_backend_raises_when_it_is_called(make_host):
    host = make_host(trusted_backends={"accel": {"package": "example-accel"}})
    with pytest.raises(BackendNotInstalledError, match="pip install example-accel"):
        host.settings.use_backend("accel")


def test_the_backend_is_imported_when_it_is_entered_and_not_when_it_is_called(host, site):
    block = host.settings.use_backend("mine", "other")
    assert site.imported() == set()
    with block:
        assert site.imported() == {"mine_backend", "other_backend"}


def test_a_backend_that_fails_to_load_raises_when_it_is_entered_and_selects_nothing(host, install):
    install("broken", source="raise RuntimeError('no device')")
    block = host.settings.use_backend("mine", "broken")
    with pytest.raises(BackendLoadError, match="no device"), block:
        pytest.fail("the block was entered")
    assert (host.where(), host.settings.backend) == ("cpu", "cpu")


@pytest.mark.parametrize(
    "labels", [("mine", "other"), (("mine", "other"),), (["mine", "other"],), (["cuda"], "jax")]
)
def test_several_labels_may_be_given_apart_or_as_a_sequence(host, labels):
    with host.settings.use_backend(*labels):
        assert host.settings.backends == ("mine", "other")


def test_neither_a_label_nor_a_policy_is_a_mistake(host):
    with pytest.raises(TypeError, match="needs a backend, or fallback="):
        host.settings.use_backend()


@pytest.mark.parametrize("fallback", ["loud", "", 0, ["warn"]])
def test_a_policy_that_does_not_exist_raises_when_it_is_called(host, fallback):
    with pytest.raises(ValueError, match="'warn', 'silent', 'error'"):
        host.settings.use_backend("mine", fallback=fallback)


def test_an_empty_sequence_of_labels_is_a_mistake(host):
    with pytest.raises(ValueError, match="at least one backend"):
        host.settings.use_backend([])


def test_no_label_keeps_the_present_choice(host):
    host.settings.backend = "mine"
    with host.settings.use_backend(fallback="error"):
        assert (host.where(), host.settings.backend) == ("mine", "mine")
        with host.settings.use_backend("other"), host.settings.use_backend(fallback="silent"):
            assert (host.where(), host.settings.fallback) == ("other", "silent")


def test_the_same_object_can_be_used_again(host):
    block = host.settings.use_backend("mine")
    seen = []
    for _ in range(2):
        with block:
            seen.append(host.where())
        seen.append(host.where())
    assert seen == ["mine", "cpu", "mine", "cpu"]


def test_the_same_object_can_be_entered_while_it_is_in_force(host):
    mine, other = host.settings.use_backend("mine"), host.settings.use_backend("other")
    with mine:
        with other:
            with mine, mine:
                assert host.where() == "mine"
            assert host.where() == "other"
        assert host.where() == "mine"
    assert host.where() == "cpu"


def test_the_same_object_nested_in_itself_keeps_its_blocks_apart(host):
    block = host.settings.use_backend("mine")
    with block:
        with block:
            host.settings.backend = "other"
            assert host.where() == "other"
        assert host.where() == "mine"


def test_an_exception_passes_and_ends_the_block(host):
    with pytest.raises(KeyError, match="lost"), host.settings.use_backend("mine"):
        raise KeyError("lost")
    assert host.where() == "cpu"


def test_an_object_made_before_a_refresh_can_be_entered_after_it(host):
    block = host.settings.use_backend("mine")
    with block:
        pass
    host.dispatcher.refresh()
    with block:
        assert host.where() == "mine"


def test_a_broken_backend_can_be_entered_once_it_is_mended(host, site, install):
    module = install("broken", source="raise RuntimeError('no device')")
    block = host.settings.use_backend("broken")
    with pytest.raises(BackendLoadError), block:
        pytest.fail("the block was entered")
    site.write(f"{module}.py", "name = 'broken'\ndef where(): return 'a mended backend'\n")
    host.dispatcher.refresh()
    with block:
        assert host.where() == "a mended backend"


def test_a_backend_that_is_gone_by_then_raises_when_it_is_entered(host):
    class Passing:
        name = "passing"

    registration = host.dispatcher.register(Passing)
    block = host.settings.use_backend("passing")
    registration.remove()
    with pytest.raises(UnknownBackendError, match="'passing'"), block:
        pytest.fail("the block was entered")


def test_a_label_of_a_backend_that_is_gone_raises_when_it_is_called_again(host):
    class Passing:
        name = "passing"

    with host.dispatcher.register(Passing), host.settings.use_backend("passing"):
        assert host.settings.backend == "passing"
    with pytest.raises(UnknownBackendError, match="'passing'"):
        host.settings.use_backend("passing")


def test_a_block_selects_whoever_answers_to_its_label_when_it_is_entered(host):
    class First:
        name = "first"
        aliases = ("fast",)

    class Second(First):
        name = "second"

    with host.dispatcher.register(First):
        block = host.settings.use_backend("fast")
    with host.dispatcher.register(Second), block:
        assert host.settings.backend == "second"


def test_reserved_labels_say_what_to_write_instead(make_host):
    host = make_host(reserved_backends={"gpu": "Use a concrete name such as 'cuda'."})
    with pytest.raises(ReservedBackendError, match="Use a concrete name such as 'cuda'"):
        host.settings.use_backend("gpu")


def test_the_first_choice_may_be_given_by_name(host):
    with host.settings.use_backend(backend="mine"):
        assert host.settings.backends == ("mine",)
    with host.settings.use_backend("other", backend="mine"):
        assert host.settings.backends == ("mine", "other")
