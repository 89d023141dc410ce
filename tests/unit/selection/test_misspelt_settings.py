"""A setting that there is not is refused: it would seem to work, and select nothing."""

import pytest


def test_a_misspelt_setting_is_refused_and_the_nearest_named(dispatcher):
    with pytest.raises(AttributeError, match=r"no 'backned'\. Did you mean 'backend'\?") as caught:
        dispatcher.settings.backned = "fast"
    assert "There are: 'backend', 'backends', 'fallback'." in str(caught.value)


def test_one_that_is_like_none_is_refused_too(dispatcher):
    with pytest.raises(AttributeError, match=r"no 'verbosity'\. There are: 'backend'"):
        dispatcher.settings.verbosity = 3


def test_a_name_instead_of_a_function_is_answered_with_what_to_give(dispatcher):
    with pytest.raises(
        TypeError, match=r"'scale' is not a dispatched function of .* Give the func"
    ):
        dispatcher.settings.explain("scale", [1])


def test_a_dispatcher_has_no_settings_of_its_own(dispatcher):
    with pytest.raises(AttributeError, match="fallback"):
        dispatcher.fallback = "error"


METHODS = ("use_backend", "trace", "explain", "get_backend", "snapshot", "refresh")


@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_settings_cannot_be_replaced(dispatcher, name):
    with pytest.raises(AttributeError, match=rf"'{name}' of the settings of .* cannot be replaced"):
        setattr(dispatcher.settings, name, "fast")
    assert callable(getattr(dispatcher.settings, name))


@pytest.mark.parametrize("name", ["_secret", "__class__", "__dict__"])
def test_what_is_no_setting_cannot_be_set_by_a_private_name_either(dispatcher, name):
    with pytest.raises(AttributeError):
        setattr(dispatcher.settings, name, "fast")
