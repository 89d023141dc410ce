"""An adapter of this process is trusted, because the caller registers it."""

import gc
import inspect
import types
import weakref

import pytest

from scverse_backends.exceptions import (
    BackendConfigurationError,
    BackendRegistrationWarning,
    UnknownBackendError,
)


class Local:
    name = "local"
    aliases = ("here",)

    def whoami(self):
        return "local"


@pytest.fixture
def installed(site):
    """An installed backend with the name and alias of `Local`."""
    source = "name = 'local'\naliases = ['here', 'there']\ndef whoami(): return 'installed'"
    site.backend("local", source, reference="installed")


def module_adapter():
    module = types.ModuleType("local")
    module.name, module.whoami = "local", lambda: "local"
    return module


@pytest.mark.parametrize(
    "adapter", [Local, Local(), module_adapter()], ids=["class", "object", "module"]
)
def test_a_class_an_object_or_a_module_runs_calls_without_any_warning(dispatcher, whoami, adapter):
    dispatcher.register(adapter)
    assert whoami(backend="local") == "local"
    assert whoami(backend="LOCAL") == "local"


def test_a_string_for_its_aliases_is_one_alias_with_a_warning(dispatcher, whoami):
    class Spelt(Local):
        aliases = "here"

    with pytest.warns(BackendRegistrationWarning, match=r"write aliases = \['here'\]") as caught:
        dispatcher.register(Spelt)

    assert [(w.filename, w.message.backend) for w in caught] == [(__file__, "local")]
    assert whoami(backend="here") == "local"


def test_a_class_is_instantiated_once(dispatcher, whoami):
    made = []

    class Counted(Local):
        def __init__(self):
            made.append(self)

    with dispatcher.register(Counted):
        assert whoami(backend="local") == whoami(backend="here") == "local"
        assert dispatcher.get_backend("here") is made[0]
    assert len(made) == 1


def test_a_registration_knows_the_name_and_ends_when_it_is_removed_or_its_block_does(
    dispatcher, whoami
):
    registration = dispatcher.register(Local)
    assert (registration.name, whoami(backend="here")) == ("local", "local")
    registration.remove()
    registration.remove()
    with dispatcher.register(Local) as registration:
        assert (registration.name, whoami(backend="here")) == ("local", "local")
    with pytest.raises(ZeroDivisionError), dispatcher.register(Local):
        raise ZeroDivisionError
    for label in ("local", "here"):
        with pytest.raises(UnknownBackendError):
            whoami(backend=label)


def test_a_registration_says_whether_it_holds(dispatcher):
    with dispatcher.register(Local) as registration:
        assert repr(registration) == "<backend 'local' is registered>"
    assert repr(registration) == "<backend 'local' was registered>"


def test_what_was_removed_runs_no_more_although_it_is_still_selected(dispatcher, whoami):
    registration = dispatcher.register(Local)
    dispatcher.settings.backend = "local"
    assert whoami() == "local"
    registration.remove()
    with pytest.raises(UnknownBackendError, match="'local'"):
        whoami()


def test_what_was_removed_is_let_go(dispatcher, whoami):
    adapter = Local()
    gone = weakref.ref(adapter)
    with dispatcher.register(adapter), dispatcher.settings.use_backend("local"):
        assert [whoami(), whoami(backend="here"), str(inspect.signature(whoami))]
    del adapter
    gc.collect()
    assert gone() is None


def test_a_registered_backend_is_listed_as_such_and_stays_after_a_refresh(site, dispatcher):
    with dispatcher.register(Local):
        adapter = dispatcher.get_backend("local")
        dispatcher.refresh()
        assert dispatcher.get_backend("local") is adapter
        (info,) = dispatcher.backends()
        assert (info.name, info.state, info.trusted) == ("local", "registered", True)
        assert (info.distribution, info.version, info.entry_point) == (None, None, None)
        assert dispatcher.available_backend_names() == ["here", "local"]
        assert dispatcher.settings.available_backends() == ["local"]
    assert dispatcher.backends() == ()
    assert dispatcher.available_backend_names() == []


@pytest.mark.parametrize("policy", ["warn", "allow", "refuse"])
def test_neither_trust_rules_nor_trust_warnings_apply(make_dispatcher, policy):
    trusted = {"local": {"aliases": ["here"], "package": "local-backend"}}
    dispatcher = make_dispatcher(untrusted=policy, trusted_backends=trusted)
    with dispatcher.register(Local):
        assert dispatcher.get_backend("local").whoami() == "local"
        assert dispatcher.get_backend("here").whoami() == "local"


