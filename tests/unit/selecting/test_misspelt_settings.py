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