class TestAnInstalledBackendOfTheSameName:
    @pytest.fixture(autouse=True)
    def world(self, installed):
        pass

    def test_is_shadowed_while_one_of_its_name_is_registered(self, site, dispatcher, whoami):
        with dispatcher.register(Local):
            assert whoami(backend="local") == whoami(backend="here") == "local"
            assert site.imported() == set()
            assert whoami(backend="there") == "installed"
        assert whoami(backend="local") == whoami(backend="here") == "installed"
        with dispatcher.register(Local):
            assert whoami(backend="local") == whoami(backend="here") == "local"
            assert whoami(backend="there") == "installed"

    def test_is_listed_beside_it_and_its_name_once(self, dispatcher):
        with dispatcher.register(Local):
            states = {info.state for info in dispatcher.backends()}
            assert states == {"registered", "installed"}
            assert dispatcher.settings.available_backends() == ["local"]
            assert dispatcher.available_backend_names() == ["here", "local", "there"]


class TestWhatCannotBeRegistered:
    @pytest.mark.parametrize(
        ("attributes", "problem"),
        [
            ({}, "`name`"),
            ({"name": 3}, "`name`"),
            ({"name": "no spaces"}, "not a valid backend name"),
            ({"name": "mine", "aliases": 3}, "`aliases`"),
            ({"name": "mine", "aliases": ["no spaces"]}, "not a valid backend name"),
            ({"name": "mine", "aliases": [3]}, "a backend name must be a string"),
            ({"name": "mine", "renames": []}, "`renames`"),
            ({"name": "mine", "can_run": "yes"}, "`can_run`"),
            ({"name": "cpu"}, "reserved"),
            ({"name": "mine", "aliases": ["auto"]}, "reserved"),
            ({"name": "GPU"}, "Use a concrete name"),
        ],
    )
    def test_what_is_no_adapter_is_an_error_that_says_why(
        self, make_dispatcher, attributes, problem
    ):
        dispatcher = make_dispatcher(reserved_backends={"gpu": "Use a concrete name."})
        with pytest.raises(BackendConfigurationError, match=problem):
            dispatcher.register(types.SimpleNamespace(**attributes))
        assert dispatcher.backends() == ()

    def test_all_that_is_wrong_with_its_labels_is_said_at_once(self, dispatcher):
        adapter = types.SimpleNamespace(name="cpu", aliases=["auto", "no spaces", "fine"])
        with pytest.raises(BackendConfigurationError) as caught:
            dispatcher.register(adapter)
        assert len(caught.value.mistakes) == 3

    @pytest.mark.parametrize("labels", [("local", ()), ("LOCAL", ()), ("other", ("here",))])
    def test_a_label_that_is_registered_already_is_an_error(self, dispatcher, whoami, labels):
        name, aliases = labels
        dispatcher.register(Local)
        with pytest.raises(BackendConfigurationError, match="registered already"):
            dispatcher.register(types.SimpleNamespace(name=name, aliases=aliases))
        assert whoami(backend="local") == "local"

    def test_a_class_that_is_defined_again_replaces_the_one_before(self, dispatcher, whoami):
        def cell(version, name="again"):
            class Adapter:
                def __init__(self):
                    self.name = name

                def whoami(self):
                    return version

            Adapter.__qualname__ = "Adapter"  # as in a cell, which is no function
            return dispatcher.register(Adapter)

        first = cell("first")
        dispatcher.settings.backend = "again"
        second = cell("second")
        first.remove()
        assert whoami() == "second"
        cell("third", name="other")
        assert [whoami(), whoami(backend="other")] == ["second", "third"]
        second.remove()
        with pytest.raises(UnknownBackendError):
            whoami()

    def test_one_class_is_not_registered_twice(self, dispatcher):
        with dispatcher.register(Local), pytest.raises(BackendConfigurationError, match="remove"):
            dispatcher.register(Local)

    def test_two_classes_that_a_function_makes_are_two(self, dispatcher):
        def make():
            class Adapter:
                name = "made"

            return Adapter

        with dispatcher.register(make()), pytest.raises(BackendConfigurationError, match="remove"):
            dispatcher.register(make())

    def test_an_error_of_the_callers_own_class_reaches_the_caller(self, dispatcher):
        class Failing:
            name = "failing"

            def __init__(self):
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            dispatcher.register(Failing)


def test_calls_on_registered_backends_do_not_read_what_is_installed(
    dispatcher, offer, find_distributions
):
    find_distributions(lambda context: pytest.fail("it was asked what is installed"))
    func = dispatcher.backend_dispatch(name="func")(lambda: "host")
    offer("one", func=lambda own=1: "one")
    offer("two", func=lambda own=1: "two")
    for label in ("one", "two"):
        with dispatcher.settings.use_backend(label):
            assert func() == label
    assert "own" in inspect.signature(func).parameters
